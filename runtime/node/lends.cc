#include "runtime/node/lends.h"

namespace sabir::node {

std::optional<uint32_t> Lends::Chunks::lend(store::ProcessId process) {
  uint32_t chunk;
  if (!free_.empty()) {
    chunk = free_.back();
    free_.pop_back();
  } else if (holdings_.size() < limit_) {
    chunk = static_cast<uint32_t>(holdings_.size());
    holdings_.emplace_back();
  } else {
    return std::nullopt;
  }
  holdings_[chunk] = {process, true};
  owners_[chunk].store(process.slot, std::memory_order_release);
  return chunk;
}

void Lends::Chunks::take_back(uint32_t chunk) {
  SABIR_CHECK(chunk < holdings_.size() && holdings_[chunk].lent, "chunk=", chunk);
  holdings_[chunk].lent = false;
  owners_[chunk].store(0, std::memory_order_release);
  free_.push_back(chunk);
}

std::optional<store::ProcessId> Lends::Chunks::holder(uint32_t chunk) const {
  return chunk < holdings_.size() && holdings_[chunk].lent ? std::optional(holdings_[chunk].process) : std::nullopt;
}

Lends::Lends(shm::NodeWriter& node)
    : node_(node),
      cells_(node.segment().cell_chunk_owner, shm::kMaxCellChunks),
      blocks_(node.segment().block_chunk_owner, shm::kMaxBlockChunks) {
  // Nobody's: the first use of cell 0 would be CellRef 0, which says "none" (parent, cancel, escape).
  cells_.lend(store::kNodeItself);
}

Result<uint32_t> Lends::lend_cells(Process& process) {
  std::optional<uint32_t> chunk = cells_.lend(process.id());
  if (!chunk) {
    return exhausted_error("all " + std::to_string(shm::kMaxCells) + " call records of this node are in use");
  }
  process.cell_chunks.push_back(*chunk);
  return *chunk;
}

Result<uint32_t> Lends::lend_blocks(Process& process) {
  std::optional<uint32_t> chunk = blocks_.lend(process.id());
  if (!chunk) {
    return exhausted_error("all memory for arguments and results of calls is in use (" +
                           std::to_string(shm::kMaxBlockChunks) + " MiB)");
  }
  process.block_chunks.push_back(*chunk);
  return *chunk;
}

Result<uint32_t> Lends::lend_blocks_to_node() {
  std::optional<uint32_t> chunk = blocks_.lend(store::kNodeItself);
  if (!chunk) {
    return exhausted_error("no memory for results");
  }
  return *chunk;
}

void Lends::note_entries(Process& process, uint32_t batch) {
  process.entry_batches.push_back(batch);
  node_.segment().entry_batch_owner[batch].store(process.key.slot, std::memory_order_release);
}

bool Lends::owns_cell(store::ProcessId process, shm::CellIndex cell) const {
  return cells_.holder(cell / shm::kCellsPerChunk) == std::optional(process);
}

bool Lends::owns_block_chunk(store::ProcessId process, uint32_t chunk) const {
  return blocks_.holder(chunk) == std::optional(process);
}

void Lends::take_back(const Process& process) {
  for (uint32_t chunk : process.cell_chunks) {
    cells_.take_back(chunk);
  }
  for (uint32_t chunk : process.block_chunks) {
    blocks_.take_back(chunk);
  }
  for (uint32_t batch : process.entry_batches) {
    node_.segment().entry_batch_owner[batch].store(0, std::memory_order_release);
  }
}

}  // namespace sabir::node
