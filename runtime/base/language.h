// What people call the languages of sabir.h (SABIR_LANGUAGE_*).
#pragma once

#include <cstdint>
#include <string>

namespace sabir {

// "Python"; of one without a name "language 7".
std::string language_name(uint8_t language);

}  // namespace sabir
