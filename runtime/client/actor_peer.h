// This process's side of one actor it has a handle of (Q7). One per actor, however many handles: that keeps the order.
// Lives with its future; under the client's lock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/client/call.h"
#include "runtime/rpc/session_types.h"
#include "runtime/shm/word.h"

namespace sabir::client {

class EventQueue;

struct ActorPeer {
  shm::ActorIndex index = 0;
  // Of the directory: what calls were last pushed to.
  uint32_t incarnation = 0;
  shm::SlotIndex slot = 0;
  CallList waiting;
  uint32_t in_flight = 0;
  bool polled = false;      // in the list of peers that wait for the directory to change
  bool creating = false;    // this process created it, and it has not been seen alive or dead yet
  bool describing = false;  // its death is being asked for
  // Client::watch_actor: each gets an event when the directory's word is another one than its `word`. Several, since
  // the client of a job in the gateway serves several peers.
  struct Watcher {
    std::shared_ptr<EventQueue> queue;
    uint64_t tag = 0;
    uint64_t word = 0;  // 0 is no actor's: incarnations begin with 1
  };
  std::vector<Watcher> watchers;
  // Set once, by whoever asks sabird; constant afterwards.
  std::shared_ptr<const rpc::ActorInfo> info;
  std::string id_hex;
  // What the constructor was given, while `creating`.
  std::vector<Future*> creation_held;
};

}  // namespace sabir::client
