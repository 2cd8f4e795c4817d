// Bitmaps as Arrow has them: the least significant bit of a byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sabir::table {

inline bool bit_at(const uint8_t* bits, int64_t index) { return (bits[index >> 3] >> (index & 7) & 1) != 0; }
inline uint64_t bit_bytes(int64_t count) { return (static_cast<uint64_t>(count) + 7) / 8; }
// How many of the bits `begin` to `begin + count` are 0.
int64_t count_zeros(const uint8_t* bits, int64_t begin, int64_t count);
// Bits `begin` to `begin + count` as a bitmap that begins with the first of them.
std::vector<uint8_t> shifted(const uint8_t* bits, int64_t begin, int64_t count);

}  // namespace sabir::table
