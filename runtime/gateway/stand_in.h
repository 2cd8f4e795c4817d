// The origin's side of an actor: a worker of this node that has the actor's inbox while the actor itself is on the
// peer, because this node placed it there, or because the peer is its home.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/client/relay.h"
#include "runtime/gateway/outgoing.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

class StandIn {
 public:
  static bool is_wanted(client::Client& worker) { return worker.core().self.welcome().actor.present; }

  // All must outlive it.
  StandIn(client::Client& worker, PeerLink& link);

  // What calls name it by.
  uint64_t number() const { return number_; }

  // The worker's first work: has the peer host the actor, or open it. `creation`: what it is to be made of; nothing for
  // one that is there already. False: it has ended, and the message was not posted.
  bool create(client::Work* work, rpc::OpenActorMessage& message);

  // The first work cannot be done. True: the worker is to end.
  bool cannot_open();

  // What the peer says of it. True: it is over; the worker is to end.
  bool state(const rpc::ActorStateMessage& message);
  // By this node. True: the worker is to end. `abandon`: this node wants it no more. Of two in a row the first is not
  // forgotten: whoever killed the actor, and let go of it at once, has killed it.
  bool kill(bool no_restart, bool abandon);
  // It was abandoned before the peer knew it, and now is.
  bool is_abandoned();
  // All that has come is lost with the actor: this node hears that when the worker leaves.
  void crash(const std::string& why);
  // Last: what the peer, and this node, are told at the end. Once.
  void leave();

 private:
  enum class End : uint8_t { kOpen, kAsked, kLeft, kCrashed, kAbandoned };

  client::Client& worker_;
  client::Relay relay_;
  PeerLink& link_;
  const uint64_t number_;

  std::mutex lock_;
  client::Work* creation_ = nullptr;
  bool is_open_ = false;  // the peer knows the number
  // It was to be killed before that (the value: without a restart), and is as soon as the peer knows it.
  std::optional<bool> early_kill_;
  bool abandon_when_open_ = false;
  End end_ = End::kOpen;
  std::string why_;
};

}  // namespace sabir::gateway
