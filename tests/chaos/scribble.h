// Writes nonsense into the shared segment, as a process with a stray pointer would: random words, and words from a
// table of the values that break naive readers.
#pragma once

#include <cstdint>
#include <random>

#include "runtime/shm/segment.h"

namespace sabir::testing {

class Scribbler {
 public:
  // Stays within what a small session uses: elsewhere nobody looks.
  Scribbler(const shm::CallsView& calls, uint64_t seed) : calls_(calls), random_(seed) {}

  // One write somewhere.
  void scribble();
  // Every word of the table into every word of one slot's page and ring, of one queue, and of some cells and entries.
  void scribble_table(uint32_t index);
  static uint32_t table_size();

 private:
  uint64_t pick_value();
  void write64(void* words, size_t size_bytes);

  const shm::CallsView& calls_;
  std::mt19937_64 random_;
};

}  // namespace sabir::testing
