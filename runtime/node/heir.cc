#include "runtime/node/heir.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "runtime/client/error_value.h"
#include "runtime/client/value_format.h"
#include "runtime/shm/stack.h"
#include "runtime/shm/work_queue.h"

namespace sabir::node {
namespace {

constexpr uint32_t kUnitsPerChunk = shm::kBlockChunkBytes / shm::kBlockUnitBytes;

// The value of one return among several (client/value_format.h: Result). Nothing: damaged, or all of it lies in the
// store.
std::optional<std::span<const uint8_t>> slice_result(std::span<const uint8_t> bytes, uint16_t num_returns,
                                                     uint16_t index) {
  if (num_returns == 1) {
    return index == 0 ? std::optional(bytes) : std::nullopt;
  }
  std::optional<client::ParsedResults> results = client::parse_results(bytes, num_returns);
  if (!results || results->indirect || index >= results->values.size()) {
    return std::nullopt;
  }
  return results->values[index];
}

}  // namespace

Heir::Heir(Estate& estate, std::unique_ptr<Process> process, bool job_over)
    : estate_(estate), calls_(estate.segments.calls), process_(std::move(process)), job_over_(job_over) {
  cancel_queued(job_over);
}

void Heir::cancel_queued(bool job_over) {
  for (uint32_t chunk : process_->cell_chunks) {
    for (uint32_t i = 0; i < shm::kCellsPerChunk; ++i) {
      shm::CellIndex index = chunk * shm::kCellsPerChunk + i;
      shm::CellWord word = calls_.cell_word(index);
      if (word.state == shm::CellState::kQueued) {
        bool escaped = !estate_.objects.ownership().escapes_of_cell({word.generation, index}).empty();
        if (escaped && !job_over) {
          kept_.insert(index);
          continue;
        }
        shm::cancel_cell(estate_.segments.calls.cell(index), word.generation);
        word = calls_.cell_word(index);  // somebody may have been faster
      }
      if (claimed_by_living(word)) {
        claimed_.push_back(index);
      }
    }
  }
  for (shm::QueueIndex queue : process_->queues) {
    shm::WorkQueue& ring = estate_.segments.calls.queue(queue);
    shm::QueueAppender appender(ring, estate_.segments.calls);
    appender.skip_stale();
    appender.publish_overflow(0);  // its private list went with it
  }
}

bool Heir::claimed_by_living(shm::CellWord word) const {
  return word.state == shm::CellState::kClaimed && estate_.processes.at(word.claimer) != nullptr;
}

bool Heir::settle(bool acknowledged) {
  collect_kept(acknowledged);
  if (holds_released_) {
    return kept_.empty();
  }
  bool settled = true;
  for (const store::Ownership::Escape& escape : estate_.objects.ownership().escapes_of(process_->id())) {
    settled &= settle_escape(escape);
  }
  // Who has acknowledged runs nothing of the dead (D3): a word that still says so is damage.
  std::erase_if(claimed_,
                [&](shm::CellIndex cell) { return acknowledged || !claimed_by_living(calls_.cell_word(cell)); });
  // Also when nobody waits for its value any more: what runs on reads its arguments.
  settled &= std::none_of(kept_.begin(), kept_.end(), [&](shm::CellIndex cell) { return runs_on(cell); });
  if (!settled || !claimed_.empty()) {
    return false;
  }
  holds_released_ = true;
  store::ProcessId id = process_->id();
  estate_.objects.change([&](store::Ownership& ownership, store::Instructions& out) {
    ownership.lose_escapes(id, out);
    for (uint32_t chunk : process_->cell_chunks) {
      ownership.drop_cells(chunk * shm::kCellsPerChunk, shm::kCellsPerChunk);
    }
    ownership.release_holds(id);
    return true;
  });
  return kept_.empty();
}

bool Heir::runs_on(shm::CellIndex cell) const {
  shm::CellWord word = calls_.cell_word(cell);
  return word.state == shm::CellState::kQueued || claimed_by_living(word);
}

void Heir::collect_kept(bool acknowledged) {
  if (kept_.empty()) {
    return;
  }
  std::vector<uint32_t> arrived;
  auto bound = static_cast<uint32_t>(process_->cell_chunks.size()) * shm::kCellsPerChunk;
  shm::reply_stack(estate_.segments.calls, process_->key.slot).take_all(arrived, bound);
  for (uint32_t cell : arrived) {
    kept_.erase(cell);
  }
  cancel_kept(acknowledged);
  std::erase_if(kept_, [&](shm::CellIndex cell) {
    shm::CellWord word = calls_.cell_word(cell);
    bool has_claimer = word.state == shm::CellState::kClaimed || word.state == shm::CellState::kDone;
    // A cancelled one comes back only from an inbox, and whoever has acknowledged has drained its inbox.
    bool cancelled = word.state == shm::CellState::kCancelled && acknowledged;
    return word.state == shm::CellState::kFree || cancelled ||
           (has_claimer && estate_.processes.at(word.claimer) == nullptr);
  });
}

// What was left queued for its value's sake, and will not run or need not: its job is over; nobody holds the value any
// more; or it is nowhere. The latter is known when all have acknowledged: an actor has then drained its inbox and has
// nothing of the dead in its list, so what is queued and in no ring was at a dead actor, or the submitter died before
// it had appended the call.
void Heir::cancel_kept(bool acknowledged) {
  bool look_for_strays = acknowledged && !std::exchange(strays_cancelled_, acknowledged);
  std::set<uint64_t> in_rings;
  if (look_for_strays) {
    in_rings = refs_in_rings();
  }
  for (shm::CellIndex cell : kept_) {
    shm::CellWord word = calls_.cell_word(cell);
    if (word.state != shm::CellState::kQueued) {
      continue;
    }
    shm::CellRef ref{word.generation, cell};
    bool wanted = !estate_.objects.ownership().escapes_of_cell(ref).empty();
    bool stray = look_for_strays && !in_rings.contains(ref.pack());
    if (job_over_ || !wanted || stray) {
      shm::cancel_cell(estate_.segments.calls.cell(cell), word.generation);
    }
  }
}

std::set<uint64_t> Heir::refs_in_rings() const {
  std::set<uint64_t> refs;
  for (shm::QueueIndex queue : process_->queues) {
    calls_.for_each_in_queue(queue, [&](shm::CellRef ref) { refs.insert(ref.pack()); });
  }
  return refs;
}

bool Heir::settle_escape(const store::Ownership::Escape& escape) {
  if (!escape.cell) {
    return true;  // it never reached a cell: lose_escapes() ends it
  }
  shm::CellCopy cell = calls_.cell(escape.cell->cell);
  if (cell.word.generation != escape.cell->generation) {
    return true;
  }
  switch (cell.word.state) {
    case shm::CellState::kQueued:
      return job_over_;
    case shm::CellState::kClaimed:
      if (claimed_by_living(cell.word)) {
        return false;
      }
      deliver_error(escape.entry, ErrorKind::kWorkerCrashed,
                    "the process that ran the call died, and the one that had submitted it is gone, too");
      return true;
    case shm::CellState::kDone:
      deliver_result(escape, cell);
      return true;
    case shm::CellState::kCancelled:
      deliver_error(escape.entry, ErrorKind::kCancelled, "the process that had submitted the call is gone");
      return true;
    default:
      return true;
  }
}

void Heir::deliver_result(const store::Ownership::Escape& escape, const shm::CellCopy& cell) {
  auto place = static_cast<shm::ResultPlace>(cell.result_place.any());
  if (place == shm::ResultPlace::kNone) {
    estate_.objects.change([&](store::Ownership& ownership, store::Instructions& out) {
      ownership.deliver_null(escape.entry, out);
      return true;
    });
    return;
  }
  uint32_t size_bytes = cell.result_bytes.clamped(0, shm::kMaxBlockBytes);
  alignas(8) std::array<uint8_t, shm::kCellInlineBytes> small;
  std::vector<uint64_t> large;  // words: values are read at multiples of 8
  std::span<const uint8_t> bytes;
  bool copied = false;
  if (place == shm::ResultPlace::kInline) {
    uint32_t args_bytes = cell.args_block == 0 ? cell.args_bytes.clamped(0, shm::kCellInlineBytes) : 0;
    copied = size_bytes <= small.size() &&
             calls_.copy_payload(escape.cell->cell, client::pad8(args_bytes), small.data(), size_bytes);
    bytes = {small.data(), size_bytes};
  } else if (place == shm::ResultPlace::kBlock) {
    large.resize((size_bytes + 7) / 8);
    copied = calls_.copy_block(cell.result_block.any(), large.data(), size_bytes);
    bytes = {reinterpret_cast<const uint8_t*>(large.data()), size_bytes};
  }
  std::optional<std::span<const uint8_t>> value = !copied ? std::nullopt
                                                  : cell.result_is_error
                                                      ? std::optional(bytes)  // one error for all returns
                                                      : slice_result(bytes, cell.num_returns, escape.return_index);
  if (!value) {
    deliver_lost(escape.entry);
    return;
  }
  estate_.objects.ownership().keep_cell_refs(*escape.cell, escape.entry);
  deliver_bytes(escape, *value);
}

void Heir::deliver_bytes(const store::Ownership::Escape& escape, std::span<const uint8_t> bytes) {
  std::optional<client::ParsedValue> value = client::parse_value(bytes, client::kCallAlignment);
  if (!value) {
    deliver_lost(escape.entry);
    return;
  }
  if (value->indirect) {
    estate_.objects.change([&](store::Ownership& ownership, store::Instructions& out) {
      ownership.deliver_object(escape.entry, {value->indirect->generation, value->indirect->entry}, out);
      return true;
    });
    return;
  }
  // The same value, with its data where values in the store have it.
  size_t prefix = client::value_prefix_bytes(value->table.size(), client::kStoreAlignment);
  std::vector<uint8_t> stored(prefix + value->data.size());
  std::memcpy(stored.data(), &value->header, sizeof(value->header));
  if (!value->table.empty()) {
    std::memcpy(stored.data() + sizeof(value->header), value->table.data(), value->table.size());
  }
  if (!value->data.empty()) {
    std::memcpy(stored.data() + prefix, value->data.data(), value->data.size());
  }
  place(escape.entry, stored);
}

void Heir::deliver_error(shm::EntryRef entry, ErrorKind kind, const std::string& message) {
  place(entry, client::make_error_value(kind, message, client::kStoreAlignment));
}

void Heir::place(shm::EntryRef entry, std::span<const uint8_t> bytes) {
  estate_.objects.change([&](store::Ownership& ownership, store::Instructions& out) {
    Result<uint64_t> offset = ownership.place_value(entry, bytes.size(), out);
    if (offset.ok()) {
      std::memcpy(estate_.objects.at(*offset), bytes.data(), bytes.size());
      ownership.finish_value(entry, out);
    }
    return true;
  });
}

void Heir::deliver_lost(shm::EntryRef entry) {
  estate_.objects.change([&](store::Ownership& ownership, store::Instructions& out) {
    ownership.deliver_lost(entry, out);
    return true;
  });
}

void Heir::free_memory() {
  memory_is_free_ = true;
  for (uint32_t chunk : process_->cell_chunks) {
    for (uint32_t i = 0; i < shm::kCellsPerChunk; ++i) {
      shm::CellIndex index = chunk * shm::kCellsPerChunk + i;
      shm::CellCopy cell = calls_.cell(index);
      if (cell.word.state == shm::CellState::kFree) {
        continue;
      }
      if (cell.word.state == shm::CellState::kDone &&
          cell.result_place == static_cast<uint8_t>(shm::ResultPlace::kBlock)) {
        give_block_back(cell.result_block.any());
      }
      shm::free_cell(estate_.segments.calls.cell(index));
    }
  }
}

void Heir::give_block_back(uint32_t unit) {
  std::optional<store::ProcessId> holder = estate_.lends.block_chunk_holder(unit / kUnitsPerChunk);
  if (!holder) {
    return;
  }
  // sabird's own blocks come back through the stack of its slot, like everybody's.
  bool lives = holder->is_node() || estate_.processes.find({holder->slot, holder->incarnation}) != nullptr;
  if (lives) {
    shm::return_stack(estate_.segments.calls, holder->slot).push(unit);
  }
}

}  // namespace sabir::node
