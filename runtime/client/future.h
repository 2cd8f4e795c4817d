// The private record of one value or result, and what a sabir_ref (and a sabir_actor) points at. Counted; the count of
// zero pushes it on its anchor's list (P3) and the client takes it apart at its next entry.
//
// Fields other than `count` and `state` are written under the client's lock before state becomes kReady (release), and
// do not change afterwards, except `extra`, which is looked at under the lock only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/client/anchor.h"
#include "runtime/client/value_format.h"
#include "runtime/shm/word.h"

namespace sabir::client {

struct ActorPeer;
struct Call;
struct Future;
class EventQueue;

enum class FutureState : uint8_t {
  kPending = 0,
  kReady = 1,
  kElsewhere = 2,  // computed, but its value is on another node (O10): whoever wants it here goes on waiting
};
enum class FutureKind : uint8_t {
  kValue = 0,   // `data` lies in `inline_bytes` or on the heap
  kObject = 1,  // `data` lies in the objects segment, once it was opened
  kActor = 2,   // a handle: no value at all
};

// One sabir_ref_watch.
struct Watch {
  std::shared_ptr<EventQueue> queue;
  uint64_t tag = 0;
};

enum class HoldState : uint8_t {
  kNone,
  kBorrowed,  // a call's argument: the submitter's hold protects it until the call ends (H2)
  kOwn,       // one HOLD, ANNOUNCE or ESCAPE of this process counts for it
};

// Why a value that was on another node cannot be made again (lineage.h).
enum class NoLineage : uint8_t { kNotOurs, kNoRetries, kEvicted };

// What few futures have.
struct FutureExtra {
  uint64_t uid = 0;  // first half of the id, if it was made by another process
  shm::EntryRef entry;
  bool has_entry = false;
  HoldState hold = HoldState::kNone;
  bool pinned = false;
  bool subscribed = false;  // another process's pending call: see Subscriptions
  bool escaped = false;     // our pending call has an entry: DELIVER is owed for escape_entry (O6)
  shm::EntryRef escape_entry;
  bool escape_kept = false;  // its value is an object with an entry of its own: escape_entry is held besides
  std::vector<shm::EntryRef> stood_for;  // such entries of values that were lost since
  uint16_t return_index = 0;
  Call* kept = nullptr;    // can make it again
  uint32_t needed_by = 0;  // kept calls that have it as an argument, and no count for it
  bool dormant = false;    // no count is left, its value is gone, and kept calls need it
  bool retained = false;   // no count is left, and kept calls need its value, which cannot be made again
  NoLineage no_lineage = NoLineage::kNotOurs;
  std::vector<Future*> nested;  // a count on each
  std::vector<Watch> watches;
  std::vector<Call*> dependents;  // parked calls that wait for this
  std::unique_ptr<ActorPeer> actor;

  FutureExtra();
  ~FutureExtra();
};

struct alignas(64) Future {
  static constexpr size_t kInlineBytes = 64;

  std::atomic<uint32_t> count{1};
  std::atomic<FutureState> state{FutureState::kPending};
  FutureKind kind = FutureKind::kValue;
  bool on_heap = false;     // `data` is this record's own
  bool waited : 1 = false;  // somebody sleeps until it is ready
  bool wanted : 1 = false;  // ... or needs its value here: it is fetched as soon as it is computed
  bool marked : 1 = false;  // scratch of Client::wait
  // Of a ready error: the call's worker or actor died, and the error is the core's; the SDK said that retry_errors
  // applies.
  bool crashed : 1 = false;
  bool retryable : 1 = false;
  Anchor* anchor = nullptr;
  uint64_t sequence = 0;  // second half of the id
  union {
    Future* next = nullptr;  // of the anchor's list, once the count is zero
    Call* call;              // while kPending: the call of this process that will settle it (it has a count), or null
  };
  ValueHeader header;
  const uint8_t* data = nullptr;  // null while kPending, and for an object that was not opened
  uint64_t size_bytes = 0;
  FutureExtra* extra = nullptr;
  uint8_t inline_bytes[kInlineBytes];

  bool ready() const { return state.load(std::memory_order_acquire) == FutureState::kReady; }
  // Ready, or elsewhere: it can be passed on.
  bool computed() const { return state.load(std::memory_order_acquire) != FutureState::kPending; }
  bool is_error() const { return (header.flags & kValueIsError) != 0; }
  FutureExtra& more() {
    if (extra == nullptr) {
      extra = new FutureExtra;
    }
    return *extra;
  }
  bool has_entry() const { return extra != nullptr && extra->has_entry; }
  size_t nested_count() const { return extra == nullptr ? 0 : extra->nested.size(); }

  // Room for a value's bytes: inline or on the heap. Before kReady.
  uint8_t* make_room(uint64_t bytes);
};
static_assert(sizeof(Future) == 128);

inline Future* retain(Future* future) {
  future->count.fetch_add(1, std::memory_order_relaxed);
  return future;
}
// Any thread, also finalizers (P3). In a forked child the caller has looked at Anchor::forked().
inline void release(Future* future) {
  if (future->count.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    future->anchor->push_dead(future);
  }
}

}  // namespace sabir::client
