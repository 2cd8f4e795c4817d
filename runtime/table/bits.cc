#include "runtime/table/bits.h"

#include <bit>
#include <cstring>

namespace sabir::table {

int64_t count_zeros(const uint8_t* bits, int64_t begin, int64_t count) {
  int64_t ones = 0;
  int64_t at = begin;
  int64_t end = begin + count;
  for (; at < end && at % 8 != 0; ++at) {
    ones += bit_at(bits, at) ? 1 : 0;
  }
  for (; end - at >= 64; at += 64) {
    uint64_t word;
    std::memcpy(&word, bits + at / 8, sizeof(word));
    ones += std::popcount(word);
  }
  for (; at < end; ++at) {
    ones += bit_at(bits, at) ? 1 : 0;
  }
  return count - ones;
}

std::vector<uint8_t> shifted(const uint8_t* bits, int64_t begin, int64_t count) {
  std::vector<uint8_t> made(bit_bytes(count));
  const uint8_t* from = bits + begin / 8;
  auto shift = static_cast<unsigned>(begin & 7);
  // The last byte that holds a bit of ours: nothing behind it is touched.
  size_t last = count == 0 ? 0 : static_cast<size_t>((begin + count - 1) / 8 - begin / 8);
  for (size_t i = 0; i < made.size(); ++i) {
    unsigned next = shift != 0 && i < last ? from[i + 1] : 0;
    made[i] = static_cast<uint8_t>(from[i] >> shift | next << (8 - shift));
  }
  if (auto rest = static_cast<unsigned>(count & 7); rest != 0) {
    made.back() = static_cast<uint8_t>(made.back() & ((1U << rest) - 1));
  }
  return made;
}

}  // namespace sabir::table
