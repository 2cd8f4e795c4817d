// SABIR_CHECK: our own broken invariants, and nothing else, end the process. In force in every
// build.
#pragma once

#include <string_view>

#include "runtime/base/line.h"

namespace sabir {

// Writes "file:line: check failed: condition (details)" to standard error and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view details);

}  // namespace sabir

// SABIR_CHECK(head <= capacity, "head=", head, " capacity=", capacity);
#define SABIR_CHECK(condition, ...)                                                                      \
  do {                                                                                                   \
    if (!(condition)) [[unlikely]] {                                                                     \
      ::sabir::check_failed(__FILE__, __LINE__, #condition, ::sabir::Line().append(__VA_ARGS__).view()); \
    }                                                                                                    \
  } while (false)
