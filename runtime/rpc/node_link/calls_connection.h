// CallsConnection: Cap'n Proto RPC between two nodes, on the event loop.
#pragma once

#include <capnp/capability.h>
#include <capnp/rpc-twoparty.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/base/clock.h"
#include "runtime/loop/event_port.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/message_guard.h"
#include "runtime/rpc/node_link/dial.h"
#include "runtime/rpc/node_link/keep_alive.h"
#include "runtime/rpc/node_link/wire_stream.h"
#include "schema/node_link.capnp.h"

namespace sabir::node_link {

struct CallsOptions {
  uint64_t max_message_bytes = 64u << 20;
  // The calls of the peer in progress together; the one that goes beyond is still read.
  uint64_t max_call_bytes = 8u << 20;
  uint32_t max_open_questions = 4096;
  KeepAliveOptions keep_alive;
};

// Belongs to the loop's thread. Both sides serve and call. Goes before the loops, and not from inside a KJ promise of
// its own.
class CallsConnection {
 public:
  // `service` is what the peer may call. `on_end` is called once, from the loop, when the connection is over; it may
  // destroy this object. `dialed`: this side opened the connection.
  CallsConnection(loop::EventLoop& loop, loop::KjLoop& kj_loop, Established established, bool dialed,
                  capnp::Capability::Client service, rpc::MemoryBudget* budget, CallsOptions options,
                  std::function<void(Failure)> on_end);
  // Calls in progress fail as disconnected.
  ~CallsConnection() noexcept(false);
  KJ_DISALLOW_COPY(CallsConnection);

  // What the peer serves; calls on it may begin at once.
  capnp::Capability::Client& peer_service() { return peer_service_; }
  const NodeKey& peer() const { return peer_; }

  // From now on no message of the peer is heard, and calls to it fail as disconnected. on_end is not called any more.
  void cut();
  // Whether it has ended already, although on_end is still to come.
  bool over() const { return stream_.over(); }

 private:
  void look();
  void look_later();
  void end(Failure failure);

  NodeKey peer_;
  SteadyClock clock_;
  WireStream stream_;
  rpc::GuardedMessageStream messages_;
  capnp::TwoPartyVatNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc_;
  schema::NodePeer::Client peer_node_;
  capnp::Capability::Client peer_service_;
  KeepAlive keep_alive_;
  loop::Timer look_timer_;
  std::function<void(Failure)> on_end_;
  Failure failure_;
  loop::Timer end_timer_;  // calls on_end_ outside of KJ's promises
  kj::Maybe<kj::Promise<void>> ping_;
  kj::Promise<void> gone_;
};

}  // namespace sabir::node_link
