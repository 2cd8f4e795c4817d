#include "runtime/base/language.h"

#include <iterator>

namespace sabir {

std::string language_name(uint8_t language) {
  static constexpr const char* kNames[] = {"no language", "Python", "Java", "C++", "C"};
  return language < std::size(kNames) ? kNames[language] : "language " + std::to_string(language);
}

}  // namespace sabir
