// Bytes as hex digits, and back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sabir {

// Small letters, two for each byte, in their order.
std::string to_hex(std::span<const uint8_t> bytes);
std::string to_hex(std::string_view bytes);

// Fills all of `out`, from exactly two digits for each byte, of small or capital letters. False: it is something else;
// `out` is then undefined.
[[nodiscard]] bool read_hex(std::string_view text, std::span<uint8_t> out);

}  // namespace sabir
