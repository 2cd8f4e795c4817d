// What a format string of the Arrow C data interface says about an array's buffers and children.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace sabir::table {

enum class Shape : uint8_t {
  kNull,         // no buffers
  kFixed,        // validity, items of width_bits
  kBinary,       // validity, offsets of width_bits, bytes
  kBinaryView,   // validity, views of 16 bytes, any number of buffers with bytes
  kList,         // validity, offsets of width_bits; maps, too
  kListView,     // validity, offsets and sizes of width_bits
  kFixedList,    // validity; list_size items of the child for each
  kStruct,       // validity
  kSparseUnion,  // type ids
  kDenseUnion,   // type ids, offsets of 32 bits
  kRunEnds,      // no buffers; children: where each run ends, and its value
};

struct Layout {
  Shape shape = Shape::kNull;
  uint64_t width_bits = 0;
  int64_t list_size = 0;
  bool is_integer = false;        // can index a dictionary
  bool is_map = false;            // kList
  std::vector<uint8_t> type_ids;  // of unions: of each child

  bool has_validity() const {
    return shape != Shape::kNull && shape != Shape::kSparseUnion && shape != Shape::kDenseUnion &&
           shape != Shape::kRunEnds;
  }
  // Without the buffers that kBinaryView may have besides.
  size_t buffer_count() const;
};

inline constexpr size_t kAnyChildren = SIZE_MAX;
size_t child_count(const Layout& layout);

// An error names the format.
Result<Layout> parse_layout(std::string_view format);

}  // namespace sabir::table
