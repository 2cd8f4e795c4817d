#include <algorithm>
#include <unordered_map>

#include "runtime/base/check.h"
#include "runtime/shm/limits.h"
#include "runtime/store/range_allocator.h"
#include "runtime/store/range_set.h"

namespace sabir::store {
namespace {

class FirstFitAllocator final : public RangeAllocator {
 public:
  FirstFitAllocator(uint64_t segment_bytes, uint64_t budget_bytes)
      : free_(segment_bytes), budget_bytes_(budget_bytes) {}

  Result<uint64_t> allocate(uint64_t size_bytes, uint64_t alignment) override {
    SABIR_ASSIGN_OR_RETURN(RangeShape shape, shape_of(size_bytes, alignment, budget_bytes_));
    if (shape.size_bytes > budget_bytes_ - used_bytes_) {
      return over_budget_error(shape.size_bytes, used_bytes_, budget_bytes_);
    }
    std::optional<uint64_t> offset =
        free_.take_preferring(shape.size_bytes, shape.preferred_alignment, shape.alignment);
    if (!offset) {
      return no_range_error(shape.size_bytes, used_bytes_, budget_bytes_);
    }
    sizes_.emplace(*offset, shape.size_bytes);
    used_bytes_ += shape.size_bytes;
    high_water_bytes_ = std::max(high_water_bytes_, *offset + shape.size_bytes);
    return *offset;
  }

  void free(uint64_t offset) override {
    auto range = sizes_.find(offset);
    SABIR_CHECK(range != sizes_.end(), "not allocated: offset=", offset);
    free_.give(offset, range->second);
    used_bytes_ -= range->second;
    sizes_.erase(range);
  }

  uint64_t used_bytes() const override { return used_bytes_; }
  uint64_t budget_bytes() const override { return budget_bytes_; }
  uint64_t high_water_bytes() const override { return high_water_bytes_; }
  const char* name() const override { return "first-fit"; }

 private:
  RangeSet free_;
  std::unordered_map<uint64_t, uint64_t> sizes_;
  uint64_t budget_bytes_;
  uint64_t used_bytes_ = 0;
  uint64_t high_water_bytes_ = 0;
};

}  // namespace

std::unique_ptr<RangeAllocator> make_first_fit_allocator(uint64_t segment_bytes, uint64_t budget_bytes) {
  return std::make_unique<FirstFitAllocator>(segment_bytes, budget_bytes);
}

}  // namespace sabir::store
