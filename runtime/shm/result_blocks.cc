#include "runtime/shm/result_blocks.h"

namespace sabir::shm {

uint32_t ResultBlocks::reclaim() {
  // A block that is in use but not out is being written for another call: it stays where it is.
  return pool_.reclaim([this](uint32_t unit) { return out_.erase(unit) != 0; });
}

uint32_t ResultBlocks::repair(SlotIndex dead) {
  // What the dead one pushed is on the return stack already and must not be freed a second time below.
  uint32_t count = reclaim();
  for (auto entry = out_.begin(); entry != out_.end();) {
    const HandedOut& handed = entry->second;
    bool consumed = handed.submitter == dead && load_cell_word(calls_.cell(handed.call.cell)) !=
                                                    CellWord{handed.call.generation, CellState::kDone, self_};
    if (!consumed) {
      ++entry;
      continue;
    }
    count += pool_.free(entry->first) ? 1 : 0;
    entry = out_.erase(entry);
  }
  return count;
}

}  // namespace sabir::shm
