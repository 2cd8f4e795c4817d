// Names of types, for people.
#ifndef SABIR_TYPE_NAME_HPP_
#define SABIR_TYPE_NAME_HPP_

#include <cxxabi.h>

#include <cstdlib>
#include <string>
#include <typeinfo>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

inline std::string type_name(const std::type_info& type) {
  int status = 0;
  char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = readable != nullptr ? readable : type.name();
  std::free(readable);
  // What a reader would write.
  for (std::string_view noise : {"__cxx11::", "cpp1::"}) {
    for (size_t at = name.find(noise); at != std::string::npos; at = name.find(noise)) {
      name.erase(at, noise.size());
    }
  }
  static constexpr std::string_view kString = "std::basic_string<char, std::char_traits<char>, std::allocator<char> >";
  for (size_t at = name.find(kString); at != std::string::npos; at = name.find(kString)) {
    name.replace(at, kString.size(), "std::string");
  }
  return name;
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_TYPE_NAME_HPP_
