// The log file of one of sabird's processes: it and one older file (PATH.1) have a bound each.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/timer.h"

namespace sabir::daemon {

// On the loop's thread; whoever writes to fd() may be on others.
class BoundedLog {
 public:
  static constexpr off_t kMaxBytes = 16 << 20;

  // Must end before the loop.
  static Result<std::unique_ptr<BoundedLog>> open(loop::EventLoop& loop, std::string path, off_t max_bytes = kMaxBytes);

  // The same number as long as this lives, whatever file it is.
  int fd() const { return file_.get(); }
  // Looked at now and then: a file may become larger than its bound by what is written meanwhile.
  void look();

 private:
  BoundedLog(loop::EventLoop& loop, std::string path, off_t max_bytes, UniqueFd file);

  const std::string path_;
  const off_t max_bytes_;
  UniqueFd file_;
  loop::Timer timer_;
};

}  // namespace sabir::daemon
