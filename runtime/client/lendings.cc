#include "runtime/client/lendings.h"

#include "runtime/shm/cell.h"

namespace sabir::client {
namespace {

constexpr int64_t kLendTimeoutNs = 30 * kSecondNs;

shm::EntryWord load_word(const shm::ObjectEntry& entry) {
  return shm::EntryWord::unpack(entry.word.load(std::memory_order_acquire));
}

}  // namespace

void EntryPool::add_batch(uint32_t batch) {
  batches_.push_back(batch);
  // A batch of a dead process may still hold objects that others keep: only its FREE entries are ours.
  in_use_.resize(batches_.size() * shm::kEntriesPerBatch, true);
  scan();
}

void EntryPool::scan() {
  for (uint32_t place = 0; place < in_use_.size(); ++place) {
    if (in_use_[place] && load_word(calls_.entry(entry_at(place))).state == shm::EntryState::kFree) {
      in_use_[place] = false;
      free_.push_back(place);
    }
  }
}

bool EntryPool::take(shm::EntryRef& out) {
  if (free_.empty()) {
    scan();
  }
  if (free_.empty()) {
    return false;
  }
  uint32_t place = free_.back();
  free_.pop_back();
  in_use_[place] = true;
  shm::EntryIndex index = entry_at(place);
  shm::ObjectEntry& entry = calls_.entry(index);
  out = {load_word(entry).generation, index};
  // From here on a scan must not take it for freed.
  entry.word.store(shm::EntryWord{out.generation, shm::EntryState::kPending, 0}.pack(), std::memory_order_release);
  return true;
}

void EntryPool::give_back(shm::EntryRef ref) {
  calls_.entry(ref.entry).word.store(shm::EntryWord{ref.generation, shm::EntryState::kFree, 0}.pack(),
                                     std::memory_order_release);
}

Lendings::Lendings(const Membership& self, RingWriter& ring)
    : self_(self),
      ring_(ring),
      cells_(self.calls()),
      blocks_(self.calls(), shm::return_stack(self.calls(), self.slot())),
      result_blocks_(self.calls(), blocks_, self.slot()),
      entries_(self.calls()) {}

Result<void> Lendings::lend(rpc::LendKind kind, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  Result<uint32_t> index = self_.session().lend(kind, kLendTimeoutNs);
  lock.lock();
  if (!index.ok()) {
    return std::move(index).error().with_context("the node lends no more memory for calls");
  }
  switch (kind) {
    case rpc::LendKind::kCells:
      cells_.add_chunk(*index);
      break;
    case rpc::LendKind::kEntries:
      entries_.add_batch(*index);
      break;
    case rpc::LendKind::kBlocks:
      blocks_.add_chunk(*index);
      break;
  }
  return {};
}

uint32_t Lendings::take_block(size_t size_bytes) {
  uint32_t block = blocks_.allocate(size_bytes);
  if (block == shm::kNoBlock && result_blocks_.reclaim() != 0) {
    block = blocks_.allocate(size_bytes);
  }
  return block;
}

Result<uint32_t> Lendings::take_block(size_t size_bytes, std::unique_lock<std::mutex>& lock) {
  for (;;) {
    uint32_t block = take_block(size_bytes);
    if (block != shm::kNoBlock) {
      return block;
    }
    SABIR_RETURN_IF_ERROR(lend(rpc::LendKind::kBlocks, lock));
  }
}

Result<shm::EntryRef> Lendings::take_entry(std::unique_lock<std::mutex>& lock) {
  shm::EntryRef ref;
  while (!entries_.take(ref)) {
    SABIR_RETURN_IF_ERROR(lend(rpc::LendKind::kEntries, lock));
  }
  return ref;
}

void Lendings::free_what_was_read() {
  while (!later_.empty() && ring_.passed(later_.front().position)) {
    Later later = later_.front();
    later_.pop_front();
    if (later.cell == shm::kNoCell) {
      blocks_.free(later.block);
      continue;
    }
    shm::free_cell(self_.calls().cell(later.cell));
    cells_.give_back(later.cell);
    return_block(later.block);
  }
}

void Lendings::return_block(uint32_t unit) {
  if (unit != shm::kNoBlock) {
    shm::return_stack(self_.calls(), self_.node().block_owner(unit)).push(unit);
  }
}

}  // namespace sabir::client
