// The bytes of a table (docs/values.md). Whoever wrote them is not trusted.
//
//   stream_bytes u64 | buffer_count u32 | 0 u32, sizes (buffer_count x u64), stream, buffers each at a multiple of 64
//   Stream := origin u32 | batch_count u32 | Field | batch_count x Array
//   Field  := flags i64 | format_bytes u32 | name_bytes u32 (kNone: none) | metadata_bytes u32 | child_count u32
//           | has_dictionary u32 | format, name, metadata | child_count x Field | dictionary
//   Array  := length i64 | null_count i64 | offset i64 | buffer_count u32 | buffer_count x u32 (index; kNone: none)
//           | an Array for each child of its Field | dictionary
//
// Writers have no offsets: a slice of a table travels as what it shows, not with all that lies around it, and readers
// that know no offsets (arrow-java) can read it. Readers accept offsets.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi/sabir.h"
#include "runtime/base/result.h"
#include "runtime/table/data.h"

namespace sabir::table {

inline constexpr uint8_t kVariant = 3;  // of SABIR_NEUTRAL
inline constexpr uint32_t kNone = 0xffffffff;

struct Encoded {
  std::string head;
  std::vector<sabir_span> parts;  // the head, and buffers with zeros between them
};

// The parts point into the head and into the data's buffers. An error: more than the format can count.
Result<std::unique_ptr<const Encoded>> encode(const Data& data);

// The buffers point into the bytes, which `keep` keeps; they begin at a multiple of 64.
Result<std::shared_ptr<const Data>> decode(std::span<const uint8_t> bytes, std::shared_ptr<const void> keep);

}  // namespace sabir::table
