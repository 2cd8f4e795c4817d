// An extension module with the shape of ours: it stands on the C interface of a library beside it.
#include <pybind11/pybind11.h>

extern "C" int probe_echo();

PYBIND11_MODULE(_probe, module) {
  module.def("echo", [] { return probe_echo() == 1; });
}
