// Ownership's part for escaped calls (O6): entries that are pending, who waits for them, how they get their value.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/store/ownership.h"

namespace sabir::store {

using shm::EntryState;
using shm::RingMessage;

void Ownership::apply_escape(ProcessId process, const RingMessage& message, Instructions& out) {
  EntryRecord* record = usable(process, message.entry, "escape", out);
  if (record == nullptr) {
    return;
  }
  begin_use(*record, message.entry.entry, process);
  record->state = EntryState::kPending;
  record->add(Holder::process(process));
  record->more().return_index = message.return_index;
  if (message.is_elsewhere) {
    begin_elsewhere(*record, message.size_bytes);
    // What rings that were read before have said of it.
    for (shm::EntryIndex alias : record->more().aliases) {
      EntryRecord* other = table_.find(alias);
      if (other->state == EntryState::kPending && other->extra && other->extra->alias_of == message.entry) {
        follow_elsewhere(*other, alias, message.size_bytes, out);
      }
    }
    if (is_awaited(message.entry.entry)) {
      want(message.entry, out);
    }
  }
  counters_.escaped += 1;
  if (message.cell != shm::CellRef{}) {
    bind(process, *record, message.entry.entry, message.cell, out);
  }
}

void Ownership::apply_bind(ProcessId process, const RingMessage& message, Instructions& out) {
  EntryRecord* record = undelivered(message.entry);
  if (record == nullptr) {
    counters_.ignored_records += 1;  // nobody wants the value any more
    return;
  }
  if (record->creator != process) {
    violation(process, "bind of entry " + std::to_string(message.entry.entry) + ", which is not of this process", out);
    return;
  }
  bind(process, *record, message.entry.entry, message.cell, out);
}

bool Ownership::bind(ProcessId process, EntryRecord& record, shm::EntryIndex entry, shm::CellRef cell,
                     Instructions& out) {
  if (options_.owns_cell && !options_.owns_cell(process, cell.cell)) {
    violation(process, "bind to cell " + std::to_string(cell.cell) + ", which is not of this process", out);
    return false;
  }
  unbind(record, entry);
  record.more().cell = cell;
  cell_escapes_[cell.pack()].push_back(entry);
  return true;
}

void Ownership::unbind(EntryRecord& record, shm::EntryIndex entry) {
  if (!record.extra || !record.extra->cell) {
    return;
  }
  auto found = cell_escapes_.find(record.extra->cell->pack());
  SABIR_CHECK(found != cell_escapes_.end(), "entry=", entry);
  std::erase(found->second, entry);
  if (found->second.empty()) {
    cell_escapes_.erase(found);
  }
  record.extra->cell.reset();
}

EntryRecord* Ownership::undelivered(shm::EntryRef ref) {
  EntryRecord* record = current(ref);
  bool open = record != nullptr && record->state == EntryState::kPending && !(record->extra && record->extra->alias_of);
  return open ? record : nullptr;
}

// --- values ----------------------------------------------------------------------------------------------------------

void Ownership::apply_deliver(ProcessId process, const RingMessage& message, Instructions& out) {
  EntryRecord* record = undelivered(message.entry);
  if (record == nullptr) {
    counters_.ignored_records += 1;  // a DELIVER for a freed entry (O6), or a second one
    return;
  }
  if (record->creator != process) {
    violation(process, "deliver to entry " + std::to_string(message.entry.entry) + ", which is not of this process",
              out);
    return;
  }
  switch (message.place) {
    case shm::DeliverPlace::kBlock:
      deliver_from_block(process, message, out);
      break;
    case shm::DeliverPlace::kObject:
      deliver_object(message.entry, message.object, out);
      break;
    case shm::DeliverPlace::kNull:
      deliver_null(message.entry, out);
      break;
    case shm::DeliverPlace::kLost:
      deliver_lost(message.entry, out);
      break;
  }
}

void Ownership::deliver_from_block(ProcessId process, const RingMessage& message, Instructions& out) {
  if (message.size_bytes == 0) {
    deliver_null(message.entry, out);
    return;
  }
  constexpr uint64_t kUnitsPerChunk = shm::kBlockChunkBytes / shm::kBlockUnitBytes;
  uint64_t units = (message.size_bytes + shm::kBlockUnitBytes - 1) / shm::kBlockUnitBytes;
  uint64_t first_chunk = message.block_unit / kUnitsPerChunk;
  uint64_t last_chunk = (message.block_unit + units - 1) / kUnitsPerChunk;
  for (uint64_t chunk = first_chunk; options_.owns_block_chunk && chunk <= last_chunk; ++chunk) {
    if (!options_.owns_block_chunk(process, static_cast<uint32_t>(chunk))) {
      violation(process, "deliver from block " + std::to_string(message.block_unit) + ", which is not of this process",
                out);
      deliver_lost(message.entry, out);
      return;
    }
  }
  Result<uint64_t> offset = place_value(message.entry, message.size_bytes, out);
  if (offset.ok()) {
    out.emplace_back(CopyBlock{process, message.block_unit, message.size_bytes, *offset});
    finish_value(message.entry, out);
  }
}

Result<uint64_t> Ownership::place_value(shm::EntryRef entry, uint64_t size_bytes, Instructions& out) {
  EntryRecord* record = undelivered(entry);
  if (record == nullptr || record->owns_bytes) {
    return not_found_error("no undelivered call at entry " + std::to_string(entry.entry));
  }
  Result<uint64_t> offset = loans_.place(size_bytes);
  if (!offset.ok()) {
    deliver_lost(entry, out);
    return offset;
  }
  record->owns_bytes = true;
  record->offset = *offset;
  record->size_bytes = size_bytes;
  objects_ += 1;
  object_bytes_ += size_bytes;
  return offset;
}

void Ownership::finish_value(shm::EntryRef entry, Instructions& out) {
  EntryRecord* record = undelivered(entry);
  if (record != nullptr && record->owns_bytes) {
    resolve(entry.entry, EntryState::kResident, true, out);
  }
}

void Ownership::deliver_object(shm::EntryRef entry, shm::EntryRef object, Instructions& out) {
  EntryRecord* record = undelivered(entry);
  if (record == nullptr) {
    return;
  }
  EntryRecord* target = current(object);
  shm::EntryRef root;
  EntryRecord* end = root_of(object, root);
  bool is_elsewhere = end != nullptr && end != record && target->state == EntryState::kPending && target->extra &&
                      target->extra->is_elsewhere;
  bool usable = target != nullptr && !target->is_actor &&
                (target->state == EntryState::kResident || target->state == EntryState::kFree || is_elsewhere);
  if (!usable) {
    resolve(entry.entry, EntryState::kLost, true, out);
    return;
  }
  contain(*record, entry.entry, object);
  end_elsewhere(*record);
  record->more().alias_of = object;
  if (target->state == EntryState::kResident) {
    record->offset = target->offset;
    record->size_bytes = target->size_bytes;
    resolve(entry.entry, EntryState::kResident, true, out);
  } else {
    // Its ANNOUNCE lies in a ring that this round has not come to, or it is on another node.
    target->more().aliases.push_back(entry.entry);
    if (is_elsewhere) {
      follow_elsewhere(*record, entry.entry, target->size_bytes, out);
    }
  }
}

void Ownership::deliver_null(shm::EntryRef entry, Instructions& out) {
  if (undelivered(entry) != nullptr) {
    resolve(entry.entry, EntryState::kResident, true, out);
  }
}

void Ownership::deliver_lost(shm::EntryRef entry, Instructions& out) {
  EntryRecord* record = undelivered(entry);
  if (record != nullptr && !hand_to_keeper(*record, entry.entry, out)) {
    resolve(entry.entry, EntryState::kLost, true, out);
  }
}

void Ownership::resolve(shm::EntryIndex entry, EntryState state, bool write, Instructions& out) {
  std::vector<shm::EntryIndex> work = {entry};
  while (!work.empty()) {
    shm::EntryIndex index = work.back();
    work.pop_back();
    EntryRecord& record = *table_.find(index);
    record.state = state;
    counters_.lost += state == EntryState::kLost ? 1 : 0;
    if (write || index != entry) {
      uint16_t flags = record.is_actor ? shm::EntryWord::kIsActor : uint16_t{0};
      if (state == EntryState::kLost && record.extra && record.extra->is_elsewhere) {
        flags |= shm::EntryWord::kIsElsewhere;
      }
      out.emplace_back(WriteEntry{index, {record.generation, state, flags}, record.offset, record.size_bytes});
    }
    if (!record.extra) {
      continue;
    }
    unbind(record, index);
    end_elsewhere(record);
    ring_subscribers(record, out);
    shm::EntryRef self{record.generation, index};
    for (shm::EntryIndex alias : std::exchange(record.extra->aliases, {})) {
      EntryRecord& other = *table_.find(alias);
      bool waits = other.state == EntryState::kPending && other.extra && other.extra->alias_of == self;
      if (waits) {
        other.offset = record.offset;
        other.size_bytes = record.size_bytes;
        work.push_back(alias);
      }
    }
  }
}

void Ownership::lose_escapes(ProcessId process, Instructions& out) {
  for (const Escape& escape : escapes_of(process)) {
    deliver_lost(escape.entry, out);
  }
}

// --- who waits -------------------------------------------------------------------------------------------------------

void Ownership::apply_subscribe(ProcessId process, const RingMessage& message, Instructions& out) {
  auto [known, record] = know(message.entry);
  bool settled = known == Known::kPast ||
                 (record != nullptr && record->state != EntryState::kPending && record->state != EntryState::kFree);
  if (settled) {
    out.emplace_back(RingProcess{process});
    return;
  }
  if (record != nullptr) {
    std::vector<ProcessId>& subscribers = record->more().subscribers;
    if (std::find(subscribers.begin(), subscribers.end(), process) == subscribers.end()) {
      subscribers.push_back(process);
    }
    if (record->state == EntryState::kPending) {
      want(message.entry, out);
      return;
    }
  }
  questions_.push_back({process, message.entry, counters_.rounds});
}

// O4: what is still unknown after a full round that began later will stay so. The asker is rung and sees an entry that
// is free.
void Ownership::answer_questions(Instructions& out) {
  std::erase_if(questions_, [&](const Question& question) {
    if (question.round >= counters_.rounds) {
      return false;
    }
    EntryRecord* record = current(question.entry);
    if (record == nullptr || record->state == EntryState::kFree) {
      counters_.ignored_records += 1;
      if (record != nullptr && record->extra) {
        std::erase(record->extra->subscribers, question.process);
      }
      out.emplace_back(RingProcess{question.process});
    }
    return true;
  });
}

void Ownership::ring_subscribers(EntryRecord& record, Instructions& out, bool stay) {
  for (ProcessId process : record.extra->subscribers) {
    if (!dead_.contains(process)) {
      out.emplace_back(RingProcess{process});
    }
  }
  if (!stay) {
    record.extra->subscribers.clear();
  }
}

// --- the heir's questions --------------------------------------------------------------------------------------------

Ownership::Escape Ownership::escape_of(const EntryRecord& record, shm::EntryIndex entry) {
  return {{record.generation, entry}, record.extra->cell, record.extra->return_index};
}

std::vector<Ownership::Escape> Ownership::escapes_of(ProcessId process) const {
  std::vector<Escape> escapes;
  for (uint32_t index = 0; index < table_.batch_count(); ++index) {
    const EntryTable::Batch& batch = *table_.batch(index);
    for (uint32_t i = 0; i < shm::kEntriesPerBatch; ++i) {
      // Not the batch's process: what was handed to a keeper is that one's (O11).
      const EntryRecord& record = batch.records[i];
      bool is_its = record.creator == process && record.state == EntryState::kPending;
      if (is_its && record.extra && !record.extra->alias_of) {
        escapes.push_back(escape_of(record, EntryTable::first_entry(index) + i));
      }
    }
  }
  return escapes;
}

std::vector<Ownership::Escape> Ownership::escapes_of_cell(shm::CellRef cell) const {
  std::vector<Escape> escapes;
  auto found = cell_escapes_.find(cell.pack());
  if (found != cell_escapes_.end()) {
    for (shm::EntryIndex entry : found->second) {
      escapes.push_back(escape_of(*table_.find(entry), entry));
    }
  }
  return escapes;
}

}  // namespace sabir::store
