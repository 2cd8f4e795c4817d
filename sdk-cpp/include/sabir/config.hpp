// What every header of the SDK needs: the C interface, the namespace, times.
#ifndef SABIR_CONFIG_HPP_
#define SABIR_CONFIG_HPP_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sabir/sabir.h"

// The inner namespace keeps the symbols of two versions of the SDK apart in one process; users write sabir::.
#define SABIR_NAMESPACE_BEGIN \
  namespace sabir {           \
  inline namespace cpp1 {
#define SABIR_NAMESPACE_END \
  }                         \
  }

// State that each executable or shared library has for itself, whatever else is loaded.
#define SABIR_LOCAL __attribute__((visibility("hidden")))

SABIR_NAMESPACE_BEGIN

using Duration = std::chrono::nanoseconds;

// Waits without end.
inline constexpr Duration kForever = Duration::max();

namespace detail {

inline std::string_view view_of(sabir_string text) { return {text.data == nullptr ? "" : text.data, text.size}; }
inline sabir_string string_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace detail

SABIR_NAMESPACE_END

#endif  // SABIR_CONFIG_HPP_
