// The free cells of a process: a private list over the chunks that sabird lent it. Last freed, first used: such a cell
// is in the cache. Not for several threads at once.
#pragma once

#include <vector>

#include "runtime/shm/cell.h"
#include "runtime/shm/segment.h"

namespace sabir::shm {

class CellPool {
 public:
  explicit CellPool(const CallsView& calls) : calls_(calls) {}

  // A chunk from sabird (LendKind cells). All its cells are FREE: they come from a new segment, or from a dead process
  // whose heir freed them (D5). Maps its memory at once, not at each first touch.
  void add_chunk(uint32_t chunk);

  // kNoCell: ask sabird for a chunk.
  CellIndex take() {
    if (free_.empty()) [[unlikely]] {
      return kNoCell;
    }
    CellIndex cell = free_.back();
    free_.pop_back();
    return cell;
  }
  // The cell is FREE (free_cell, repair_cell).
  void give_back(CellIndex cell) { free_.push_back(cell); }

  uint32_t free_count() const { return static_cast<uint32_t>(free_.size()); }
  uint32_t cell_count() const { return static_cast<uint32_t>(chunks_.size()) * kCellsPerChunk; }
  // For scans of R1: cell chunk * kCellsPerChunk + 0 .. kCellsPerChunk - 1.
  const std::vector<uint32_t>& chunks() const { return chunks_; }

 private:
  const CallsView& calls_;
  std::vector<uint32_t> chunks_;
  std::vector<CellIndex> free_;
};

}  // namespace sabir::shm
