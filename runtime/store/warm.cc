#include "runtime/store/warm.h"

#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/shm/limits.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace sabir::store {
namespace {

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) & ~(unit - 1); }

// The first number in a file; nothing if there is none ("max").
std::optional<uint64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  uint64_t number = 0;
  return file >> number ? std::optional<uint64_t>(number) : std::nullopt;
}

// Every group above ours may have a limit of its own.
void apply_cgroup_limits(MemoryState& state) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line) && line.rfind("0::", 0) != 0) {
  }
  if (line.rfind("0::", 0) != 0) {
    return;
  }
  std::string group = line.substr(3);
  while (true) {
    std::string folder = "/sys/fs/cgroup" + (group == "/" ? std::string() : group);
    std::optional<uint64_t> limit = read_number(folder + "/memory.max");
    std::optional<uint64_t> used = read_number(folder + "/memory.current");
    if (limit && used) {
      state.total_bytes = std::min(state.total_bytes, *limit);
      state.available_bytes = std::min(state.available_bytes, *limit - std::min(*limit, *used));
    }
    if (group.empty() || group == "/") {
      return;
    }
    group.resize(group.rfind('/'));
  }
}

}  // namespace

std::optional<MemoryState> read_memory_state() {
  std::ifstream file("/proc/meminfo");
  MemoryState state;
  std::string name;
  std::string unit;
  uint64_t kib = 0;
  while (file >> name >> kib && std::getline(file, unit)) {
    if (name == "MemTotal:") {
      state.total_bytes = kib << 10;
    } else if (name == "MemAvailable:") {
      state.available_bytes = kib << 10;
    }
  }
  if (state.total_bytes == 0 || state.available_bytes == 0) {
    return std::nullopt;
  }
  apply_cgroup_limits(state);
  return state;
}

Warmer::Warmer(uint8_t* base, uint64_t limit_bytes, const Clock& clock, Options options)
    : base_(base), limit_bytes_(limit_bytes), clock_(clock), options_(std::move(options)) {
  SABIR_CHECK(reinterpret_cast<uintptr_t>(base) % shm::kHugePageBytes == 0, "base=", static_cast<void*>(base));
  SABIR_CHECK(options_.slice_bytes > 0);
}

Warmer::Warmer(uint8_t* base, uint64_t limit_bytes, const Clock& clock) : Warmer(base, limit_bytes, clock, Options()) {}

const char* Warmer::name_of(Method method) {
  switch (method) {
    case Method::kUndecided:
      return "undecided";
    case Method::kCollapse:
      return "huge pages";
    case Method::kPopulate:
      return "small pages";
    case Method::kOff:
      return "off";
  }
  return "?";
}

void Warmer::demand(uint64_t high_water_bytes) {
  if (high_water_bytes > 0) {
    uint64_t target_bytes = high_water_bytes + std::max(options_.ahead_bytes, high_water_bytes);
    target_bytes_ = std::max(target_bytes_, std::min(limit_bytes_, round_up(target_bytes, shm::kHugePageBytes)));
  }
}

Warmer::Step Warmer::step() {
  Step step;
  if (!wants_step() || memory_is_short()) {
    return step;
  }
  uint64_t slice_bytes = round_up(options_.slice_bytes, shm::kHugePageBytes);
  uint64_t size_bytes = std::min(slice_bytes, target_bytes_ - warm_bytes_);
  int64_t start_ns = clock_.now_ns();
  bool compare = method_ == Method::kUndecided && collapse_ns_ != 0;
  bool collapsed = method_ != Method::kPopulate && !compare && collapse(warm_bytes_, size_bytes);
  bool populated = !collapsed && populate(warm_bytes_, size_bytes);
  step.took_ns = clock_.now_ns() - start_ns;
  if (!collapsed && !populated) {
    method_ = Method::kOff;  // no memory: whoever writes there will find out
    return step;
  }
  if (method_ == Method::kUndecided && size_bytes == slice_bytes) {
    // Huge pages pay later too, at each new mapping and in the reader's first touch: they may cost several times more.
    // (And one slice is a noisy measure: on a busy machine either may have been interrupted.)
    constexpr int64_t kWorthFactor = 10;
    if (compare) {
      method_ =
          collapse_ns_ > kWorthFactor * std::max<int64_t>(step.took_ns, 1) ? Method::kPopulate : Method::kCollapse;
    } else if (collapsed) {
      collapse_ns_ = std::max<int64_t>(step.took_ns, 1);
    } else {
      method_ = Method::kPopulate;
    }
  }
  warm_bytes_ += size_bytes;
  step.warmed_bytes = size_bytes;
  step.more = wants_step();
  return step;
}

bool Warmer::memory_is_short() const {
  std::optional<MemoryState> state = options_.memory();
  return state && state->available_bytes < state->total_bytes / 4;
}

// A unit that is a pure hole cannot be collapsed: one page of each comes first. Touched by madvise, not by hand: when
// there is no memory that fails where a load would end the process.
bool Warmer::collapse(uint64_t offset, uint64_t size_bytes) {
  for (uint64_t unit = offset; unit < offset + size_bytes; unit += shm::kHugePageBytes) {
    if (!populate(unit, shm::kPageBytes)) {
      return false;
    }
    uint64_t unit_bytes = std::min<uint64_t>(shm::kHugePageBytes, limit_bytes_ - unit);
    if (::madvise(base_ + unit, unit_bytes, MADV_COLLAPSE) != 0) {
      return false;
    }
  }
  return true;
}

bool Warmer::populate(uint64_t offset, uint64_t size_bytes) {
  return ::madvise(base_ + offset, size_bytes, MADV_POPULATE_WRITE) == 0;
}

}  // namespace sabir::store
