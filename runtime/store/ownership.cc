#include "runtime/store/ownership.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::store {

using shm::EntryState;
using shm::RingMessage;
using shm::RingOp;

Ownership::Ownership(LoanLedger& loans, Options options) : loans_(loans), options_(std::move(options)) {}

Result<uint32_t> Ownership::lend_batch(ProcessId process, Instructions& out) {
  std::optional<uint32_t> batch = table_.lend(process);
  if (!batch) {
    return exhausted_error("all " + std::to_string(shm::kMaxEntries) + " object entries are in use");
  }
  shm::EntryIndex first = EntryTable::first_entry(*batch);
  for (shm::EntryIndex entry = first; entry < first + shm::kEntriesPerBatch; ++entry) {
    out.emplace_back(WriteEntry{entry, {table_.find(entry)->generation, EntryState::kFree, 0}, 0, 0});
  }
  return *batch;
}

// --- rounds ----------------------------------------------------------------------------------------------------------

void Ownership::begin_round() {
  SABIR_CHECK(!in_round_);
  in_round_ = true;
  counters_.rounds += 1;
}

void Ownership::apply(ProcessId process, const shm::RingRecord& record, Instructions& out) {
  if (dead_.contains(process)) {
    counters_.ignored_records += 1;
    return;
  }
  std::optional<RingMessage> message = shm::decode(record);
  if (!message) {
    violation(process, "unreadable ring record, operation " + std::to_string(record.op), out);
    return;
  }
  switch (message->op) {
    case RingOp::kAnnounce:
      apply_announce(process, *message, out);
      break;
    case RingOp::kEscape:
      apply_escape(process, *message, out);
      break;
    case RingOp::kBind:
      apply_bind(process, *message, out);
      break;
    case RingOp::kDeliver:
      apply_deliver(process, *message, out);
      break;
    case RingOp::kHold:
      apply_hold(Holder::process(process), message->entry);
      break;
    case RingOp::kPin:
      apply_hold(Holder::pin(process), message->entry);
      break;
    case RingOp::kRelease:
      unhold(Holder::process(process), message->entry);
      break;
    case RingOp::kUnpin:
      unhold(Holder::pin(process), message->entry);
      break;
    case RingOp::kHoldCell:
      apply_hold_cell(process, *message, out);
      break;
    case RingOp::kDropCell:
      apply_drop_cell(process, *message, out);
      break;
    case RingOp::kHoldNested:
      apply_hold_nested(process, *message, out);
      break;
    case RingOp::kSubscribe:
      apply_subscribe(process, *message, out);
      break;
    case RingOp::kKeep:
      apply_keep(process, *message, out);
      break;
    case RingOp::kCloseLoan:
      if (Result<void> closed = loans_.close(process, message->offset, out); !closed.ok()) {
        violation(process, "close: " + closed.error().message(), out);
      }
      break;
    case RingOp::kNone:
      break;
  }
}

// H1. Each ring has been read once since begin_round: what was taken away in the round before is now known not to be
// covered by an add that we had not read.
void Ownership::end_round(Instructions& out) {
  SABIR_CHECK(in_round_);
  in_round_ = false;
  for (const Remove& remove : aged_) {
    carry_out(remove, out);
  }
  aged_ = std::exchange(fresh_, {});
  answer_questions(out);
  sweep(out);
}

bool Ownership::needs_round() const {
  return !fresh_.empty() || !aged_.empty() || !questions_.empty() || !touched_.empty();
}

// --- entries ---------------------------------------------------------------------------------------------------------

std::pair<Ownership::Known, EntryRecord*> Ownership::know(shm::EntryRef ref) {
  EntryTable::Batch* batch = table_.batch_of(ref.entry);
  if (batch == nullptr) {
    return {Known::kNever, nullptr};
  }
  EntryRecord* record = table_.find(ref.entry);
  if (ref.generation != record->generation) {
    return {ref.generation < record->generation ? Known::kPast : Known::kNever, nullptr};
  }
  // Of a free entry there can be references only while its process may be about to use it.
  bool unborn = record->state == EntryState::kFree;
  if (unborn && (batch->dead || batch->process.is_node())) {
    return {Known::kNever, nullptr};
  }
  return {Known::kCurrent, record};
}

EntryRecord* Ownership::current(shm::EntryRef ref) { return know(ref).second; }

EntryRecord* Ownership::usable(ProcessId process, shm::EntryRef ref, const char* what, Instructions& out) {
  EntryTable::Batch* batch = table_.batch_of(ref.entry);
  if (batch == nullptr || batch->dead || batch->process != process) {
    violation(process, std::string(what) + ": entry " + std::to_string(ref.entry) + " is not of this process", out);
    return nullptr;
  }
  EntryRecord* record = table_.find(ref.entry);
  if (record->generation != ref.generation || record->state != EntryState::kFree) {
    violation(process,
              std::string(what) + ": entry " + std::to_string(ref.entry) + " is in use, or of another generation", out);
    return nullptr;
  }
  return record;
}

void Ownership::begin_use(EntryRecord& record, shm::EntryIndex entry, ProcessId creator) {
  record.creator = creator;
  table_.batch_of(entry)->in_use += 1;
}

void Ownership::apply_announce(ProcessId process, const RingMessage& message, Instructions& out) {
  EntryRecord* record = usable(process, message.entry, "announce", out);
  if (record == nullptr) {
    return;
  }
  Result<void> placed = loans_.announce(process, message.offset, message.size_bytes, message.closes_loan);
  if (!placed.ok()) {
    violation(process, "announce: " + placed.error().message(), out);
    return;
  }
  begin_use(*record, message.entry.entry, process);
  record->owns_bytes = true;
  record->offset = message.offset;
  record->size_bytes = message.size_bytes;
  record->add(Holder::process(process));
  objects_ += 1;
  object_bytes_ += message.size_bytes;
  counters_.announced += 1;
  // Its creator wrote the word before it published the reference (O3).
  resolve(message.entry.entry, EntryState::kResident, false, out);
}

Result<shm::EntryRef> Ownership::create_actor(shm::ActorIndex actor, Holder holder, Instructions& out) {
  if (node_free_.empty()) {
    SABIR_ASSIGN_OR_RETURN(uint32_t batch, lend_batch(kNodeItself, out));
    for (uint32_t i = shm::kEntriesPerBatch; i-- > 0;) {
      node_free_.push_back(EntryTable::first_entry(batch) + i);
    }
  }
  shm::EntryIndex entry = node_free_.back();
  node_free_.pop_back();
  EntryRecord& record = *table_.find(entry);
  begin_use(record, entry, kNodeItself);
  record.is_actor = true;
  record.offset = actor;
  record.add(holder);
  resolve(entry, EntryState::kResident, true, out);
  return shm::EntryRef{record.generation, entry};
}

void Ownership::touch(EntryRecord& record, shm::EntryIndex entry) {
  if (!record.touched) {
    record.touched = true;
    touched_.push_back(entry);
  }
}

// What lost a holder since the last time and has none left goes, and with it what it contained.
void Ownership::sweep(Instructions& out) {
  for (size_t i = 0; i < touched_.size(); ++i) {
    EntryRecord& record = *table_.find(touched_[i]);
    record.touched = false;
    if (record.state != EntryState::kFree && record.holders.empty()) {
      free_entry(touched_[i], out);
    }
  }
  touched_.clear();
}

void Ownership::free_entry(shm::EntryIndex entry, Instructions& out) {
  EntryRecord& record = *table_.find(entry);
  EntryTable::Batch& batch = *table_.batch_of(entry);
  if (record.is_actor) {
    out.emplace_back(ActorUnheld{static_cast<shm::ActorIndex>(record.offset), {record.generation, entry}});
  }
  if (record.owns_bytes) {
    objects_ -= 1;
    object_bytes_ -= record.size_bytes;
    loans_.object_freed(record.offset, out);
  }
  if (record.extra) {
    bool is_elsewhere = record.extra->is_elsewhere && !record.extra->alias_of;
    if (is_elsewhere && record.state == EntryState::kPending && !dead_.contains(record.creator)) {
      out.emplace_back(ObjectUnheld{record.creator, {record.generation, entry}});
    }
    end_elsewhere(record);
    release_contained(record, entry);
    unbind(record, entry);
  }
  shm::Generation next = (record.generation + 1) & shm::kGenerationMask;
  out.emplace_back(WriteEntry{entry, {next, EntryState::kFree, 0}, 0, 0});
  if (record.extra) {
    ring_subscribers(record, out);
  }
  bool touched = record.touched;
  record = EntryRecord{};
  record.touched = touched;
  record.generation = next;
  batch.in_use -= 1;
  if (batch.process.is_node()) {
    node_free_.push_back(entry);
  }
  counters_.freed += 1;
}

// --- holds -----------------------------------------------------------------------------------------------------------

void Ownership::apply_hold(Holder holder, shm::EntryRef ref) {
  if (EntryRecord* record = current(ref)) {
    record->add(holder);
  } else {
    counters_.ignored_records += 1;
  }
}

Result<void> Ownership::hold(Holder holder, shm::EntryRef entry) {
  EntryRecord* record = current(entry);
  if (record == nullptr) {
    return not_found_error("no such object: entry " + std::to_string(entry.entry));
  }
  record->add(holder);
  return {};
}

void Ownership::unhold(Holder holder, shm::EntryRef entry) {
  fresh_.push_back({Remove::Kind::kHold, holder, entry, 0});
}

void Ownership::drop_holder(Holder holder) { fresh_.push_back({Remove::Kind::kHolder, holder, {}, 0}); }

void Ownership::release_holds(ProcessId process) {
  releasing_.insert(process);
  fresh_.push_back({Remove::Kind::kProcess, Holder::process(process), {}, 0});
}

void Ownership::drop_cells(shm::CellIndex first, uint32_t count) {
  fresh_.push_back({Remove::Kind::kCellRange, Holder::cell({0, first}), {}, count});
}

void Ownership::carry_out(const Remove& remove, Instructions& out) {
  switch (remove.kind) {
    case Remove::Kind::kHold: {
      EntryRecord* record = current(remove.entry);
      if (record == nullptr || record->remove(remove.holder, 1) == 0) {
        counters_.ignored_releases += 1;  // H3
        bool by_process = remove.holder.kind == Holder::Kind::kProcess || remove.holder.kind == Holder::Kind::kPin;
        if (options_.strict_releases && by_process) {
          violation(ProcessId::unpack(remove.holder.value),
                    "release of entry " + std::to_string(remove.entry.entry) + ", which it does not hold", out);
        }
        return;
      }
      touch(*record, remove.entry.entry);
      return;
    }
    case Remove::Kind::kHolder:
      remove_everywhere(remove.holder);
      return;
    case Remove::Kind::kProcess:
      remove_everywhere(remove.holder);
      remove_everywhere(Holder::pin(ProcessId::unpack(remove.holder.value)));
      releasing_.erase(ProcessId::unpack(remove.holder.value));
      return;
    case Remove::Kind::kCell: {
      shm::CellRef cell = shm::CellRef::unpack(remove.holder.value);
      remove_cell_holds(cell.cell, cell.generation);
      return;
    }
    case Remove::Kind::kCellRange: {
      shm::CellIndex first = shm::CellRef::unpack(remove.holder.value).cell;
      for (shm::CellIndex cell = first; cell < first + remove.count; ++cell) {
        remove_cell_holds(cell, shm::kGenerationMask);
      }
      return;
    }
  }
}

// Looks at every entry: ends of processes, actors and jobs are rare, and an index would cost each hold.
void Ownership::remove_everywhere(Holder holder) {
  for (uint32_t index = 0; index < table_.batch_count(); ++index) {
    EntryTable::Batch& batch = *table_.batch(index);
    for (uint32_t i = 0; i < shm::kEntriesPerBatch; ++i) {
      EntryRecord& record = batch.records[i];
      if (!record.holders.empty() && record.remove(holder, ~uint32_t{0}) > 0) {
        touch(record, EntryTable::first_entry(index) + i);
      }
    }
  }
}

// --- deaths ----------------------------------------------------------------------------------------------------------

void Ownership::process_dead(ProcessId process, Instructions& out) {
  if (!dead_.insert(process).second) {
    return;
  }
  loans_.process_dead(process, out);
  for (uint32_t index = 0; index < table_.batch_count(); ++index) {
    EntryTable::Batch& batch = *table_.batch(index);
    for (EntryRecord& record : batch.records) {
      if (record.extra && record.extra->keeper == process) {
        record.extra->keeper.reset();
      }
    }
    if (batch.process != process || batch.dead) {
      continue;
    }
    batch.dead = true;
    for (uint32_t i = 0; i < shm::kEntriesPerBatch; ++i) {
      EntryRecord& record = batch.records[i];
      bool referred = !record.holders.empty() || record.extra;
      if (record.state == EntryState::kFree && referred) {
        // Somebody refers to what was never announced and never will be: lost. What it was to contain goes by rounds.
        shm::EntryIndex entry = EntryTable::first_entry(index) + i;
        begin_use(record, entry, process);
        record.add(Holder::node());
        unhold(Holder::node(), {record.generation, entry});
        resolve(entry, EntryState::kLost, true, out);
      }
    }
  }
}

void Ownership::memory_reusable(ProcessId process) {
  for (uint32_t index = 0; index < table_.batch_count(); ++index) {
    EntryTable::Batch& batch = *table_.batch(index);
    if (batch.dead && batch.process == process) {
      batch.reusable = true;
    }
  }
  dead_.erase(process);
  registered_.erase(process);
}

void Ownership::violation(ProcessId process, std::string text, Instructions& out) {
  counters_.violations += 1;
  out.emplace_back(Violation{process, std::move(text)});
}

}  // namespace sabir::store
