// Signals: delivers signals as callbacks on the loop's thread.
#pragma once

#include <functional>
#include <vector>

#include "runtime/loop/event_loop.h"

namespace sabir::loop {

// While it lives these signals of the process come here and have no other effect; afterwards they have their default
// effect again. Several of one kind may arrive as one (so for SIGCHLD: reap until there is nothing left). The signals
// must not be blocked in all threads.
class Signals {
 public:
  Signals(EventLoop& loop, const std::vector<int>& numbers, const std::function<void(int number)>& on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct State;
  std::vector<State*> states_;
};

}  // namespace sabir::loop
