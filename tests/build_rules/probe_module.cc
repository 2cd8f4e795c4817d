#include <pybind11/pybind11.h>

#include "tests/build_rules/echo.h"

PYBIND11_MODULE(_probe, module) { module.def("echo", &sabir::build_rules::echo_round_trip); }
