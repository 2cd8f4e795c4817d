// Timer: calls back on the loop's thread, once or again and again.
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/loop/event_loop.h"

namespace sabir::loop {

// Steady time; delays are rounded up to whole milliseconds and never fire early. Not active at first. Destroying it,
// also from inside its callback, stops it.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Each start replaces what was set before. Negative counts as 0: the next round.
  void start_once(int64_t delay_ns);
  // First after one interval. Rounds that the loop was too busy for are not made up.
  void start_periodic(int64_t interval_ns);
  void stop();
  bool active() const;

 private:
  struct State;
  State* state_;  // lives until libuv has let go of its handle
};

}  // namespace sabir::loop
