// What sabird lent to this process for as long as it lives: cells, blocks and object entries (LendKind). Private free
// lists over them; under the client's lock, except lend(), which asks sabird and must not be called with it.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "runtime/client/membership.h"
#include "runtime/client/ring_writer.h"
#include "runtime/shm/block_pool.h"
#include "runtime/shm/cell_pool.h"
#include "runtime/shm/result_blocks.h"

namespace sabir::client {

// Entries of this process's batches that are FREE (protocol rule O3): sabird gives an entry back by writing that into
// its word, nobody sends anything.
class EntryPool {
 public:
  explicit EntryPool(const shm::CallsView& calls) : calls_(calls) {}

  void add_batch(uint32_t batch);
  // An entry and the generation to use it with; false: ask sabird for a batch.
  bool take(shm::EntryRef& out);
  // It was never announced or escaped: its word says FREE again (written here).
  void give_back(shm::EntryRef ref);

 private:
  // Finds what sabird has freed since.
  void scan();

  const shm::CallsView& calls_;
  shm::EntryIndex entry_at(uint32_t place) const {
    return batches_[place / shm::kEntriesPerBatch] * shm::kEntriesPerBatch + place % shm::kEntriesPerBatch;
  }

  std::vector<uint32_t> batches_;
  // Places count through all batches in the order they came.
  std::vector<uint32_t> free_;
  std::vector<bool> in_use_;  // [place]: taken, and not known to be FREE
};

class Lendings {
 public:
  Lendings(const Membership& self, RingWriter& ring);

  shm::CellPool& cells() { return cells_; }
  shm::BlockPool& blocks() { return blocks_; }
  shm::ResultBlocks& result_blocks() { return result_blocks_; }
  EntryPool& entries() { return entries_; }

  // Asks sabird for one more, with `lock` (the client's) released meanwhile. Others may do the same; then there are
  // two.
  Result<void> lend(rpc::LendKind kind, std::unique_lock<std::mutex>& lock);

  // A block, or kNoBlock: lend one.
  uint32_t take_block(size_t size_bytes);
  // The same, lending if need be. kNoBlock only with an error.
  Result<uint32_t> take_block(size_t size_bytes, std::unique_lock<std::mutex>& lock);
  Result<shm::EntryRef> take_entry(std::unique_lock<std::mutex>& lock);

  // O6: free when sabird has read the ring up to `position`.
  void free_cell_later(shm::CellIndex cell, uint32_t result_block, uint64_t position) {
    later_.push_back({position, cell, result_block});
  }
  void free_block_later(uint32_t block, uint64_t position) { later_.push_back({position, shm::kNoCell, block}); }
  void free_what_was_read();
  // A block of another process's result, after its bytes were copied and the cell was freed.
  void return_block(uint32_t unit);
  bool owes() const { return !later_.empty(); }

 private:
  struct Later {
    uint64_t position;
    shm::CellIndex cell;  // kNoCell: `block` is one of our own
    uint32_t block;       // else the claimer's, to be returned with the cell
  };

  const Membership& self_;
  RingWriter& ring_;
  shm::CellPool cells_;
  shm::BlockPool blocks_;
  shm::ResultBlocks result_blocks_;
  EntryPool entries_;
  std::deque<Later> later_;  // positions rise
};

}  // namespace sabir::client
