// References: which object entries this process has something to do with, how values come in and go out with the
// references inside them, and what sabird is told about that (O4-O6, H2). Under the client's lock, but for prepare().
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/client/core.h"
#include "runtime/client/future.h"
#include "runtime/client/slab.h"

namespace sabir::client {

class Refs {
 public:
  explicit Refs(Core& core) : core_(core) {}

  // A future of this process, pending, with a count of one.
  Future* make(uint64_t sequence);
  uint64_t next_put_sequence() { return (uint64_t{1} << 63) | ++puts_; }
  size_t live_count() const { return futures_.used_count(); }

  // --- values that come in. HoldState: kOwn writes HOLD for what they refer to; kBorrowed (a call's arguments) does
  // not, and appends the futures to `borrowed`, each with a count.

  // Bytes of a Value as they lie in a cell or block. The future is not kReady yet: see Settler. False: damaged bytes.
  bool fill(Future* future, std::span<const uint8_t> value, HoldState hold, std::vector<Future*>* borrowed);
  // As if the value, which is ready, had come as a result for this future.
  void become(Future* future, const Future* value);
  // An error of the core.
  void fill_error(Future* future, ErrorKind kind, std::string_view message);
  // A count on the future that the reference names: the one this process has for it already, or a new one. Null:
  // damaged.
  Future* adopt(const ParsedRef& ref, HoldState hold, std::vector<Future*>* borrowed);
  // An actor's handle that came over the control channel, where the caller's hold was counted already.
  Future* adopt_actor(shm::EntryRef entry, shm::ActorIndex actor, std::span<const uint8_t> id);

  // A reference to another process's call, or to its object, has a value once its entry says so. Looks, and asks sabird
  // to be rung when it does. May settle it.
  void touch(Future* future);
  // The same, and its value is needed here: if it is on another node it is fetched (O10).
  void want(Future* future);
  // Of an object: its entry says that the value is on another node, or was, and is lost.
  bool is_elsewhere(const Future* future) const;
  // How large it is there.
  uint64_t elsewhere_bytes(const Future* future) const;
  // Its value was on another node and is lost: it is pending again, and what it becomes is delivered to its entry
  // (O11).
  void pend_again(Future* future, Call* maker, uint16_t return_index);
  void poll_subscriptions();
  bool has_subscriptions() const { return !subscribed_.empty(); }
  // References to the store or to actors are held: when one dies, somebody must tell sabird soon.
  bool has_entries() const { return !by_entry_.empty(); }

  // Reads the object's header and pins it (O5); `data` is set afterwards. False: the object is gone or damaged.
  bool open(Future* future);

  // --- values that go out

  // Makes every reference in the span such that it can be named elsewhere: gives pending calls an entry (O6), stores
  // what is too large to travel inside, writes HOLD for what was borrowed. Needs no lock, may wait for sabird.
  Result<void> prepare(std::span<Future* const> refs, int depth = 0);
  size_t wire_bytes(const Future* ref) const;
  size_t wire_bytes(std::span<Future* const> refs) const;
  void write_wire(Writer& out, const Future* ref) const;
  void write_wire(Writer& out, std::span<Future* const> refs) const;
  // The Value of a ready future, as it lies in a cell or block; of an object: where it is.
  size_t value_bytes(const Future* ready, size_t alignment) const;
  void write_value(Writer& out, const Future* ready, size_t alignment) const;
  // The same for an argument or result itself: a large value that has an entry is named, not copied.
  size_t passed_bytes(const Future* ready) const;
  void write_passed(Writer& out, const Future* ready) const;
  WireRef wire_ref(const Future* ref) const;
  // Entries that the reference brings to whoever reads it, once written: for HOLD-CELL and HOLD-NESTED.
  void collect_entries(const Future* ref, std::vector<shm::EntryRef>& out) const;

  // --- holds

  // Turns a borrowed reference into one of this process (H2): HOLD.
  void own(Future* future);
  // O6: the value of an escaped call, for those that have its entry.
  void deliver(Future* ready);
  // An entry of a value on another node, with the id that it has everywhere; a hold of this process counts for it.
  void bind_elsewhere(Future* future, shm::EntryRef entry, uint64_t size_bytes);
  // What such an entry stands for has come as `value`, which is ready, or will not (null).
  void deliver_elsewhere(shm::EntryRef entry, const Future* value);
  // Deliveries that found no block: whoever may wait lends one and calls this.
  bool wants_block() const { return !undelivered_.empty(); }
  void deliver_again();
  // When the client is gone.
  void abandon_all();
  // The entry of an object that this process has just announced.
  void bind_entry(Future* future, shm::EntryRef entry, HoldState hold);
  // Unless another future stands for it by now.
  void forget_entry(const Future* future, shm::EntryRef entry);
  // Where the entry of an actor's handle is known already.
  Future* find(shm::EntryRef entry);

  // Takes dead handles apart: RELEASE, UNPIN. Stops when the ring has no room for more.
  void reclaim();
  // What Lineage kept beyond its last count.
  void free_dormant(Future* dormant);
  // All that is left, when nothing is told to anybody any more.
  void bury(Future* dead);

 private:
  static uint64_t key_of(shm::EntryRef ref) { return (ref.generation << 24) | ref.entry; }

  // False: there is no block for it.
  bool deliver_value(shm::EntryRef entry, const Future* ready);
  bool fill_parsed(Future* future, const ParsedValue& value, HoldState hold, std::vector<Future*>* borrowed);
  bool adopt_table(Future* future, const ParsedValue& value, HoldState hold, std::vector<Future*>* borrowed);
  bool named_when_passed(const Future* ready) const;
  void lose(Future* future, std::string_view why);
  Result<void> escape(Future* pending);
  void dismantle(Future* dead, bool tell);
  void unsubscribe(Future* future);
  // Takes apart what refers to others.
  void tell_end(Future* dead);
  void release_nested(Future* dead);

  Core& core_;
  Slab<Future> futures_;
  std::unordered_map<uint64_t, Future*> by_entry_;
  std::vector<Future*> subscribed_;
  std::vector<Future*> undelivered_;  // found no block; a count on each
  uint64_t puts_ = 0;
};

// Above this size a value that others refer to is stored once and not copied with each reference (O6).
inline constexpr size_t kInlineRefBytes = 4096;

}  // namespace sabir::client
