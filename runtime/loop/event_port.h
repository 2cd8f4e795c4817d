// Where libuv and KJ meet: KJ's event loop runs on libuv's. The only file that includes both is event_port.cc.
#pragma once

#include <kj/async.h>

#include <memory>

#include "runtime/loop/event_loop.h"
#include "runtime/loop/socket_stream.h"

namespace sabir::loop {

// Two ways of running are possible, also in turns. libuv drives (EventLoop::run): KJ's events run in bounded batches
// between libuv's phases, and libuv does not sleep while one is left. Or KJ drives (promise.wait()): each wait is a
// round of libuv. All methods but wake() belong to the loop's thread.
class UvEventPort final : public kj::EventPort {
 public:
  explicit UvEventPort(EventLoop& loop);
  ~UvEventPort() noexcept(false);
  KJ_DISALLOW_COPY(UvEventPort);

  // Which loop to run when libuv drives; null: none any more.
  void drive(kj::EventLoop* kj_loop, kj::WaitScope* scope);

  bool wait() override;
  bool poll() override;
  void wake() const override;

 private:
  struct State;
  State* state_;  // lives until libuv has let go of its handles
};

// KJ on a libuv loop, complete. Makes its KJ loop current for the thread while it lives.
class KjLoop {
 public:
  explicit KjLoop(EventLoop& loop);
  ~KjLoop() noexcept(false);
  KJ_DISALLOW_COPY(KjLoop);

  kj::WaitScope& wait_scope() { return scope_; }
  kj::Own<Readiness> watch(int fd);
  // Owns `socket`, a connected stream socket.
  kj::Own<SocketStream> stream(UniqueFd socket);
  // Done after delay_ns of steady time.
  kj::Promise<void> delay(int64_t delay_ns);

 private:
  EventLoop& loop_;
  UvEventPort port_;
  kj::EventLoop kj_loop_;
  kj::WaitScope scope_;
};

}  // namespace sabir::loop
