// When sabird looks at the shared words (L3): whenever its doorbell rings, and every few ms while anything goes on.
// While it looks by a timer nobody needs to ring it (`watching`); when all is quiet there is no timer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/shm/segment.h"

namespace sabir::node {

class Look {
 public:
  struct Options {
    int64_t period_ns = 5 * kMillisecondNs;
    int64_t quiet_ns = 100 * kMillisecondNs;  // so long nothing must go on before the timer stops
  };
  // `once` looks at everything and says whether anything goes on.
  static Result<std::unique_ptr<Look>> create(loop::EventLoop& loop, const Clock& clock, shm::NodeHeader& header,
                                              Options options, std::function<bool()> once);

  void now();
  int bell_fd() const { return bell_.get(); }
  bool watching() const { return timer_.active(); }
  uint64_t count() const { return count_; }

 private:
  Look(loop::EventLoop& loop, const Clock& clock, shm::NodeHeader& header, Options options, std::function<bool()> once,
       UniqueFd bell);
  bool look();
  void watch(bool on);

  const Clock& clock_;
  shm::NodeHeader& header_;
  const Options options_;
  std::function<bool()> once_;
  UniqueFd bell_;
  std::unique_ptr<loop::FdWatcher> bell_watcher_;
  loop::Timer timer_;
  int64_t busy_at_ns_ = 0;
  uint64_t count_ = 0;
};

}  // namespace sabir::node
