// Login: a connection that came in, from its first byte to our answer to its hello.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/loop/event_loop.h"
#include "runtime/rpc/node_link/dial.h"
#include "runtime/rpc/node_link/gatekeeper.h"
#include "runtime/rpc/node_link/login_io.h"
#include "runtime/rpc/node_link/tls.h"

namespace sabir::node_link {

// Who the links belong to.
class PortHandler {
 public:
  virtual ~PortHandler() = default;
  // A peer that may come in. What it is refused with; kNone: its connection is the handler's to take next. Between the
  // two the peer may still be lost.
  virtual Failure on_offer(const NodeKey& peer, Lane lane, bool joiner) = 0;
  virtual void on_accepted(Established established) = 0;
};

// What all logins of a port share; it all outlives them.
struct LoginContext {
  loop::EventLoop& loop;
  const TlsContext* tls;  // null: plain TCP
  const LocalNode& local;
  const Members& members;
  const TokenBook& tokens;
  const Clock& clock;  // of the tokens' ends
  PortHandler& handler;
};

// Calls back once, from the loop. With a kNone the connection has gone to the handler; else the peer knows why, if
// there was a way to tell it. Destroying it, also from inside the callback, closes the connection.
class Login {
 public:
  Login(const LoginContext& context, UniqueFd socket, int64_t timeout_ns, std::function<void(Failure)> on_done);
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  const SocketAddress& address() const { return address_; }

 private:
  void on_hello(Failure failure, const std::string& message);
  Failure judge(const std::string& message);
  void welcome();
  void refuse(Failure failure);
  void send_and_finish(std::string bytes);
  void end(Failure failure);

  LoginContext context_;
  std::function<void(Failure)> on_done_;
  SocketAddress address_;
  LoginIo io_;
  Hello hello_;
  Verdict verdict_;
  Failure refused_;
};

}  // namespace sabir::node_link
