// Bytes of a plain value, the form of neutral values that every SDK writes: a tag, then what it says. Numbers are
// little-endian and unaligned, sizes u32 (docs/values.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sabir::python {

// Containers within containers; readers refuse what is deeper.
inline constexpr int kPlainDepthMax = 64;

// Variants of SABIR_NEUTRAL: 0 is a FlexBuffers root.
inline constexpr uint8_t kPlain = 1;             // the stream alone
inline constexpr uint8_t kPlainWithBuffers = 2;  // BuffersHeader, sizes, the stream, buffers (buffers_layout.h)
inline constexpr uint8_t kTable = 3;             // the core reads and writes it (table.h)

enum PlainTag : uint8_t {
  kNone = 'N',       // nothing
  kTrue = 'T',       // nothing
  kFalse = 'F',      // nothing
  kInt8 = 'i',       // one byte
  kInt64 = 'I',      // eight bytes
  kUint64 = 'U',     // eight bytes: above INT64_MAX
  kBigInt = 'n',     // size, two's complement, as few bytes as hold it
  kFloat = 'f',      // eight bytes, IEEE 754
  kFloat32 = 'e',    // four bytes
  kStr = 's',        // size in bytes, UTF-8
  kBytes = 'b',      // size, bytes
  kList = 'l',       // number of items, each a plain value
  kTuple = 't',      // the same
  kDict = 'd',       // number of entries, each a key and a value
  kRef = 'r',        // index into the value's references
  kActor = 'h',      // the same: an actor's handle
  kTimestamp = 'D',  // nanoseconds since 1970 (i64), the local time's offset in seconds (i32; kNoOffset: none)
  kTensor = 'a',     // TensorHead, index of the buffer in data_offset, shape (u64 each), strides (i64 each)
};

inline constexpr int32_t kNoOffset = INT32_MAX * -1 - 1;

}  // namespace sabir::python
