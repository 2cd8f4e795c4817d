// The store's allocator proper: a jemalloc arena whose memory is the objects segment, by extent hooks of our own.
// sabird only (T2): jemalloc replaces malloc in whatever links it, so this is a Bazel target of its own.
//
// jemalloc serves what is smaller than a loan of its own (kOwnLoanBytes). Larger ranges come straight from the set of
// free ranges that the hooks draw on too: size classes would round them up by as much as a quarter, and jemalloc 5.3.0
// puts a page behind every large range (cache_oblivious cannot be switched off there), which next to 2 MiB alignment is
// a 2 MiB hole.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/store/range_allocator.h"

namespace sabir::store {

// `base` is where this process maps (or merely reserves, PROT_NONE) the objects segment, aligned to 2 MiB. It must
// outlive the allocator. jemalloc's own metadata lies outside
// (metadata_use_hooks=false). kUnsupported: this jemalloc cannot do that, or the build has none (sanitizers).
Result<std::unique_ptr<RangeAllocator>> make_jemalloc_arena(void* base, uint64_t segment_bytes, uint64_t budget_bytes);

// The jemalloc arena, or where that is unsupported the first-fit allocator.
std::unique_ptr<RangeAllocator> make_arena(void* base, uint64_t segment_bytes, uint64_t budget_bytes);

}  // namespace sabir::store
