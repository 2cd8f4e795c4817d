#include "runtime/client/refs.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/client/actor_peer.h"
#include "runtime/client/call.h"
#include "runtime/client/error_value.h"
#include "runtime/client/lineage.h"
#include "runtime/client/objects.h"
#include "runtime/client/progress.h"
#include "runtime/client/settle.h"
#include "runtime/shm/fence.h"

namespace sabir::client {

using shm::RingMessage;

Future* Refs::make(uint64_t sequence) {
  Future* future = futures_.take();
  future->anchor = core_.anchor;
  future->sequence = sequence;
  return future;
}

Future* Refs::find(shm::EntryRef entry) {
  auto place = by_entry_.find(key_of(entry));
  // A count of zero is on its way to reclaim(): such a future cannot be used again.
  if (place == by_entry_.end() || place->second->count.load(std::memory_order_relaxed) == 0) {
    return nullptr;
  }
  Future* future = place->second;
  uint32_t count = future->count.load(std::memory_order_relaxed);
  while (count != 0) {
    if (future->count.compare_exchange_weak(count, count + 1, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      return future;
    }
  }
  return nullptr;
}

void Refs::bind_entry(Future* future, shm::EntryRef entry, HoldState hold) {
  FutureExtra& extra = future->more();
  extra.entry = entry;
  extra.has_entry = true;
  extra.hold = hold;
  // The youngest wins: an older one may be about to go.
  by_entry_[key_of(entry)] = future;
  if (by_entry_.size() == 1) {
    core_.progress->expect_dead();
  }
}

void Refs::forget_entry(const Future* future, shm::EntryRef entry) {
  auto place = by_entry_.find(key_of(entry));
  if (place != by_entry_.end() && place->second == future) {
    by_entry_.erase(place);
  }
}

void Refs::own(Future* future) {
  if (future->has_entry() && future->extra->hold != HoldState::kOwn) {
    core_.ring.tell(RingMessage::hold(future->extra->entry));
    future->extra->hold = HoldState::kOwn;
  }
}

Future* Refs::adopt(const ParsedRef& parsed, HoldState hold, std::vector<Future*>* borrowed) {
  const WireRef& wire = parsed.ref;
  uint64_t id[2];
  std::memcpy(id, wire.id, sizeof(id));
  Future* future = nullptr;
  if (wire.kind == static_cast<uint8_t>(WireRefKind::kInline)) {
    future = make(id[1]);
    future->more().uid = id[0];
    if (!fill(future, parsed.value, hold, borrowed)) {
      release(future);
      return nullptr;
    }
    future->state.store(FutureState::kReady, std::memory_order_release);
  } else {
    shm::EntryRef entry{wire.generation & shm::kGenerationMask, wire.entry};
    if (entry.entry >= shm::kMaxEntries) {
      return nullptr;
    }
    future = find(entry);
    if (future == nullptr) {
      future = make(id[1]);
      future->more().uid = id[0];
      bind_entry(future, entry, HoldState::kBorrowed);
      if (wire.kind == static_cast<uint8_t>(WireRefKind::kActor)) {
        future->kind = FutureKind::kActor;
        future->extra->actor = std::make_unique<ActorPeer>();
        future->extra->actor->index = static_cast<shm::ActorIndex>(wire.size);
        future->state.store(FutureState::kReady, std::memory_order_release);
      } else {
        future->kind = FutureKind::kObject;
      }
    }
    if (hold == HoldState::kOwn) {
      own(future);
    }
  }
  if (borrowed != nullptr) {
    borrowed->push_back(retain(future));
  }
  return future;
}

Future* Refs::adopt_actor(shm::EntryRef entry, shm::ActorIndex actor, std::span<const uint8_t> id) {
  if (Future* known = find(entry)) {
    if (known->extra->hold == HoldState::kOwn) {
      // The node counted this handle as one more hold; one per process is enough.
      core_.ring.tell(RingMessage::release(entry));
    }
    known->extra->hold = HoldState::kOwn;
    return known;
  }
  uint64_t halves[2] = {};
  std::memcpy(halves, id.data(), std::min(id.size(), sizeof(halves)));
  Future* future = make(halves[1]);
  future->kind = FutureKind::kActor;
  future->more().uid = halves[0];
  bind_entry(future, entry, HoldState::kOwn);
  future->extra->actor = std::make_unique<ActorPeer>();
  future->extra->actor->index = actor;
  future->state.store(FutureState::kReady, std::memory_order_release);
  return future;
}

bool Refs::fill(Future* future, std::span<const uint8_t> bytes, HoldState hold, std::vector<Future*>* borrowed) {
  if (future->computed()) [[unlikely]] {
    return true;  // its call ran again for another result (O11)
  }
  std::optional<ParsedValue> value = parse_value(bytes, kCallAlignment);
  return value && fill_parsed(future, *value, hold, borrowed);
}

bool Refs::fill_parsed(Future* future, const ParsedValue& value, HoldState hold, std::vector<Future*>* borrowed) {
  if (value.indirect) {
    future->header = value.header;
    future->header.flags &= kValueIsError;
    future->kind = FutureKind::kObject;
    shm::EntryRef entry{value.indirect->generation & shm::kGenerationMask, value.indirect->entry};
    if (entry.entry >= shm::kMaxEntries) {
      return false;
    }
    bind_entry(future, entry, HoldState::kBorrowed);
    if (hold == HoldState::kOwn) {
      own(future);
    }
    return true;
  }
  if (!adopt_table(future, value, hold, borrowed)) {
    return false;
  }
  future->header = value.header;
  uint8_t* room = future->make_room(value.data.size());
  if (!value.data.empty()) {
    std::memcpy(room, value.data.data(), value.data.size());
  }
  return true;
}

bool Refs::adopt_table(Future* future, const ParsedValue& value, HoldState hold, std::vector<Future*>* borrowed) {
  std::span<const uint8_t> table = value.table;
  while (!table.empty()) {
    std::optional<ParsedRef> parsed = next_ref(table);
    Future* nested = parsed ? adopt(*parsed, hold, borrowed) : nullptr;
    if (nested == nullptr) {
      return false;
    }
    future->more().nested.push_back(nested);
  }
  return true;
}

void Refs::become(Future* future, const Future* value) {
  std::vector<uint8_t> bytes(passed_bytes(value));
  Writer out(bytes.data(), bytes.size());
  write_passed(out, value);
  SABIR_CHECK(fill(future, bytes, HoldState::kOwn, nullptr));
  future->header.flags |= value->header.flags & kValueIsError;
  future->crashed = value->crashed;
  future->retryable = value->retryable;
}

void Refs::fill_error(Future* future, ErrorKind kind, std::string_view message) {
  std::vector<uint8_t> map = make_error_map({.kind = kind, .message = message});
  future->kind = FutureKind::kValue;
  future->header = {.encoding = static_cast<uint8_t>(Encoding::kNeutral), .flags = kValueIsError};
  std::memcpy(future->make_room(map.size()), map.data(), map.size());
}

bool Refs::open(Future* future) {
  if (future->data != nullptr || future->kind != FutureKind::kObject) {
    return true;
  }
  FutureExtra& extra = future->more();
  if (!extra.pinned) {
    core_.ring.tell(RingMessage::pin(extra.entry));
    extra.pinned = true;
  }
  // O5: the address only after the PIN.
  shm::full_fence();
  const shm::ObjectEntry& entry = core_.self.calls().entry(extra.entry.entry);
  shm::EntryWord word = shm::EntryWord::unpack(entry.word.load(std::memory_order_acquire));
  if (word.generation != extra.entry.generation || word.state != shm::EntryState::kResident) {
    return false;
  }
  auto bytes = core_.self.objects().view(entry.offset.load(std::memory_order_relaxed),
                                         entry.size_bytes.load(std::memory_order_relaxed));
  std::optional<ParsedValue> value = bytes.ok() ? parse_value(*bytes, kStoreAlignment) : std::nullopt;
  if (!value || value->indirect || (extra.nested.empty() && !adopt_table(future, *value, HoldState::kOwn, nullptr))) {
    return false;
  }
  future->header = value->header;
  future->size_bytes = value->data.size();
  static const uint8_t kNothing = 0;
  future->data = value->data.empty() ? &kNothing : value->data.data();
  return true;
}

void Refs::lose(Future* future, std::string_view why) {
  fill_error(future, ErrorKind::kObjectLost, why);
  core_.settler->settle(future);
}

void Refs::touch(Future* future) {
  if (future->ready() || !future->has_entry() || future->extra->escaped) {
    return;
  }
  shm::EntryRef ref = future->extra->entry;
  shm::EntryWord word =
      shm::EntryWord::unpack(core_.self.calls().entry(ref.entry).word.load(std::memory_order_acquire));
  if (word.generation == ref.generation && word.state == shm::EntryState::kPending) {
    bool is_elsewhere = word.is_elsewhere();
    if (!is_elsewhere && future->state.load(std::memory_order_relaxed) == FutureState::kElsewhere &&
        future->extra->kept == nullptr) {
      // It was lost, and somebody else makes it again.
      future->call = nullptr;
      future->state.store(FutureState::kPending, std::memory_order_release);
    }
    if (is_elsewhere && future->state.load(std::memory_order_relaxed) == FutureState::kPending) {
      core_.settler->settle_elsewhere(future);  // comes back here if it is wanted
      return;
    }
    if (!future->extra->subscribed && (!is_elsewhere || future->wanted)) {
      future->extra->subscribed = true;
      subscribed_.push_back(future);
      core_.ring.tell(RingMessage::subscribe(ref));
    }
    return;
  }
  if (word.was_elsewhere() && word.generation == ref.generation && future->extra->kept != nullptr) {
    return;  // sabird has yet to read that it is kept here, and hands it over then
  }
  unsubscribe(future);
  if (word.generation == ref.generation && word.state == shm::EntryState::kLost) {
    lose(future, word.was_elsewhere() ? describe(future->extra->no_lineage)
                                      : "the value was lost: the process that was to make it is gone");
  } else if (open(future)) {
    core_.settler->settle(future);
  } else {
    lose(future, "the object is gone from the store");
  }
}

void Refs::poll_subscriptions() {
  // Backwards: touch() takes away the one it was called for.
  for (size_t i = subscribed_.size(); i-- > 0;) {
    touch(subscribed_[i]);
  }
}

void Refs::unsubscribe(Future* future) {
  if (future->extra->subscribed) {
    future->extra->subscribed = false;
    auto place = std::find(subscribed_.begin(), subscribed_.end(), future);
    *place = subscribed_.back();
    subscribed_.pop_back();
  }
}

void Refs::reclaim() {
  // UNPIN and two RELEASE for each at most; nested ones come back through the list.
  constexpr uint32_t kRecordsEach = 3;
  Future* dead = core_.anchor->take_dead();
  while (dead != nullptr) {
    Future* next = dead->next;
    if (dead->extra != nullptr && dead->extra->has_entry && !core_.ring.has_room(64 + kRecordsEach)) [[unlikely]] {
      core_.anchor->push_only(dead);
      while (next != nullptr) {
        Future* after = next->next;
        core_.anchor->push_only(next);
        next = after;
      }
      return;
    }
    dismantle(dead, true);
    dead = next;
  }
}

void Refs::bury(Future* dead) { dismantle(dead, false); }

void Refs::tell_end(Future* dead) {
  FutureExtra& extra = *dead->extra;
  unsubscribe(dead);
  forget_entry(dead, extra.entry);
  if (extra.escape_kept) {
    forget_entry(dead, extra.escape_entry);
    core_.ring.tell(RingMessage::release(extra.escape_entry));
  }
  for (shm::EntryRef entry : extra.stood_for) {
    forget_entry(dead, entry);
    core_.ring.tell(RingMessage::release(entry));
  }
  if (extra.pinned) {
    core_.ring.tell(RingMessage::unpin(extra.entry));
  }
  if (extra.hold == HoldState::kOwn) {
    core_.ring.tell(RingMessage::release(extra.entry));
  }
}

void Refs::release_nested(Future* dead) {
  for (Future* nested : std::exchange(dead->extra->nested, {})) {
    if (nested->count.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      core_.anchor->push_only(nested);
    }
  }
}

void Refs::dismantle(Future* dead, bool tell) {
  if (tell && dead->extra != nullptr && core_.lineage->retains(dead)) {
    return;
  }
  if (dead->on_heap) {
    std::free(const_cast<uint8_t*>(dead->data));
    dead->on_heap = false;
  }
  if (FutureExtra* extra = dead->extra) {
    if (extra->has_entry && tell) {
      tell_end(dead);
    }
    release_nested(dead);
    if (tell && core_.lineage->outlives(dead)) {
      return;
    }
    delete extra;
  }
  if (tell) {
    futures_.give_back(dead);
  }
}

void Refs::free_dormant(Future* dormant) {
  delete dormant->extra;
  futures_.give_back(dormant);
}

}  // namespace sabir::client
