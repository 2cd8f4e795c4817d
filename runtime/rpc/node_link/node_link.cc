#include "runtime/rpc/node_link/node_link.h"

#include <kj/debug.h>
#include <string.h>

#include <utility>

namespace sabir::node_link {

namespace {

uint64_t random_seed() {
  IdBits bits = IdBits::random();
  uint64_t seed = 0;
  memcpy(&seed, bits.bytes.data(), sizeof(seed));
  return seed;
}

kj::Exception exception_of(const Failure& failure) {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::str("no link: ", failure.error().message().c_str()));
}

const char* name_of(Lane lane) { return lane == Lane::kCalls ? "calls" : "bulk"; }

}  // namespace

NodeLink::LaneState::LaneState(NodeLink& link, Lane lane, uint64_t seed)
    : lane(lane),
      machine(link.clock_, seed, link.context_.local.node.id, link.peer_.node, link.options_.link),
      wake(link.context_.loop, [&link, this] {
        LinkState before = machine.state();
        link.perform(*this, machine.tick());
        link.after_event(*this, before);
      }) {}

NodeLink::NodeLink(const LinkContext& context, PeerTarget peer, NodeLinkOptions options)
    : context_(context),
      peer_(std::move(peer)),
      options_(options),
      sweep_(context.loop,
             [this] {
               ended_.clear();
               end_bulk();
             }),
      self_(std::make_shared<NodeLink*>(this)),
      calls_(*this, Lane::kCalls, random_seed()),
      bulk_(*this, Lane::kBulk, random_seed()) {}

NodeLink::~NodeLink() noexcept(false) {
  *self_ = nullptr;
  drop(bulk_);
  end_bulk();
  for (LaneState* lane : {&calls_, &bulk_}) {
    for (auto& fulfiller : lane->waiting) {
      fulfiller->reject(exception_of({Refusal::kClosing, "this node let go of it"}));
    }
  }
}

kj::Promise<void> NodeLink::when_up(LaneState& lane) {
  if ((lane.calls.get() != nullptr && lane.calls->over()) || (lane.bulk != nullptr && lane.bulk->is_over())) {
    // Whoever calls again because something has just failed is not to get the same connection.
    on_lost(lane, lane.connection, {Refusal::kUnreachable, "the connection ended"});
  }
  LinkState before = lane.machine.state();
  if (before == LinkState::kClosed) {
    return exception_of(lane.machine.why());
  }
  perform(lane, lane.machine.want());
  after_event(lane, before);
  if (lane.machine.state() == LinkState::kUp) {
    return kj::READY_NOW;
  }
  auto pair = kj::newPromiseAndFulfiller<void>();
  // Those who gave up waiting make room for those who come.
  std::erase_if(lane.waiting, [](auto& fulfiller) { return !fulfiller->isWaiting(); });
  lane.waiting.push_back(kj::mv(pair.fulfiller));
  return kj::mv(pair.promise);
}

kj::Promise<capnp::Capability::Client> NodeLink::calls() {
  return when_up(calls_).then([self = self_]() -> kj::Promise<capnp::Capability::Client> {
    // Between the fulfilment and here the connection may have gone again.
    if (*self == nullptr || (*self)->calls_.calls.get() == nullptr) {
      return exception_of({Refusal::kUnreachable, "lost again"});
    }
    return (*self)->calls_.calls->peer_service();
  });
}

kj::Promise<std::shared_ptr<BulkConnection>> NodeLink::bulk() {
  return when_up(bulk_).then([self = self_]() -> kj::Promise<std::shared_ptr<BulkConnection>> {
    if (*self == nullptr || (*self)->bulk_.bulk == nullptr) {
      return exception_of({Refusal::kUnreachable, "lost again"});
    }
    return (*self)->bulk_.bulk;
  });
}

void NodeLink::accept(Established established) {
  LaneState& lane = lane_of(established.lane);
  LinkState before = lane.machine.state();
  LinkActions actions = lane.machine.accepted();
  perform(lane, actions);
  if (actions.drop_connection) {
    // What it carried is lost: whoever relies on that must hear it before anything of the new one.
    before = LinkState::kIdle;
    tell(lane, before, {Refusal::kUnreachable, "the peer has opened another connection"});
  }
  if (lane.machine.state() == LinkState::kUp) {
    attach(lane, std::move(established), false);
  }
  after_event(lane, before);
}

void NodeLink::end(Lane lane, const std::string& why) {
  LaneState& state = lane_of(lane);
  if (state.connection != 0) {
    on_lost(state, state.connection, {Refusal::kUnreachable, why});
  }
}

void NodeLink::close(const Failure& why) {
  for (LaneState* lane : {&calls_, &bulk_}) {
    LinkState before = lane->machine.state();
    perform(*lane, lane->machine.close(why));
    after_event(*lane, before);
  }
}

void NodeLink::perform(LaneState& lane, const LinkActions& actions) {
  if (actions.drop_dial) {
    lane.dial.reset();
  }
  if (actions.drop_connection) {
    drop(lane);
  }
  if (actions.dial) {
    start_dial(lane);
  }
}

void NodeLink::start_dial(LaneState& lane) {
  Hello hello{.min_version = context_.local.min_version,
              .max_version = context_.local.max_version,
              .release = context_.local.release,
              .node = context_.local.node,
              .cluster = context_.local.cluster,
              .lane = lane.lane,
              .expected = peer_.node};
  DialTarget target{peer_.address, context_.tls, peer_.fingerprint};
  lane.dial = std::make_unique<Dial>(context_.loop, std::move(target), std::move(hello), options_.dial,
                                     [this, &lane](const Failure& failure, Established established) {
                                       on_dialed(lane, failure, std::move(established));
                                     });
}

void NodeLink::on_dialed(LaneState& lane, const Failure& failure, Established established) {
  std::unique_ptr<Dial> ended = std::move(lane.dial);
  LinkState before = lane.machine.state();
  perform(lane, lane.machine.dial_ended(failure));
  if (lane.machine.state() == LinkState::kUp && failure.refusal == Refusal::kNone) {
    attach(lane, std::move(established), true);
  }
  after_event(lane, before);
}

void NodeLink::attach(LaneState& lane, Established established, bool dialed) {
  uint64_t connection = lane.connection = next_connection_++;
  if (lane.lane == Lane::kCalls) {
    lane.calls = kj::heap<CallsConnection>(
        context_.loop, context_.kj_loop, std::move(established), dialed, context_.hooks.service_for(peer_.node),
        context_.budget, options_.calls,
        [this, &lane, connection](const Failure& failure) { on_lost(lane, connection, failure); });
    return;
  }
  lane.bulk = std::make_shared<BulkConnection>(
      std::move(established.wire), options_.bulk,
      [&loop = context_.loop, self = self_, connection](const Error& error) {
        loop.post([self, connection, message = error.message()] {
          if (*self != nullptr) {
            (*self)->on_lost((*self)->bulk_, connection, {Refusal::kUnreachable, message});
          }
        });
      });
}

void NodeLink::drop(LaneState& lane) {
  lane.connection = 0;
  if (lane.calls.get() != nullptr) {
    lane.calls->cut();
    ended_.push_back(kj::mv(lane.calls));
  }
  if (lane.bulk != nullptr) {
    ended_bulk_.push_back(std::move(lane.bulk));
  }
  sweep_.start_once(0);
}

// Others may hold it for longer, so it is not enough to let go of it.
void NodeLink::end_bulk() {
  for (auto& bulk : std::exchange(ended_bulk_, {})) {
    bulk->shut_down();
  }
}

void NodeLink::on_lost(LaneState& lane, uint64_t connection, const Failure& failure) {
  if (lane.connection != connection) {
    return;  // replaced meanwhile
  }
  drop(lane);
  LinkState before = lane.machine.state();
  perform(lane, lane.machine.lost(failure));
  after_event(lane, before);
}

void NodeLink::after_event(LaneState& lane, LinkState before) {
  LinkState now = lane.machine.state();
  if (auto wake_at_ns = lane.machine.wake_at_ns()) {
    lane.wake.start_once(*wake_at_ns - clock_.now_ns());
  } else {
    lane.wake.stop();
  }
  if (now == LinkState::kUp || now == LinkState::kClosed) {
    for (auto& fulfiller : std::exchange(lane.waiting, {})) {
      if (now == LinkState::kUp) {
        fulfiller->fulfill();
      } else {
        fulfiller->reject(exception_of(lane.machine.why()));
      }
    }
  }
  bool told = now != before && (now == LinkState::kUp || before == LinkState::kUp || now == LinkState::kClosed);
  if (told) {
    tell(lane, now, lane.machine.why());
  }
}

void NodeLink::tell(const LaneState& lane, LinkState state, const Failure& why) {
  if (state == LinkState::kUp) {
    context_.logger.debug("link to ", peer_.node.text(), ": ", name_of(lane.lane), " is up");
  } else {
    context_.logger.info("link to ", peer_.node.text(), ": ", name_of(lane.lane),
                         state == LinkState::kClosed ? " is closed: " : " was lost: ", why.error().message());
  }
  context_.hooks.on_lane(peer_.node, lane.lane, state, why);
}

}  // namespace sabir::node_link
