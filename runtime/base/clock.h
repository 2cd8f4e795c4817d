// Time comes in by constructor, so that a test decides what time it is.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/base/check.h"

namespace sabir {

inline constexpr int64_t kMicrosecondNs = 1'000;
inline constexpr int64_t kMillisecondNs = 1'000'000;
inline constexpr int64_t kSecondNs = 1'000'000'000;

// Steady: never goes back, unrelated to the calendar, the same in all processes of a machine.
// Every method may be called by any thread.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual int64_t now_ns() const = 0;
};

// CLOCK_MONOTONIC.
class SteadyClock final : public Clock {
 public:
  int64_t now_ns() const override;
};

// Stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_ns = kSecondNs) : now_ns_(now_ns) {}

  int64_t now_ns() const override { return now_ns_.load(std::memory_order_acquire); }

  void advance_ns(int64_t duration_ns) {
    SABIR_CHECK(duration_ns >= 0, "duration_ns=", duration_ns);
    now_ns_.fetch_add(duration_ns, std::memory_order_acq_rel);
  }

 private:
  std::atomic<int64_t> now_ns_;
};

}  // namespace sabir
