// Where in a value we are, for errors: "at [3].name".
#ifndef SABIR_PLACE_HPP_
#define SABIR_PLACE_HPP_

#include <cstddef>
#include <string>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// One container that is being read or written; its owner moves `index` or `name` on.
struct Place {
  const Place* up = nullptr;
  size_t index = 0;
  std::string_view name = {};

  static std::string describe(const Place* place) {
    if (place == nullptr) {
      return "";
    }
    std::string outer = describe(place->up);
    if (!place->name.empty()) {
      return outer + "." + std::string(place->name);
    }
    return outer + "[" + std::to_string(place->index) + "]";
  }
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_PLACE_HPP_
