#include "runtime/client/actors.h"

#include <algorithm>
#include <utility>

#include "runtime/client/dispatch.h"
#include "runtime/client/error_value.h"
#include "runtime/client/event_queue.h"
#include "runtime/client/functions.h"
#include "runtime/client/refs.h"
#include "runtime/client/settle.h"
#include "runtime/client/value_format.h"
#include "runtime/client/wait_room.h"
#include "runtime/shm/stack.h"

namespace sabir::client {
namespace {

std::string name_of(const ActorPeer& peer) {
  if (!peer.info) {
    return "the actor";
  }
  std::string name = "actor " + peer.info->class_name;
  return peer.info->name.empty() ? name : name + " '" + peer.info->name + "'";
}

}  // namespace

void ActorPeers::append(Call* call) {
  ActorPeer& peer = *call->actor->extra->actor;
  peer.waiting.push_back(call);
  call->listed = true;
  core_.add_interest(1);
  if (call->stage != CallStage::kParked && !peer.polled) {
    advance(call->actor);
  }
}

void ActorPeers::unpark(Call* call) {
  call->stage = CallStage::kWaiting;
  advance(call->actor);
}

void ActorPeers::drop(Call* call) { unlist(*call->actor->extra->actor, call); }

void ActorPeers::put_back(Call* call) {
  core_.dispatcher->leave_cell(call);
  ActorPeer& peer = *call->actor->extra->actor;
  peer.waiting.insert_in_order(call);
  call->listed = true;
  core_.add_interest(1);
  poll_later(call->actor, peer);
}

void ActorPeers::unlist(ActorPeer& peer, Call* call) {
  peer.waiting.remove(call);
  call->listed = false;
  core_.add_interest(-1);
}

void ActorPeers::left_inbox(Call* call) {
  ActorPeer& peer = *call->actor->extra->actor;
  --peer.in_flight;
  call->callee = 0;
  if (!peer.waiting.empty() && !peer.polled) {
    poll_later(call->actor, peer);
  }
}

void ActorPeers::lose(Call* call) {
  call->lost = true;
  put_back(call);
}

void ActorPeers::poll_later(Future* actor, ActorPeer& peer) {
  if (!peer.polled) {
    peer.polled = true;
    polled_.push_back(retain(actor));
  }
}

void ActorPeers::poll() {
  for (Future* actor : std::exchange(polled_, {})) {
    actor->extra->actor->polled = false;
    advance(actor);
    release(actor);
  }
}

void ActorPeers::advance(Future* actor) {
  ActorPeer& peer = *actor->extra->actor;
  const shm::ActorRecord* record = core_.self.node().find_actor(peer.index);
  if (record == nullptr) {
    return;
  }
  shm::ActorWord word = shm::ActorWord::unpack(record->word.load(std::memory_order_seq_cst));
  if (peer.creating && word.state != shm::ActorState::kPending && word.state != shm::ActorState::kNone) {
    peer.creating = false;
    core_.add_interest(-1);
    for (Future* held : std::exchange(peer.creation_held, {})) {
      release(held);
    }
  }
  tell_watchers(peer, word);
  switch (word.state) {
    case shm::ActorState::kDead:
      mourn(actor, peer);
      return;
    case shm::ActorState::kAlive:
      // Directory first, then the log (Q7): what was pushed to earlier incarnations has come back or was repaired
      // before anything goes to this one.
      if (core_.deaths.moved()) {
        poll_later(actor, peer);
        return;
      }
      if (word.incarnation != peer.incarnation) {
        if (peer.in_flight != 0) {
          poll_later(actor, peer);
          return;
        }
        peer.incarnation = word.incarnation;
        peer.slot = word.slot;
        fail_lost(peer);
      }
      push_waiting(peer);
      break;
    default:
      if (word.state == shm::ActorState::kRestarting) {
        fail_lost(peer);
      }
      break;
  }
  // A parked head comes back by unpark(), a full inbox by left_inbox().
  bool head_waits = !peer.waiting.empty() && peer.waiting.front()->stage != CallStage::kParked &&
                    peer.in_flight < shm::kActorCallsInFlight;
  if (head_waits || peer.creating || !peer.watchers.empty()) {
    poll_later(actor, peer);
  }
}

void ActorPeers::watch(Future* actor, std::shared_ptr<EventQueue> queue, uint64_t tag) {
  ActorPeer& peer = *actor->extra->actor;
  peer.watchers.push_back({std::move(queue), tag});
  core_.add_interest(1);
  if (!peer.polled) {
    advance(actor);
  }
}

void ActorPeers::unwatch(Future* actor, const EventQueue* queue, uint64_t tag) {
  size_t gone = std::erase_if(actor->extra->actor->watchers, [&](const ActorPeer::Watcher& watcher) {
    return watcher.queue.get() == queue && watcher.tag == tag;
  });
  core_.add_interest(-static_cast<int>(gone));
}

void ActorPeers::tell_watchers(ActorPeer& peer, shm::ActorWord word) {
  for (ActorPeer::Watcher& watcher : peer.watchers) {
    if (std::exchange(watcher.word, word.pack()) != word.pack()) {
      watcher.queue->push({.kind = kEventActorChanged, .tag = watcher.tag, .buffer = nullptr});
      core_.waiting->wake_listeners(watcher.queue.get());
    }
  }
  if (word.state == shm::ActorState::kDead) {  // nothing follows
    core_.add_interest(-static_cast<int>(peer.watchers.size()));
    peer.watchers.clear();
  }
}

void ActorPeers::push_waiting(ActorPeer& peer) {
  shm::CellStack inbox = shm::inbox(core_.self.calls(), peer.slot);
  bool pushed = false;
  while (Call* call = peer.waiting.front()) {
    if (call->stage == CallStage::kParked || call->lost || peer.in_flight >= shm::kActorCallsInFlight ||
        !core_.dispatcher->enter_cell(call)) {
      break;
    }
    if (!inbox.push(call->cell)) {
      // CLOSED: the process is dead, and the log will say so. The call stays at the head.
      shm::recall_cell(core_.self.calls().cell(call->cell), call->generation);
      core_.dispatcher->leave_cell(call);
      break;
    }
    unlist(peer, call);
    call->callee = peer.slot;
    ++peer.in_flight;
    pushed = true;
  }
  if (pushed && std::find(core_.to_ring.begin(), core_.to_ring.end(), peer.slot) == core_.to_ring.end()) {
    core_.to_ring.push_back(peer.slot);
  }
}

void ActorPeers::fail_lost(ActorPeer& peer) {
  for (Call* call = peer.waiting.front(); call != nullptr;) {
    Call* next = call->next;
    if (call->lost) {
      unlist(peer, call);
      core_.dispatcher->fail(call, ErrorKind::kActorUnavailable,
                             name_of(peer) + " died while it ran " + core_.dispatcher->describe(call) +
                                 " and restarts; the call is not retried (max_task_retries)");
    }
    call = next;
  }
}

void ActorPeers::mourn(Future* actor, ActorPeer& peer) {
  if (!peer.waiting.empty() && !peer.describing) {
    peer.describing = true;
    undescribed_.push_back(retain(actor));
  }
}

Future* ActorPeers::take_undescribed() {
  if (undescribed_.empty()) {
    return nullptr;
  }
  Future* actor = undescribed_.back();
  undescribed_.pop_back();
  return actor;
}

void ActorPeers::describe_death(Future* actor, std::string_view error_value) {
  ActorPeer& peer = *actor->extra->actor;
  peer.describing = false;
  std::string message = name_of(peer) + " is dead";
  if (const shm::ActorRecord* record = core_.self.node().find_actor(peer.index)) {
    message += ": ";
    message += shm::death_reason(*record);
  }
  std::vector<uint8_t> map;
  std::optional<ParsedValue> cause =
      parse_value({reinterpret_cast<const uint8_t*>(error_value.data()), error_value.size()}, kCallAlignment);
  map = make_error_map(
      {.kind = ErrorKind::kActorDied, .message = message, .cause = cause ? cause->data : std::span<const uint8_t>{}});
  // A parked one fails when its argument comes: only then is everything that it holds known to be ready.
  while (Call* call = peer.waiting.front()) {
    if (call->stage == CallStage::kParked) {
      break;
    }
    unlist(peer, call);
    for (uint32_t i = 0; i < call->num_returns; ++i) {
      Future* result = call->result_at(i);
      result->header = {.encoding = static_cast<uint8_t>(Encoding::kNeutral), .flags = kValueIsError};
      std::memcpy(result->make_room(map.size()), map.data(), map.size());
      result->crashed = true;
    }
    core_.dispatcher->finish(call);
  }
}

void ActorPeers::created(Future* actor, std::vector<Future*> held) {
  ActorPeer& peer = *actor->extra->actor;
  peer.creating = true;
  peer.creation_held = std::move(held);
  core_.add_interest(1);
  poll_later(actor, peer);
}

void ActorPeers::abandon_all() {
  for (Future* actor : std::exchange(polled_, {})) {
    for (Future* held : std::exchange(actor->extra->actor->creation_held, {})) {
      release(held);
    }
    release(actor);
  }
  for (Future* actor : std::exchange(undescribed_, {})) {
    release(actor);
  }
}

}  // namespace sabir::client
