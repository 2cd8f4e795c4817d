#include "runtime/store/arena.h"

#ifdef SABIR_HAVE_JEMALLOC

#include <jemalloc/jemalloc.h>
#include <sys/types.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "runtime/base/check.h"
#include "runtime/shm/limits.h"
#include "runtime/store/range_set.h"

// jemalloc reads this at its start, before main. Without `retain` it asks the hooks for exactly what it needs and gives
// all of it back when purged; the rest keeps sabird's own heap small.
extern "C" const char* malloc_conf;
const char* malloc_conf = "retain:false,narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0";

namespace sabir::store {
namespace {

// As in jemalloc 5.3; its public header does not have it.
struct ArenaConfig {
  extent_hooks_t* extent_hooks;
  bool metadata_use_hooks;
};

template <typename T>
Result<void> set_control(const std::string& name, T value) {
  if (int error = mallctl(name.c_str(), nullptr, nullptr, &value, sizeof(value)); error != 0) {
    return unsupported_error("jemalloc: " + name + ": error " + std::to_string(error));
  }
  return {};
}

class JemallocArena final : public RangeAllocator {
 public:
  JemallocArena(void* base, uint64_t segment_bytes, uint64_t budget_bytes)
      : base_(static_cast<uint8_t*>(base)), space_(segment_bytes), budget_bytes_(budget_bytes), hooks_{kHooks, this} {}

  ~JemallocArena() override {
    if (created_) {
      mallctl(control("destroy").c_str(), nullptr, nullptr, nullptr, 0);
    }
  }

  Result<void> create() {
    bool retain = true;
    size_t size = sizeof(retain);
    if (mallctl("opt.retain", &retain, &size, nullptr, 0) != 0 || retain) {
      return unsupported_error("jemalloc runs with opt.retain");
    }
    ArenaConfig config{&hooks_.table, false};
    size = sizeof(index_);
    if (mallctl("experimental.arenas_create_ext", &index_, &size, &config, sizeof(config)) != 0) {
      return unsupported_error("this jemalloc has no experimental.arenas_create_ext");
    }
    created_ = true;
    // Pages that are free stay as they are, for ever.
    SABIR_RETURN_IF_ERROR(set_control<ssize_t>(control("dirty_decay_ms"), -1));
    return set_control<ssize_t>(control("muzzy_decay_ms"), 0);
  }

  Result<uint64_t> allocate(uint64_t size_bytes, uint64_t alignment) override {
    SABIR_ASSIGN_OR_RETURN(RangeShape shape, shape_of(size_bytes, alignment, budget_bytes_));
    if (shape.size_bytes > budget_bytes_ - used_bytes_) {
      return over_budget_error(shape.size_bytes, used_bytes_, budget_bytes_);
    }
    std::optional<uint64_t> offset = take(shape);
    if (!offset) {
      // All that jemalloc has free comes back to space_, where neighbours become one: only then is it really full.
      mallctl(control("purge").c_str(), nullptr, nullptr, nullptr, 0);
      offset = take(shape);
    }
    if (!offset) {
      return no_range_error(shape.size_bytes, used_bytes_, budget_bytes_);
    }
    SABIR_CHECK(*offset % shape.alignment == 0, "offset=", *offset);
    sizes_.emplace(*offset, shape.size_bytes);
    used_bytes_ += shape.size_bytes;
    high_water_bytes_ = std::max(high_water_bytes_, *offset + shape.size_bytes);
    return *offset;
  }

  void free(uint64_t offset) override {
    auto range = sizes_.find(offset);
    SABIR_CHECK(range != sizes_.end(), "not allocated: offset=", offset);
    uint64_t size_bytes = range->second;
    sizes_.erase(range);
    used_bytes_ -= size_bytes;
    if (is_large(size_bytes)) {
      space_.give(offset, size_bytes);
    } else {
      dallocx(base_ + offset, MALLOCX_TCACHE_NONE);
    }
  }

  uint64_t used_bytes() const override { return used_bytes_; }
  uint64_t budget_bytes() const override { return budget_bytes_; }
  uint64_t high_water_bytes() const override { return high_water_bytes_; }
  const char* name() const override { return "jemalloc"; }

 private:
  // jemalloc hands the table back to each hook: the arena is found behind it.
  struct Hooks {
    extent_hooks_t table;
    JemallocArena* arena;
  };

  static bool is_large(uint64_t size_bytes) { return size_bytes >= shm::kOwnLoanBytes; }

  std::optional<uint64_t> take(const RangeShape& shape) {
    if (is_large(shape.size_bytes)) {
      return space_.take_preferring(shape.size_bytes, shape.preferred_alignment, shape.alignment);
    }
    void* range =
        mallocx(shape.size_bytes, MALLOCX_ARENA(index_) | MALLOCX_TCACHE_NONE | MALLOCX_ALIGN(shape.alignment));
    if (range == nullptr) {
      return std::nullopt;
    }
    return static_cast<uint64_t>(static_cast<uint8_t*>(range) - base_);
  }

  static JemallocArena& of(extent_hooks_t* table) { return *reinterpret_cast<Hooks*>(table)->arena; }

  static void* grow(extent_hooks_t* table, void* wanted, size_t size_bytes, size_t alignment, bool* zero, bool* commit,
                    unsigned /*arena*/) {
    JemallocArena& arena = of(table);
    if (*zero) {
      return nullptr;  // nobody asks for that; recycled pages are not zero
    }
    *commit = true;
    if (wanted != nullptr) {
      auto offset = static_cast<uint64_t>(static_cast<uint8_t*>(wanted) - arena.base_);
      return arena.space_.take_at(offset, size_bytes) ? wanted : nullptr;
    }
    std::optional<uint64_t> offset = arena.space_.take(size_bytes, alignment);
    return offset ? arena.base_ + *offset : nullptr;
  }

  // False: taken back. Nothing is unmapped.
  static bool shrink(extent_hooks_t* table, void* address, size_t size_bytes, bool /*committed*/, unsigned /*arena*/) {
    JemallocArena& arena = of(table);
    arena.space_.give(static_cast<uint64_t>(static_cast<uint8_t*>(address) - arena.base_), size_bytes);
    return false;
  }

  static bool split(extent_hooks_t*, void*, size_t, size_t, size_t, bool, unsigned) { return false; }
  static bool merge(extent_hooks_t*, void*, size_t, void*, size_t, bool, unsigned) { return false; }

  // In the order of extent_hooks_t. No commit, decommit or purge: pages are never given back.
  static constexpr extent_hooks_t kHooks = {grow, shrink, nullptr, nullptr, nullptr, nullptr, nullptr, split, merge};

  std::string control(const char* what) const { return "arena." + std::to_string(index_) + "." + what; }

  uint8_t* base_;
  RangeSet space_;  // what jemalloc does not have
  uint64_t budget_bytes_;
  Hooks hooks_;
  unsigned index_ = 0;
  bool created_ = false;
  std::unordered_map<uint64_t, uint64_t> sizes_;
  uint64_t used_bytes_ = 0;
  uint64_t high_water_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<RangeAllocator>> make_jemalloc_arena(void* base, uint64_t segment_bytes, uint64_t budget_bytes) {
  SABIR_CHECK(reinterpret_cast<uintptr_t>(base) % shm::kHugePageBytes == 0, "base=", base);
  auto arena = std::make_unique<JemallocArena>(base, segment_bytes, budget_bytes);
  SABIR_RETURN_IF_ERROR(arena->create());
  return std::unique_ptr<RangeAllocator>(std::move(arena));
}

}  // namespace sabir::store

#else  // sanitizers bring their own malloc

namespace sabir::store {

Result<std::unique_ptr<RangeAllocator>> make_jemalloc_arena(void*, uint64_t, uint64_t) {
  return unsupported_error("built without jemalloc");
}

}  // namespace sabir::store

#endif

namespace sabir::store {

std::unique_ptr<RangeAllocator> make_arena(void* base, uint64_t segment_bytes, uint64_t budget_bytes) {
  auto arena = make_jemalloc_arena(base, segment_bytes, budget_bytes);
  return arena.ok() ? std::move(arena).value() : make_first_fit_allocator(segment_bytes, budget_bytes);
}

}  // namespace sabir::store
