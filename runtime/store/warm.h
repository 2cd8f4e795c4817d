// Makes the segment's pages resident ahead of use, in slices short enough for an event loop (design.md section 4).
// First touch of a fresh page costs ten times the copy into a warm one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "runtime/base/clock.h"

namespace sabir::store {

struct MemoryState {
  uint64_t available_bytes = 0;
  uint64_t total_bytes = 0;
};
// /proc/meminfo and the cgroup's limit, whichever is tighter. Nothing: cannot be known.
std::optional<MemoryState> read_memory_state();

// For sabird's loop: call step() when idle while wants_step().
class Warmer {
 public:
  struct Options {
    uint64_t slice_bytes = 4 << 20;  // about 5 ms
    // Warm this far beyond the highest range in use; or as far again as that, if it is more.
    uint64_t ahead_bytes = 64 << 20;
    // Nothing is warmed while less than a quarter of the memory is available.
    std::function<std::optional<MemoryState>()> memory = read_memory_state;
  };
  // kUndecided: the first slice is collapsed and the second populated, then the better way is known.
  enum class Method : uint8_t { kUndecided, kCollapse, kPopulate, kOff };
  static const char* name_of(Method method);
  struct Step {
    uint64_t warmed_bytes = 0;
    int64_t took_ns = 0;
    bool more = false;  // call again when idle; else not before the next demand() (or a second later: memory was short)
  };

  // `base`: the segment, mapped read-write, aligned to 2 MiB. Never warms beyond `limit_bytes`.
  Warmer(uint8_t* base, uint64_t limit_bytes, const Clock& clock, Options options);
  Warmer(uint8_t* base, uint64_t limit_bytes, const Clock& clock);

  // The store's high water has moved. A store that nobody uses stays cold and costs nothing: nothing is warmed before
  // the first call.
  void demand(uint64_t high_water_bytes);
  bool wants_step() const { return warm_bytes_ < target_bytes_ && method_ != Method::kOff; }
  Step step();

  // [0, warm_bytes) has been through step().
  uint64_t warm_bytes() const { return warm_bytes_; }
  Method method() const { return method_; }

 private:
  bool memory_is_short() const;
  bool collapse(uint64_t offset, uint64_t size_bytes);
  bool populate(uint64_t offset, uint64_t size_bytes);

  uint8_t* base_;
  uint64_t limit_bytes_;
  const Clock& clock_;
  Options options_;
  Method method_ = Method::kUndecided;
  uint64_t warm_bytes_ = 0;
  uint64_t target_bytes_ = 0;
  int64_t collapse_ns_ = 0;  // of the first full slice: what populating is compared with
};

}  // namespace sabir::store
