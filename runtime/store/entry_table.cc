#include "runtime/store/entry_table.h"

#include <algorithm>

namespace sabir::store {

void EntryRecord::add(Holder holder, uint32_t count) {
  for (Held& held : holders) {
    if (held.holder == holder) {
      held.count += count;
      return;
    }
  }
  holders.push_back({holder, count});
}

uint32_t EntryRecord::remove(Holder holder, uint32_t count) {
  auto held = std::find_if(holders.begin(), holders.end(), [&](const Held& h) { return h.holder == holder; });
  if (held == holders.end()) {
    return 0;
  }
  uint32_t removed = std::min(held->count, count);
  held->count -= removed;
  if (held->count == 0) {
    *held = holders.back();
    holders.pop_back();
  }
  return removed;
}

uint32_t EntryRecord::count_of(Holder holder) const {
  for (const Held& held : holders) {
    if (held.holder == holder) {
      return held.count;
    }
  }
  return 0;
}

std::optional<uint32_t> EntryTable::lend(ProcessId process) {
  for (uint32_t index = 0; index < batches_.size(); ++index) {
    Batch& batch = *batches_[index];
    if (batch.dead && batch.reusable && batch.in_use == 0) {
      // The dead may have written words that nobody ever heard of: no reference to them may come alive.
      for (EntryRecord& record : batch.records) {
        record.generation = (record.generation + 1) & shm::kGenerationMask;
      }
      batch.process = process;
      batch.dead = batch.reusable = false;
      return index;
    }
  }
  if (batches_.size() == shm::kMaxEntryBatches) {
    return std::nullopt;
  }
  batches_.push_back(std::make_unique<Batch>());
  batches_.back()->process = process;
  return static_cast<uint32_t>(batches_.size() - 1);
}

EntryRecord* EntryTable::find(shm::EntryIndex entry) {
  Batch* batch = batch_of(entry);
  return batch == nullptr ? nullptr : &batch->records[entry % shm::kEntriesPerBatch];
}

const EntryRecord* EntryTable::find(shm::EntryIndex entry) const { return const_cast<EntryTable*>(this)->find(entry); }

}  // namespace sabir::store
