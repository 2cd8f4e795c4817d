# find_package(sabir): the target sabir::sabir, and SABIR_WORKER, the worker that loads libraries of the code path.
include(CMakeFindDependencyMacro)
find_dependency(Threads)

get_filename_component(_sabir_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(SABIR_WORKER "${_sabir_root}/bin/sabir-cpp-worker")

if(NOT TARGET sabir::sabir)
  add_library(sabir::sabir SHARED IMPORTED)
  set_target_properties(sabir::sabir PROPERTIES
    IMPORTED_LOCATION "${_sabir_root}/lib/libsabir.so"
    IMPORTED_SONAME "libsabir.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_sabir_root}/include"
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
endif()
unset(_sabir_root)
