// The half of Refs for values on other nodes (O10, O11): who needs one here waits for its entry; the gateway's client
// says that there is one, and delivers it.
#include <utility>

#include "runtime/client/lineage.h"
#include "runtime/client/refs.h"
#include "runtime/client/settle.h"

namespace sabir::client {

using shm::RingMessage;

void Refs::want(Future* future) {
  if (!future->wanted && !future->ready()) {
    future->wanted = true;
  }
  touch(future);
}

bool Refs::is_elsewhere(const Future* future) const {
  if (!future->has_entry()) {
    return false;
  }
  shm::EntryRef ref = future->extra->entry;
  shm::EntryWord word =
      shm::EntryWord::unpack(core_.self.calls().entry(ref.entry).word.load(std::memory_order_acquire));
  return word.generation == ref.generation && (word.is_elsewhere() || word.was_elsewhere());
}

uint64_t Refs::elsewhere_bytes(const Future* future) const {
  return core_.self.calls().entry(future->extra->entry.entry).size_bytes.load(std::memory_order_relaxed);
}

void Refs::pend_again(Future* future, Call* maker, uint16_t return_index) {
  unsubscribe(future);
  FutureExtra& extra = *future->extra;
  future->call = maker;
  future->state.store(FutureState::kPending, std::memory_order_release);
  if (std::exchange(extra.escape_kept, false)) {
    extra.stood_for.push_back(extra.escape_entry);
  }
  if (extra.has_entry) {
    extra.escaped = true;
    extra.escape_entry = extra.entry;
    extra.return_index = return_index;
    // Others may wait for it: it must be delivered also if nobody here does.
    core_.add_interest(1);
  }
}

void Refs::bind_elsewhere(Future* future, shm::EntryRef entry, uint64_t size_bytes) {
  shm::ObjectEntry& shared = core_.self.calls().entry(entry.entry);
  shared.size_bytes.store(size_bytes, std::memory_order_relaxed);
  shared.id[0].store(future->extra->uid, std::memory_order_relaxed);
  shared.id[1].store(future->sequence, std::memory_order_relaxed);
  shm::EntryWord word{entry.generation, shm::EntryState::kPending, shm::EntryWord::kIsElsewhere};
  shared.word.store(word.pack(), std::memory_order_release);
  future->kind = FutureKind::kObject;
  bind_entry(future, entry, HoldState::kOwn);
  core_.ring.tell(RingMessage::elsewhere(entry, size_bytes));
  future->state.store(FutureState::kElsewhere, std::memory_order_release);
}

std::string describe(NoLineage why) {
  std::string text = "its value was on a node that is gone, and cannot be made again: ";
  switch (why) {
    case NoLineage::kNotOurs:
      return text + "the process that had it made is gone, too, or does not need it any more";
    case NoLineage::kNoRetries:
      return text + "the task that made it has no retries left (max_retries)";
    case NoLineage::kEvicted:
      return text + "too many such calls were made since, and the one that made it was forgotten";
  }
  return text;
}

}  // namespace sabir::client
