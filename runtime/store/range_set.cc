#include "runtime/store/range_set.h"

#include <algorithm>
#include <iterator>

#include "runtime/base/check.h"

namespace sabir::store {

RangeSet::RangeSet(uint64_t size_bytes) : free_bytes_(size_bytes) {
  if (size_bytes > 0) {
    free_.emplace(0, size_bytes);
  }
}

std::optional<uint64_t> RangeSet::take(uint64_t size_bytes, uint64_t alignment) {
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    auto [start, end] = *range;
    uint64_t offset = (start + alignment - 1) & ~(alignment - 1);
    if (offset < end && size_bytes <= end - offset) {
      cut(range, offset, offset + size_bytes);
      return offset;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> RangeSet::take_preferring(uint64_t size_bytes, uint64_t preferred, uint64_t alignment) {
  std::optional<uint64_t> offset = take(size_bytes, preferred);
  return offset || preferred == alignment ? offset : take(size_bytes, alignment);
}

bool RangeSet::take_at(uint64_t offset, uint64_t size_bytes) {
  auto range = free_.upper_bound(offset);
  if (range == free_.begin()) {
    return false;
  }
  --range;
  if (offset >= range->second || size_bytes > range->second - offset) {
    return false;
  }
  cut(range, offset, offset + size_bytes);
  return true;
}

void RangeSet::give(uint64_t offset, uint64_t size_bytes) {
  uint64_t end = offset + size_bytes;
  auto next = free_.lower_bound(offset);
  SABIR_CHECK(next == free_.end() || next->first >= end, "freed twice: offset=", offset);
  free_bytes_ += size_bytes;
  if (next != free_.end() && next->first == end) {
    end = next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    auto before = std::prev(next);
    SABIR_CHECK(before->second <= offset, "freed twice: offset=", offset);
    if (before->second == offset) {
      before->second = end;
      return;
    }
  }
  free_.emplace_hint(next, offset, end);
}

uint64_t RangeSet::longest_bytes() const {
  uint64_t longest = 0;
  for (auto [start, end] : free_) {
    longest = std::max(longest, end - start);
  }
  return longest;
}

void RangeSet::cut(Ranges::iterator range, uint64_t offset, uint64_t end) {
  auto [range_start, range_end] = *range;
  free_bytes_ -= end - offset;
  if (end < range_end) {
    free_.emplace_hint(std::next(range), end, range_end);
  }
  if (offset > range_start) {
    range->second = offset;
  } else {
    free_.erase(range);
  }
}

}  // namespace sabir::store
