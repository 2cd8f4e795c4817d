// Ownership's part for values that are on another node until somebody here wants them (O10), and for those that can be
// made again (O11).
#include <utility>

#include "runtime/store/ownership.h"

namespace sabir::store {

using shm::EntryState;
using shm::EntryWord;

// Its creator wrote the word before it published the reference, as for an object (O3).
void Ownership::begin_elsewhere(EntryRecord& record, uint64_t size_bytes) {
  record.size_bytes = size_bytes;
  record.more().is_elsewhere = true;
  record.more().is_counted = true;
  ++elsewhere_[record.creator];
}

void Ownership::end_elsewhere(EntryRecord& record) {
  if (!record.extra || !std::exchange(record.extra->is_counted, false)) {
    return;
  }
  auto counted = elsewhere_.find(record.creator);
  if (--counted->second == 0) {
    elsewhere_.erase(counted);
  }
}

size_t Ownership::elsewhere_of(ProcessId process) const {
  auto counted = elsewhere_.find(process);
  return counted == elsewhere_.end() ? 0 : counted->second;
}

void Ownership::fetch_all_of(ProcessId process, Instructions& out) {
  for (uint32_t index = 0; elsewhere_.contains(process) && index < table_.batch_count(); ++index) {
    for (uint32_t i = 0; i < shm::kEntriesPerBatch; ++i) {
      const EntryRecord& record = table_.batch(index)->records[i];
      if (record.extra && record.extra->is_counted && record.creator == process) {
        want({record.generation, EntryTable::first_entry(index) + i}, out);
      }
    }
  }
}

// What the entry stands for in the end: itself, if it is no alias. Null: it does not end (T3), or what it stood for is
// gone.
EntryRecord* Ownership::root_of(shm::EntryRef entry, shm::EntryRef& root) {
  constexpr int kMaxSteps = 64;  // one for each time that a value was lost and made again
  root = entry;
  EntryRecord* record = current(entry);
  for (int step = 0; record != nullptr && record->extra && record->extra->alias_of; ++step) {
    root = *record->extra->alias_of;
    record = step < kMaxSteps ? current(root) : nullptr;
  }
  return record;
}

void Ownership::want(shm::EntryRef entry, Instructions& out) {
  shm::EntryRef root;
  EntryRecord* record = root_of(entry, root);
  bool is_elsewhere =
      record != nullptr && record->state == EntryState::kPending && record->extra && record->extra->is_elsewhere;
  if (is_elsewhere && !record->extra->is_fetched) {
    record->extra->is_fetched = true;
    out.emplace_back(FetchObject{record->creator, root});
  }
}

// Aliases form no circle (deliver_object).
bool Ownership::is_awaited(shm::EntryIndex entry) const {
  std::vector<shm::EntryIndex> work = {entry};
  while (!work.empty()) {
    const EntryRecord* record = table_.find(work.back());
    work.pop_back();
    if (record == nullptr || !record->extra) {
      continue;
    }
    if (!record->extra->subscribers.empty()) {
      return true;
    }
    work.insert(work.end(), record->extra->aliases.begin(), record->extra->aliases.end());
  }
  return false;
}

void Ownership::follow_elsewhere(EntryRecord& record, shm::EntryIndex entry, uint64_t size_bytes, Instructions& out) {
  record.size_bytes = size_bytes;
  record.more().is_elsewhere = true;
  out.emplace_back(
      WriteEntry{entry, {record.generation, EntryState::kPending, EntryWord::kIsElsewhere}, 0, size_bytes});
  unbind(record, entry);
  // Who waits until it is made sees that it is. Who needs it here goes on waiting.
  ring_subscribers(record, out, true);
  if (is_awaited(entry)) {
    want({record.generation, entry}, out);
  }
}

// Only who holds it, which its ring has said before, and only the first. Its ring may have been read before the one
// with the ESCAPE: then the entry is free.
void Ownership::apply_keep(ProcessId process, const shm::RingMessage& message, Instructions& out) {
  EntryRecord* record = current(message.entry);
  bool may_keep = record != nullptr && !record->is_actor && record->count_of(Holder::process(process)) != 0 &&
                  !(record->extra && (record->extra->keeper || record->extra->alias_of));
  bool is_elsewhere = may_keep && record->extra && record->extra->is_elsewhere;
  if (may_keep && (record->state == EntryState::kFree || (is_elsewhere && record->state == EntryState::kPending))) {
    record->more().keeper = process;
    record->more().keeper_index = message.return_index;
  } else if (is_elsewhere && record->state == EntryState::kLost) {
    // It was lost before anybody could keep it.
    record->extra->keeper = process;
    record->extra->keeper_index = message.return_index;
    record->state = EntryState::kPending;
    hand_to_keeper(*record, message.entry.entry, out);
  } else {
    counters_.ignored_records += 1;  // it came here meanwhile
  }
}

bool Ownership::hand_to_keeper(EntryRecord& record, shm::EntryIndex entry, Instructions& out) {
  bool can_be_made = record.extra && record.extra->is_elsewhere && record.extra->keeper;
  if (!can_be_made) {
    return false;
  }
  end_elsewhere(record);
  record.creator = *record.extra->keeper;
  record.extra->keeper.reset();
  record.extra->return_index = record.extra->keeper_index;
  record.extra->is_elsewhere = false;
  record.extra->is_fetched = false;
  out.emplace_back(WriteEntry{entry, {record.generation, EntryState::kPending, 0}, 0, 0});
  out.emplace_back(RemakeObject{record.creator, {record.generation, entry}});
  // Who waits for it may have to let others go first.
  ring_subscribers(record, out, true);
  return true;
}

}  // namespace sabir::store
