#include "runtime/shm/cell_pool.h"

#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace sabir::shm {

void CellPool::add_chunk(uint32_t chunk) {
  SABIR_CHECK(chunk < kMaxCellChunks, "chunk=", chunk);
  Cell* first = &calls_.segment().cells[size_t{chunk} * kCellsPerChunk];
  static_assert(kCellsPerChunk * kCellBytes % kPageBytes == 0);
  // Only saves faults; kernels before 5.14 do not know it.
  ::madvise(first, kCellsPerChunk * kCellBytes, MADV_POPULATE_WRITE);
  chunks_.push_back(chunk);
  free_.reserve(cell_count());
  // Backwards, so that cells are first used in the order of their addresses.
  for (uint32_t i = kCellsPerChunk; i > 0; --i) {
    free_.push_back(chunk * kCellsPerChunk + i - 1);
  }
}

}  // namespace sabir::shm
