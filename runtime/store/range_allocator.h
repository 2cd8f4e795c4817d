// Hands out ranges of the objects segment. Offsets in, offsets out: nothing here reads or writes the segment's bytes,
// and pages once touched are never given back while the store runs (warm memory is everything: design.md section 4).
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/base/result.h"

namespace sabir::store {

// How big the segment must be so that `budget_bytes` can be given out in spite of fragmentation. The segment is sparse:
// but what was touched stays, so this bounds the store's memory too.
uint64_t segment_bytes_for(uint64_t budget_bytes);

// For one thread.
class RangeAllocator {
 public:
  virtual ~RangeAllocator() = default;

  // kStoreFull: over budget or no range that long; nothing changed. alignment: a power of two, at most 2 MiB. Ranges of
  // a page and more, or aligned to one, are whole pages; from 2 MiB on they begin on a huge page while there is room
  // so. Smaller ones share pages and begin on a cache line.
  virtual Result<uint64_t> allocate(uint64_t size_bytes, uint64_t alignment) = 0;
  // An offset that allocate() gave and nobody freed.
  virtual void free(uint64_t offset) = 0;

  // Sum of the ranges given out, as counted against the budget.
  virtual uint64_t used_bytes() const = 0;
  virtual uint64_t budget_bytes() const = 0;
  // Highest end of a range ever given out: beyond it every page is cold.
  virtual uint64_t high_water_bytes() const = 0;
  // "jemalloc" or "first-fit", for logs and status.
  virtual const char* name() const = 0;
};

// For implementations: size and alignment by the rules of allocate(). kInvalid, or kStoreFull above the whole budget.
struct RangeShape {
  uint64_t size_bytes = 0;
  uint64_t alignment = 0;
  uint64_t preferred_alignment = 0;  // tried first
};
Result<RangeShape> shape_of(uint64_t size_bytes, uint64_t alignment, uint64_t budget_bytes);
Error over_budget_error(uint64_t size_bytes, uint64_t used_bytes, uint64_t budget_bytes);
Error no_range_error(uint64_t size_bytes, uint64_t used_bytes, uint64_t budget_bytes);

// First fit with coalescing; no dependencies. For sanitizer builds and where jemalloc cannot be used.
std::unique_ptr<RangeAllocator> make_first_fit_allocator(uint64_t segment_bytes, uint64_t budget_bytes);

}  // namespace sabir::store
