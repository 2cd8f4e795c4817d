// Q7: calls to actors. Each actor that this process has a handle of has one list of calls, in the order they were sent;
// only its head is pushed, and to an incarnation only after R1 for all earlier ones. Under the client's lock.
#pragma once

#include <vector>

#include "runtime/client/actor_peer.h"
#include "runtime/client/core.h"

namespace sabir::client {

class ActorPeers {
 public:
  explicit ActorPeers(Core& core) : core_(core) {}

  // At the end of its actor's list. Parked calls stand there, too, and hold back those behind them.
  void append(Call* call);
  // Its arguments are ready now.
  void unpark(Call* call);
  // It failed while it was in the list.
  void drop(Call* call);
  // After R1: it goes back to where it was among the calls of this process.
  void put_back(Call* call);
  // It came back, or died with its process.
  void left_inbox(Call* call);
  // CLAIMED by a process that died, and not to be retried: fails when it is known whether the actor restarts.
  void lose(Call* call);

  // Pushes what can be pushed; looks at the directory.
  void advance(Future* actor);
  // Those that wait for the directory to change: sabird rings after each change.
  void poll();
  bool has_waiting() const { return !polled_.empty(); }

  // This process has created it: what its constructor gets stays until it is known to be alive or dead.
  void created(Future* actor, std::vector<Future*> held);

  // Events of kEventActorChanged, the first at once, until it is dead or unwatch().
  void watch(Future* actor, std::shared_ptr<EventQueue> queue, uint64_t tag);
  void unwatch(Future* actor, const EventQueue* queue, uint64_t tag);

  // Dead actors whose last words are asked for, by somebody who may wait.
  bool has_undescribed() const { return !undescribed_.empty(); }
  Future* take_undescribed();
  // The answer: all calls that wait fail with it. `error`: the error value that ended it, or empty.
  void describe_death(Future* actor, std::string_view error_value);
  // When the client is gone.
  void abandon_all();

 private:
  void push_waiting(ActorPeer& peer);
  void fail_lost(ActorPeer& peer);
  void mourn(Future* actor, ActorPeer& peer);
  void tell_watchers(ActorPeer& peer, shm::ActorWord word);
  void poll_later(Future* actor, ActorPeer& peer);
  void unlist(ActorPeer& peer, Call* call);

  Core& core_;
  std::vector<Future*> polled_;       // a count on each
  std::vector<Future*> undescribed_;  // a count on each
};

}  // namespace sabir::client
