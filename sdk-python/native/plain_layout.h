// Bytes of a plain value: a tag, then what it says. Numbers are little-endian, sizes u32 (docs/values.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sabir::python {

// Containers within containers; what lies deeper is pickled.
inline constexpr int kPlainDepthMax = 8;

enum PlainTag : uint8_t {
  kNone = 'N',   // nothing
  kTrue = 'T',   // nothing
  kFalse = 'F',  // nothing
  kInt8 = 'i',   // one byte
  kInt64 = 'I',  // eight bytes
  kFloat = 'f',  // eight bytes, IEEE 754
  kStr = 's',    // size in bytes, UTF-8
  kBytes = 'b',  // size, bytes
  kList = 'l',   // number of items, each a plain value
  kTuple = 't',  // the same
  kDict = 'd',   // number of entries, each a key and a value
  kRef = 'r',    // index into the value's references
};

}  // namespace sabir::python
