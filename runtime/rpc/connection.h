// Connection: one process at sabird, from its hello to its end.
#pragma once

#include <capnp/rpc-twoparty.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/log.h"
#include "runtime/loop/event_port.h"
#include "runtime/rpc/message_guard.h"
#include "runtime/rpc/notices.h"
#include "runtime/rpc/session_server.h"

namespace sabir::rpc {

// What all connections of a server share.
struct ConnectionContext {
  loop::KjLoop& kj_loop;
  SessionHandler& handler;
  const Logger& logger;
  const SessionServerOptions& options;
  MemoryBudget& budget;
};

// After a hello that the handler accepted, the handler hears of the end exactly once: when this object goes.
class Connection {
 public:
  Connection(const ConnectionContext& context, UniqueFd socket, PeerCredentials peer);
  ~Connection() noexcept(false);
  KJ_DISALLOW_COPY(Connection);

  // Done when the connection is over, in whatever way; does not fail.
  kj::Promise<void> run();

 private:
  kj::Promise<void> read_hello();
  kj::Promise<void> answer_hello(std::string_view message);
  kj::Promise<void> welcome(HelloKind kind, WelcomeInfo welcome);
  kj::Promise<void> refuse(const Error& error);
  kj::Promise<void> serve();
  void log_end(std::string_view why);

  ConnectionContext context_;
  PeerCredentials peer_;  // its pidfd goes to the handler
  kj::Own<loop::SocketStream> stream_;
  kj::ForkedPromise<void> closed_;
  std::shared_ptr<Notices> notices_;
  ProcessKey process_;
  bool observer_ = false;
  bool joined_ = false;    // the handler has given it a slot
  bool welcomed_ = false;  // and the process knows
  GuardedMessageStream messages_;
  // Over messages_; the RPC system goes first.
  kj::Maybe<kj::Own<capnp::TwoPartyVatNetwork>> network_;
  kj::Maybe<capnp::RpcSystem<capnp::rpc::twoparty::VatId>> rpc_;
};

}  // namespace sabir::rpc
