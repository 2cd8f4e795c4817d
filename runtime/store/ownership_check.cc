// Ownership's questions for people, and its recount of everything for tests.
#include <algorithm>
#include <map>

#include "runtime/store/ownership.h"

namespace sabir::store {

using shm::EntryState;

std::optional<Ownership::Info> Ownership::look_up(shm::EntryRef entry) const {
  const EntryRecord* record = table_.find(entry.entry);
  if (record == nullptr || record->generation != entry.generation) {
    return std::nullopt;
  }
  uint16_t flags = record->is_actor ? shm::EntryWord::kIsActor : uint16_t{0};
  return Info{
      {record->generation, record->state, flags}, record->offset, record->size_bytes, record->creator, record->holders};
}

uint64_t Ownership::held_by(Holder holder) const {
  uint64_t entries = 0;
  for (uint32_t index = 0; index < table_.batch_count(); ++index) {
    for (const EntryRecord& record : table_.batch(index)->records) {
      entries += record.count_of(holder) > 0 ? 1 : 0;
    }
  }
  return entries;
}

std::string Ownership::check_invariants() const {
  if (std::string ledger = loans_.check_invariants(); !ledger.empty()) {
    return "ledger: " + ledger;
  }
  uint64_t objects = 0;
  uint64_t object_bytes = 0;
  std::map<std::pair<shm::EntryIndex, shm::EntryIndex>, uint32_t> contained;  // (inner, container) -> times
  uint64_t stored_holds = 0;
  uint64_t cell_holds = 0;
  uint64_t bound = 0;
  for (uint32_t index = 0; index < table_.batch_count(); ++index) {
    const EntryTable::Batch& batch = *table_.batch(index);
    uint32_t in_use = 0;
    for (uint32_t i = 0; i < shm::kEntriesPerBatch; ++i) {
      const EntryRecord& record = batch.records[i];
      shm::EntryIndex entry = EntryTable::first_entry(index) + i;
      in_use += record.state != EntryState::kFree ? 1 : 0;
      if (record.owns_bytes) {
        objects += 1;
        object_bytes += record.size_bytes;
      }
      if (record.state != EntryState::kFree && record.holders.empty() && !record.touched) {
        return "nobody holds entry " + std::to_string(entry) + " and it is not about to go";
      }
      if (record.state == EntryState::kFree && record.owns_bytes) {
        return "a free entry has bytes: " + std::to_string(entry);
      }
      for (const Held& held : record.holders) {
        if (held.count == 0) {
          return "a holder with nothing at entry " + std::to_string(entry);
        }
        stored_holds += held.holder.kind == Holder::Kind::kStored ? held.count : 0;
        cell_holds += held.holder.kind == Holder::Kind::kCell ? held.count : 0;
      }
      if (record.extra) {
        for (shm::EntryRef inner : record.extra->contains) {
          contained[{inner.entry, entry}] += 1;
        }
        bound += record.extra->cell ? 1 : 0;
        if (record.extra->cell &&
            (record.state != EntryState::kPending || !cell_escapes_.contains(record.extra->cell->pack()))) {
          return "a bound entry is not pending, or not listed: " + std::to_string(entry);
        }
      }
    }
    if (in_use != batch.in_use) {
      return "batch " + std::to_string(index) + " counts " + std::to_string(batch.in_use) + " entries in use, not " +
             std::to_string(in_use);
    }
  }
  uint64_t contained_total = 0;
  for (const auto& [pair, times] : contained) {
    const EntryRecord* inner = table_.find(pair.first);
    if (inner == nullptr || inner->count_of(Holder::stored(pair.second)) != times) {
      return "entry " + std::to_string(pair.second) + " does not hold " + std::to_string(pair.first) + " as it should";
    }
    contained_total += times;
  }
  uint64_t listed_bound = 0;
  for (const auto& [cell, entries] : cell_escapes_) {
    listed_bound += entries.size();
  }
  if (listed_bound != bound) {
    return "escaped calls in cells: " + std::to_string(listed_bound) + " listed, " + std::to_string(bound) + " bound";
  }
  uint64_t listed_cell_holds = 0;
  for (const auto& [cell, holds] : cell_holds_) {
    listed_cell_holds += holds.size();
  }
  if (contained_total != stored_holds || listed_cell_holds != cell_holds) {
    return "holds from inside differ: objects " + std::to_string(contained_total) + "/" + std::to_string(stored_holds) +
           ", cells " + std::to_string(listed_cell_holds) + "/" + std::to_string(cell_holds);
  }
  LoanLedger::Usage usage = loans_.usage();
  if (objects != objects_ || object_bytes != object_bytes_ || objects != usage.objects ||
      object_bytes != usage.object_bytes) {
    return "objects differ: " + std::to_string(objects) + "/" + std::to_string(objects_) + "/" +
           std::to_string(usage.objects) + ", bytes " + std::to_string(object_bytes) + "/" +
           std::to_string(object_bytes_) + "/" + std::to_string(usage.object_bytes);
  }
  return {};
}

}  // namespace sabir::store
