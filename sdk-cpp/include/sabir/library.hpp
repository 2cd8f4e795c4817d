// What the executables and libraries of a process, each with its own copy of the SDK, know of each other: a library
// that has remote functions exports one C symbol, by which its registry is found and the process's client given to it.
#ifndef SABIR_LIBRARY_HPP_
#define SABIR_LIBRARY_HPP_

#include <dlfcn.h>
#include <link.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sabir/registry.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// Changes with the layout of Library, Registry, Entry or Call.
inline constexpr uint32_t kLibraryLayout = 1;

struct Library {
  uint32_t layout;
  Registry* registry;
  void (*attach)(sabir_client*);
};
SABIR_LOCAL inline const Library& own_library() {
  static const Library made{kLibraryLayout, &registry(), attach_client};
  return made;
}

struct LoadedLibrary {
  std::string path;
  const Library* library;
};

// All libraries with remote functions in this process, this one first.
class Libraries {
 public:
  // Looks for new ones. Returns what is there, as a copy: it may grow meanwhile.
  std::vector<LoadedLibrary> look(sabir_client* client) {
    std::vector<std::string> paths;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* out) {
          if (info->dlpi_name != nullptr && info->dlpi_name[0] != 0) {
            static_cast<std::vector<std::string>*>(out)->emplace_back(info->dlpi_name);
          }
          return 0;
        },
        &paths);
    std::lock_guard<std::mutex> lock(mutex_);
    if (found_.empty()) {
      found_.push_back({"this executable", &own_library()});
    }
    for (const std::string& path : paths) {
      if (void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD)) {
        add(path, handle, client);
        dlclose(handle);
      }
    }
    return found_;
  }
  // Gives the client, or null, to all.
  void attach(sabir_client* client) {
    look(client);
    std::lock_guard<std::mutex> lock(mutex_);
    for (const LoadedLibrary& loaded : found_) {
      loaded.library->attach(client);
    }
  }

 private:
  void add(const std::string& path, void* handle, sabir_client* client) {
    auto entry = reinterpret_cast<const void* (*)()>(dlsym(handle, "sabir_cpp_library"));
    if (entry == nullptr) {
      return;
    }
    const auto* library = static_cast<const Library*>(entry());
    for (const LoadedLibrary& known : found_) {
      if (known.library == library) {
        return;
      }
    }
    if (library->layout != kLibraryLayout) {
      return;  // built with another version of the SDK: its functions are not seen
    }
    found_.push_back({path, library});
    if (client != nullptr) {
      library->attach(client);
    }
  }

  std::mutex mutex_;
  std::vector<LoadedLibrary> found_;
};
SABIR_LOCAL inline Libraries& libraries() {
  static auto* made = new Libraries;
  return *made;
}

// The entry of a registered function or method; throws if there is none.
template <typename Pointer>
Entry& entry_of(Pointer pointer) {
  PointerKey key = PointerKey::of(pointer);
  if (Entry* entry = registry().find(key, typeid(pointer))) {
    return *entry;
  }
  for (const LoadedLibrary& loaded : libraries().look(state().client.load())) {
    if (Entry* entry = loaded.library->registry->find(key, typeid(pointer))) {
      return *entry;
    }
  }
  throw_status(SABIR_NOT_FOUND, "a function of type " + type_name(typeid(pointer)) +
                                    " is not registered: write SABIR_REMOTE(its_name); in one source file");
}

}  // namespace detail
SABIR_NAMESPACE_END

// By dlsym, never by name: each library has its own.
extern "C" __attribute__((used, visibility("default"))) inline const void* sabir_cpp_library() {
  return &sabir::detail::own_library();
}

#endif  // SABIR_LIBRARY_HPP_
