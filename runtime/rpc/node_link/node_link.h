// NodeLink: this node's connections to one other node: one for calls, one for objects, opened when they are needed.
#pragma once

#include <kj/async.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/loop/event_port.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/node_link/bulk_connection.h"
#include "runtime/rpc/node_link/calls_connection.h"
#include "runtime/rpc/node_link/dial.h"
#include "runtime/rpc/node_link/link_machine.h"
#include "runtime/rpc/node_link/login.h"

namespace sabir::node_link {

// Whom a link leads to. One life of a node: an incarnation that is known.
struct PeerTarget {
  NodeKey node;
  HostPort address;
  std::optional<Fingerprint> fingerprint;  // none without TLS
};

struct NodeLinkOptions {
  LinkOptions link;
  DialOptions dial;
  CallsOptions calls;
  BulkOptions bulk;
};

// What a node does for its links. Called on the loop's thread.
class LinkHooks {
 public:
  virtual ~LinkHooks() = default;
  // What a member of the cluster may call here.
  virtual capnp::Capability::Client service_for(const NodeKey& peer) = 0;
  // What a node that joins may call, and nothing else: to become a member.
  virtual capnp::Capability::Client service_for_joiner(const Established& joiner) = 0;
  // Where a member of the cluster is and what its certificate is; none: it is not known (yet).
  virtual std::optional<PeerTarget> target_of(const NodeKey& peer) = 0;
  // A lane came up, went down or closed for good. A connection that takes the place of another is told as both.
  virtual void on_lane(const NodeKey& peer, Lane lane, LinkState state, const Failure& why) = 0;
};

// What all links of a node share; it all outlives them.
struct LinkContext {
  loop::EventLoop& loop;
  loop::KjLoop& kj_loop;
  const TlsContext* tls;  // null: plain TCP
  const LocalNode& local;
  LinkHooks& hooks;
  Logger logger;
  rpc::MemoryBudget* budget = nullptr;  // for messages of all links; null: unbounded
};

// Belongs to the loop's thread, and goes before the loops; not from inside a hook or a promise of its own.
class NodeLink {
 public:
  NodeLink(const LinkContext& context, PeerTarget peer, NodeLinkOptions options);
  ~NodeLink() noexcept(false);
  KJ_DISALLOW_COPY(NodeLink);

  const PeerTarget& peer() const { return peer_; }
  LinkState state(Lane lane) const { return lane_of(lane).machine.state(); }
  // Of the last failure; of the end, once closed.
  const Failure& why(Lane lane) const { return lane_of(lane).machine.why(); }

  // What the peer serves, as soon as the lane is up. Fails (disconnected) when the lane closes for good; waits through
  // every other trouble, so callers have deadlines. Calls fail as disconnected when the connection is lost.
  kj::Promise<capnp::Capability::Client> calls();
  // As calls(). Any thread may use it; whoever holds it for longer than the lane is up finds it over.
  kj::Promise<std::shared_ptr<BulkConnection>> bulk();

  // From the port: a hello of the peer, and its connection.
  Failure offer(const NodeKey& peer, Lane lane) const { return lane_of(lane).machine.offer(peer.incarnation); }
  void accept(Established established);

  // The connection that is up goes, as if it had been lost; nothing if there is none. The lane comes back as after any
  // loss.
  void end(Lane lane, const std::string& why);
  // For good; `why` is what the peer's hellos are refused with. A fence says kFenced.
  void close(const Failure& why);

 private:
  struct LaneState {
    LaneState(NodeLink& link, Lane lane, uint64_t seed);

    Lane lane;
    LinkMachine machine;
    std::unique_ptr<Dial> dial;
    loop::Timer wake;
    kj::Own<CallsConnection> calls;
    std::shared_ptr<BulkConnection> bulk;
    uint64_t connection = 0;  // number of the one that is up
    std::vector<kj::Own<kj::PromiseFulfiller<void>>> waiting;
  };

  LaneState& lane_of(Lane lane) { return lane == Lane::kCalls ? calls_ : bulk_; }
  const LaneState& lane_of(Lane lane) const { return lane == Lane::kCalls ? calls_ : bulk_; }
  kj::Promise<void> when_up(LaneState& lane);
  void perform(LaneState& lane, const LinkActions& actions);
  void start_dial(LaneState& lane);
  void on_dialed(LaneState& lane, const Failure& failure, Established established);
  void attach(LaneState& lane, Established established, bool dialed);
  void drop(LaneState& lane);
  void end_bulk();
  void on_lost(LaneState& lane, uint64_t connection, const Failure& failure);
  void after_event(LaneState& lane, LinkState before);
  void tell(const LaneState& lane, LinkState state, const Failure& why);

  LinkContext context_;
  PeerTarget peer_;
  NodeLinkOptions options_;
  SteadyClock clock_;
  // Ended connections, until no code of theirs runs any more.
  std::vector<kj::Own<CallsConnection>> ended_;
  std::vector<std::shared_ptr<BulkConnection>> ended_bulk_;
  loop::Timer sweep_;
  uint64_t next_connection_ = 1;
  // Null once this is gone: what threads post afterwards finds nothing.
  std::shared_ptr<NodeLink*> self_;
  LaneState calls_;
  LaneState bulk_;
};

}  // namespace sabir::node_link
