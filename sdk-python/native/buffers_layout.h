// Bytes of a value with buffers beside it, pickled or plain: BuffersHeader, buffer_count sizes (u64), the body, then
// each buffer at the next multiple of kBufferAlignment, counted from the value's start (which is as aligned in the
// store).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sabir::python {

inline constexpr size_t kBufferAlignment = 64;

// The variant of (SABIR_NATIVE, SABIR_LANGUAGE_PYTHON): its body is a pickle.
inline constexpr uint8_t kPickle = 2;

// With this bit of the variant a text for readers in other languages stands before all that: its size (u32), its bytes
// (UTF-8), and zeros up to the next multiple of kBufferAlignment.
inline constexpr uint8_t kNoted = 0x80;

struct BuffersHeader {
  uint64_t body_bytes;
  uint32_t buffer_count;
  uint32_t reserved;
};
static_assert(sizeof(BuffersHeader) == 16);

constexpr size_t aligned(size_t offset) {
  return (offset + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

}  // namespace sabir::python
