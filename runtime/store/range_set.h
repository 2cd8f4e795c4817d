// RangeSet: free ranges of an address space, coalesced; the lowest that fits goes first, so that what was touched once
// (and is warm) is used again before what never was.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace sabir::store {

class RangeSet {
 public:
  // Everything below `size_bytes` is free.
  explicit RangeSet(uint64_t size_bytes);

  // The start of a range, a multiple of `alignment` (a power of two). Nothing: none is long enough.
  std::optional<uint64_t> take(uint64_t size_bytes, uint64_t alignment);
  // The same, aligned to `preferred` if there is such a range.
  std::optional<uint64_t> take_preferring(uint64_t size_bytes, uint64_t preferred, uint64_t alignment);
  // That very range; false: not all of it is free.
  bool take_at(uint64_t offset, uint64_t size_bytes);
  // Any part of what was taken, once.
  void give(uint64_t offset, uint64_t size_bytes);

  uint64_t free_bytes() const { return free_bytes_; }
  uint64_t longest_bytes() const;
  size_t range_count() const { return free_.size(); }

 private:
  using Ranges = std::map<uint64_t, uint64_t>;  // start -> end
  void cut(Ranges::iterator range, uint64_t offset, uint64_t end);

  Ranges free_;
  uint64_t free_bytes_ = 0;
};

}  // namespace sabir::store
