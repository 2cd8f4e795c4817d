// PollPort: a KJ event loop for a thread that serves a few descriptors: poll(2) and nothing else.
//
// For the control thread inside a user's process. KJ's own port would do, but it changes what SIGPIPE and SIGUSR1 mean
// in the whole process, which is not a library's business.
#pragma once

#include <kj/async.h>

#include <functional>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/loop/socket_stream.h"

namespace sabir::loop {

// Belongs to its thread, except wake().
class PollPort final : public kj::EventPort {
 public:
  // `on_wake` runs on the thread after each wake(), before the thread sleeps again; several wakes may be one call. It
  // may fulfil promises and start new ones.
  explicit PollPort(std::function<void()> on_wake);
  ~PollPort() noexcept(false);
  KJ_DISALLOW_COPY(PollPort);

  // Gone before the port is.
  kj::Own<Readiness> watch(int fd);

  bool wait() override;
  bool poll() override;
  void wake() const override;

 private:
  class Watch;
  bool look(int timeout_ms);

  UniqueFd wake_fd_;
  std::function<void()> on_wake_;
  std::vector<Watch*> watches_;
};

}  // namespace sabir::loop
