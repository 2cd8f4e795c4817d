// Ownership's part for references inside other things: in a call's result (H2) and in a stored object.
#include <algorithm>

#include "runtime/store/ownership.h"

namespace sabir::store {

using shm::RingMessage;

// Such holds are the only ones whose number is not bounded by entries times processes: each author has a limit (T1).
bool Ownership::register_reference(ProcessId author, Instructions& out) {
  uint32_t& count = registered_[author];
  if (count >= options_.max_registered_per_process) {
    violation(author, "more than " + std::to_string(count) + " references inside results and objects", out);
    return false;
  }
  count += 1;
  return true;
}

void Ownership::unregister_references(ProcessId author, uint32_t count) {
  auto registered = registered_.find(author);
  if (registered != registered_.end()) {
    registered->second -= std::min(registered->second, count);
  }
}

void Ownership::apply_hold_cell(ProcessId process, const RingMessage& message, Instructions& out) {
  EntryRecord* record = current(message.entry);
  if (record == nullptr) {
    counters_.ignored_records += 1;
    return;
  }
  if (register_reference(process, out)) {
    record->add(Holder::cell(message.cell));
    cell_holds_[message.cell.cell].push_back({message.cell, message.entry, process});
    keep_late_ref(message);
  }
}

void Ownership::apply_drop_cell(ProcessId process, const RingMessage& message, Instructions& out) {
  if (options_.owns_cell && !options_.owns_cell(process, message.cell.cell)) {
    violation(process, "drop of cell " + std::to_string(message.cell.cell) + ", which is not of this process", out);
    return;
  }
  fresh_.push_back({Remove::Kind::kCell, Holder::cell(message.cell), {}, 0});
}

// Earlier generations go with it: they were consumed long ago.
void Ownership::remove_cell_holds(shm::CellIndex cell, shm::Generation up_to) {
  if (auto kept = kept_cells_.find(cell); kept != kept_cells_.end()) {
    std::erase_if(kept->second, [&](const Kept& k) { return k.cell.generation <= up_to; });
    if (kept->second.empty()) {
      kept_cells_.erase(kept);
    }
  }
  auto found = cell_holds_.find(cell);
  if (found == cell_holds_.end()) {
    return;
  }
  std::erase_if(found->second, [&](const CellHold& hold) {
    if (hold.cell.generation > up_to) {
      return false;
    }
    unregister_references(hold.author, 1);
    if (EntryRecord* record = current(hold.entry)) {
      record->remove(Holder::cell(hold.cell), 1);
      touch(*record, hold.entry.entry);
    }
    return true;
  });
  if (found->second.empty()) {
    cell_holds_.erase(found);
  }
}

void Ownership::keep_cell_refs(shm::CellRef cell, shm::EntryRef entry) {
  EntryRecord* container = undelivered(entry);
  if (container == nullptr) {
    return;
  }
  kept_cells_[cell.cell].push_back({cell, entry});
  if (auto found = cell_holds_.find(cell.cell); found != cell_holds_.end()) {
    for (const CellHold& hold : found->second) {
      if (hold.cell == cell && hold.entry != entry) {
        contain(*container, entry.entry, hold.entry);
      }
    }
  }
}

// The heir may have seen DONE in the cell while the claimer's HOLD, which it wrote before, lay in a ring unread.
void Ownership::keep_late_ref(const RingMessage& message) {
  auto found = kept_cells_.find(message.cell.cell);
  if (found == kept_cells_.end()) {
    return;
  }
  for (const Kept& kept : found->second) {
    EntryRecord* container = kept.cell == message.cell ? current(kept.entry) : nullptr;
    if (container != nullptr && kept.entry != message.entry) {
      contain(*container, kept.entry.entry, message.entry);
    }
  }
}

// The container is an object that its creator has not announced, a call's value that it has not delivered, or either
// with the reference still unpublished.
void Ownership::apply_hold_nested(ProcessId process, const RingMessage& message, Instructions& out) {
  EntryTable::Batch* batch = table_.batch_of(message.object.entry);
  if (batch == nullptr || batch->process != process) {
    violation(process, "hold inside entry " + std::to_string(message.object.entry) + ", which is not of this process",
              out);
    return;
  }
  EntryRecord* container = current(message.object);
  bool itself = message.object == message.entry;  // a result that refers to itself needs no hold of its own
  if (container == nullptr || current(message.entry) == nullptr || itself) {
    counters_.ignored_records += 1;
    return;
  }
  if (register_reference(process, out)) {
    contain(*container, message.object.entry, message.entry);
    container->more().registered += 1;
  }
}

void Ownership::contain(EntryRecord& container, shm::EntryIndex container_index, shm::EntryRef inner) {
  if (EntryRecord* record = current(inner)) {
    record->add(Holder::stored(container_index));
    container.more().contains.push_back(inner);
  }
}

// The container is gone, so each of its readers has written its own HOLDs, and they were read (H1, H2): nothing needs
// to wait for another round.
void Ownership::release_contained(EntryRecord& container, shm::EntryIndex container_index) {
  for (shm::EntryRef inner : container.extra->contains) {
    if (EntryRecord* record = current(inner)) {
      record->remove(Holder::stored(container_index), 1);
      touch(*record, inner.entry);
    }
  }
  unregister_references(container.creator, container.extra->registered);
  container.extra->contains.clear();
}

}  // namespace sabir::store
