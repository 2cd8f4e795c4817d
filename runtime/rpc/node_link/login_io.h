// LoginIo: a wire's handshake and its first frames, on the event loop and within one deadline. What dialers and
// acceptors have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/node_link/hello.h"
#include "runtime/rpc/node_link/refusal.h"
#include "runtime/rpc/node_link/wire.h"

namespace sabir::node_link {

// One step at a time; each calls back once, from the loop and never from inside the call that started it. The callback
// may start the next step, or destroy this object. After the deadline every step fails with kTimeout. Reads not a byte
// behind a frame.
class LoginIo {
 public:
  using Done = std::function<void(Failure)>;
  using Received = std::function<void(Failure, std::string message)>;

  LoginIo(loop::EventLoop& loop, int64_t timeout_ns);
  LoginIo(const LoginIo&) = delete;
  LoginIo& operator=(const LoginIo&) = delete;

  // The socket that the next steps work on.
  void use(std::unique_ptr<Wire> wire);
  Wire& wire() { return *wire_; }
  // Lets go of the socket, for whoever has it next.
  std::unique_ptr<Wire> take_wire();

  void when_ready(uint32_t interest, Done done);  // loop::kReadable or kWritable
  void handshake(Done done);
  void send(std::string bytes, Done done);
  // The message of one frame. A prefix that no login frame has is kMalformed, and starts with the four bytes as
  // `message`.
  void receive(Received received);
  // Ends the writing and waits for the peer to end, or for the deadline, so that what was sent last is not lost.
  void finish(Done done);

 private:
  enum class Step : uint8_t { kNone, kReady, kHandshake, kSend, kReceive, kFinish };

  void start(Step step, Done done);
  void advance();
  IoResult work();
  void end(Failure failure);
  Failure failure_of(const IoResult& result);

  loop::EventLoop& loop_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<loop::FdWatcher> watcher_;  // of the wire's socket
  loop::Timer deadline_;
  loop::Timer next_round_;
  bool late_ = false;
  Step step_ = Step::kNone;
  uint32_t interest_ = 0;
  Done done_;
  std::string buffer_;
  size_t done_bytes_ = 0;
  uint64_t dropped_bytes_ = 0;
};

}  // namespace sabir::node_link
