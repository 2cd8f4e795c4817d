// A value as text, in the form that all three languages of this suite write: see ../scenarios.py.
#pragma once

#include <string>
#include <string_view>

#include "sabir/sabir.hpp"

namespace conformance {

std::string text_of(const sabir::Value& value);

// As in zlib.
uint32_t crc32(const void* data, size_t size);

}  // namespace conformance
