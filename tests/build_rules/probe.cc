// A library with the shape of libsabir.so: a C function outside, C++ and Cap'n Proto inside.
#include "tests/build_rules/echo.h"

extern "C" __attribute__((visibility("default"))) int probe_echo() {
  return sabir::build_rules::echo_round_trip() ? 1 : 0;
}
