// Reaps children that nobody waits for: sabird is a child subreaper, so what a dead worker leaves behind, and what a
// zygote's double fork leaves for it, becomes its child.
#pragma once

#include <sys/types.h>

#include <functional>

#include "runtime/loop/event_loop.h"
#include "runtime/loop/signals.h"
#include "runtime/loop/timer.h"

namespace sabir::node {

class Reaper {
 public:
  // `known`: somebody else waits for this child (by its pidfd). `reaped`: it was nobody's.
  Reaper(loop::EventLoop& loop, std::function<bool(pid_t)> known, std::function<void(pid_t, int status)> reaped);

 private:
  void sweep();

  std::function<bool(pid_t)> known_;
  std::function<void(pid_t, int)> reaped_;
  loop::Timer again_;
  loop::Signals signals_;
};

// Kills and reaps every child of this process, and theirs as they become ours, until none is left or the time is over.
// True: none is left.
bool kill_all_children(int64_t timeout_ns);

}  // namespace sabir::node
