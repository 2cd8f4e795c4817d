// Result blocks a claimer has handed out with its results, until they come back. The submitter consumes in this order:
// copy the result, free_cell, push the block on the claimer's return stack. It may die between the last two, and then
// nobody else knows the block: its claimer takes it back here. Not for several threads at once.
#pragma once

#include <unordered_map>

#include "runtime/shm/block_pool.h"
#include "runtime/shm/cell.h"

namespace sabir::shm {

class ResultBlocks {
 public:
  // Of this process: `self` is the claimer whose results these are.
  ResultBlocks(const CallsView& calls, BlockPool& pool, SlotIndex self) : calls_(calls), pool_(pool), self_(self) {}

  // Before finish_cell: the block leaves with this call's result, to this submitter.
  void hand_out(uint32_t unit, CellRef call, SlotIndex submitter) { out_[unit] = {call, submitter}; }
  // Takes back what lies on the return stack; how many blocks that was. In the place of BlockPool::reclaim. Now and
  // then, and when the pool says kNoBlock.
  uint32_t reclaim();
  // R1 of the claimer, when `dead` is in the death log: takes back the blocks of calls that `dead` had consumed. Those
  // of calls still DONE come back by its heir (D5), through the return stack.
  uint32_t repair(SlotIndex dead);

  uint32_t out_count() const { return static_cast<uint32_t>(out_.size()); }

 private:
  struct HandedOut {
    CellRef call;
    SlotIndex submitter = 0;
  };

  const CallsView& calls_;
  BlockPool& pool_;
  SlotIndex self_;
  std::unordered_map<uint32_t, HandedOut> out_;  // by unit
};

}  // namespace sabir::shm
