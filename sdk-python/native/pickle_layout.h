// Bytes of a pickled value: PickleHeader, buffer_count sizes (u64), the pickle, then each out-of-band buffer at the
// next multiple of kBufferAlignment, counted from the value's start (which is as aligned in the store).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sabir::python {

inline constexpr size_t kBufferAlignment = 64;

struct PickleHeader {
  uint64_t pickle_bytes;
  uint32_t buffer_count;
  uint32_t reserved;
};
static_assert(sizeof(PickleHeader) == 16);

constexpr size_t aligned(size_t offset) {
  return (offset + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

}  // namespace sabir::python
