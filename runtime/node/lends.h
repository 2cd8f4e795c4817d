// Who has which chunk of cells, entries and blocks on loan (T3): the private truth, and its copy in `node` for readers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/node/processes.h"
#include "runtime/shm/segment.h"
#include "runtime/store/identity.h"

namespace sabir::node {

class Lends {
 public:
  explicit Lends(shm::NodeWriter& node);

  // kExhausted: all chunks are lent.
  Result<uint32_t> lend_cells(Process& process);
  Result<uint32_t> lend_blocks(Process& process);
  // Blocks for sabird itself (results that it makes).
  Result<uint32_t> lend_blocks_to_node();
  // The batch was chosen by store::Ownership.
  void note_entries(Process& process, uint32_t batch);

  bool owns_cell(store::ProcessId process, shm::CellIndex cell) const;
  bool owns_block_chunk(store::ProcessId process, uint32_t chunk) const;
  // Nothing: nobody's. kNodeItself is a holder like others.
  std::optional<store::ProcessId> block_chunk_holder(uint32_t chunk) const { return blocks_.holder(chunk); }

  // D4 and D5: everything that the dead process had may be lent again.
  void take_back(const Process& process);

 private:
  class Chunks {
   public:
    Chunks(shm::Atomic32* owners, uint32_t limit) : owners_(owners), limit_(limit) {}
    std::optional<uint32_t> lend(store::ProcessId process);
    void take_back(uint32_t chunk);
    std::optional<store::ProcessId> holder(uint32_t chunk) const;

   private:
    struct Holding {
      store::ProcessId process;
      bool lent = false;
    };
    shm::Atomic32* owners_;  // in `node`: slots
    uint32_t limit_;
    std::vector<Holding> holdings_;  // of chunks ever lent
    std::vector<uint32_t> free_;     // last returned first: its pages are warm
  };

  shm::NodeWriter& node_;
  Chunks cells_;
  Chunks blocks_;
};

}  // namespace sabir::node
