#include "runtime/store/range_allocator.h"

#include <algorithm>
#include <string>

#include "runtime/shm/limits.h"

namespace sabir::store {
namespace {

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) & ~(unit - 1); }

std::string state(uint64_t used_bytes, uint64_t budget_bytes) {
  return std::to_string(used_bytes) + " of " + std::to_string(budget_bytes) + " bytes are in use";
}

}  // namespace

uint64_t segment_bytes_for(uint64_t budget_bytes) {
  constexpr uint64_t kSlackBytes = 64 << 20;
  return round_up(budget_bytes + budget_bytes / 8 + kSlackBytes, shm::kHugePageBytes);
}

Result<RangeShape> shape_of(uint64_t size_bytes, uint64_t alignment, uint64_t budget_bytes) {
  bool power_of_two = alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (size_bytes == 0 || !power_of_two || alignment > shm::kHugePageBytes) {
    return invalid_error("a range of " + std::to_string(size_bytes) + " bytes at " + std::to_string(alignment));
  }
  if (size_bytes > budget_bytes) {  // before rounding: nothing wraps
    return over_budget_error(size_bytes, 0, budget_bytes);
  }
  if (alignment < shm::kPageBytes && size_bytes < shm::kPageBytes) {
    alignment = std::max<uint64_t>(alignment, shm::kCacheLineBytes);
    return RangeShape{round_up(size_bytes, alignment), alignment, alignment};
  }
  RangeShape shape;
  shape.size_bytes = round_up(size_bytes, shm::kPageBytes);
  shape.alignment = std::max<uint64_t>(alignment, shm::kPageBytes);
  // The room between a range's end and the next huge page is lost to others that want to be aligned.
  uint64_t lost_bytes = round_up(shape.size_bytes, shm::kHugePageBytes) - shape.size_bytes;
  shape.preferred_alignment = lost_bytes <= shape.size_bytes / 16 ? shm::kHugePageBytes : shape.alignment;
  return shape;
}

Error over_budget_error(uint64_t size_bytes, uint64_t used_bytes, uint64_t budget_bytes) {
  return store_full_error(std::to_string(size_bytes) + " bytes do not fit: " + state(used_bytes, budget_bytes));
}

Error no_range_error(uint64_t size_bytes, uint64_t used_bytes, uint64_t budget_bytes) {
  return store_full_error("no free range of " + std::to_string(size_bytes) +
                          " bytes: " + state(used_bytes, budget_bytes) + ", the rest is fragmented");
}

}  // namespace sabir::store
