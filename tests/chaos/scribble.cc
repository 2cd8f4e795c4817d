#include "tests/chaos/scribble.h"

#include <iterator>

#include "runtime/shm/word.h"

namespace sabir::testing {
namespace {

constexpr uint32_t kSlots = 12;
constexpr uint32_t kQueues = 12;
constexpr uint32_t kEntries = 3 * shm::kEntriesPerBatch;
constexpr uint32_t kCells = 4 * shm::kCellsPerChunk;
constexpr size_t kBlockBytes = 4 << 10;

uint64_t cell_word(shm::Generation generation, uint8_t state, uint16_t claimer) {
  return (generation << 24) | (uint64_t{state} << 20) | claimer;
}

// Limits, and one beyond; signs; states and claimers that do not exist; indices of others.
const uint64_t kBadWords[] = {
    0,
    1,
    2,
    ~uint64_t{0},
    ~uint64_t{0} - 1,
    uint64_t{1} << 63,
    (uint64_t{1} << 63) - 1,
    uint64_t{1} << 32,
    (uint64_t{1} << 32) - 1,
    uint64_t{1} << 31,
    shm::kMaxCells,
    shm::kMaxCells - 1,
    shm::kMaxCells + 1,
    shm::kMaxEntries,
    shm::kMaxEntries - 1,
    shm::kMaxProcesses,
    shm::kMaxProcesses - 1,
    shm::kMaxQueues,
    shm::kWorkQueueSlots,
    shm::kWorkQueueSlots + 1,
    shm::kProcessRingEntries,
    shm::kProcessRingEntries + 1,
    shm::kMaxBlockBytes,
    shm::kMaxBlockBytes + 1,
    uint64_t{shm::kMaxBlockChunks} * shm::kBlockChunkBytes / shm::kBlockUnitBytes,
    shm::kGenerationMask,
    cell_word(0, 1, 0),
    cell_word(0, 2, 0),
    cell_word(0, 2, 0xffff),
    cell_word(0, 4, 1),
    cell_word(0, 15, 3),
    cell_word(shm::kGenerationMask, 1, 0),
    cell_word(shm::kGenerationMask, 4, 1023),
};

}  // namespace

uint32_t Scribbler::table_size() { return static_cast<uint32_t>(std::size(kBadWords)); }

uint64_t Scribbler::pick_value() {
  uint64_t value = random_();
  switch (value % 4) {
    case 0:
      return random_();
    case 1:
      return random_() % 4096;
    default:
      return kBadWords[(value >> 8) % std::size(kBadWords)];
  }
}

void Scribbler::write64(void* words, size_t size_bytes) {
  auto* target = static_cast<uint64_t*>(words) + random_() % (size_bytes / sizeof(uint64_t));
  __atomic_store_n(target, pick_value(), __ATOMIC_RELAXED);
}

void Scribbler::scribble() {
  shm::CallsSegment& segment = calls_.segment();
  switch (random_() % 12) {
    case 0:
    case 1:
      write64(&segment.pages[random_() % kSlots], 512);
      break;
    case 2:
    case 3: {
      // A tail that sabird believes, then records that it should not.
      shm::ProcessRing& ring = segment.rings[random_() % kSlots];
      for (int i = 0; i < 8; ++i) {
        write64(&ring.records[random_() % 64], sizeof(shm::RingRecord));
        ring.records[random_() % 64].op = static_cast<uint8_t>(random_() % 16);
      }
      ring.tail.fetch_add(random_() % 8);
      break;
    }
    case 4:
      write64(&segment.rings[random_() % kSlots], 128);
      break;
    case 5:
    case 6:
      write64(&segment.queues[random_() % kQueues], 256 + 8 * 64);
      break;
    case 7:
      write64(&segment.entries[random_() % kEntries], sizeof(shm::ObjectEntry));
      break;
    case 8:
    case 9:
      write64(&segment.cells[random_() % kCells], sizeof(shm::Cell));
      break;
    case 10:
      write64(&segment.header, sizeof(shm::CallsHeader));
      break;
    default:
      write64(&segment.blocks[0], kBlockBytes);
      break;
  }
}

void Scribbler::scribble_table(uint32_t index) {
  uint64_t value = kBadWords[index % std::size(kBadWords)];
  shm::CallsSegment& segment = calls_.segment();
  uint32_t slot = 1 + static_cast<uint32_t>(random_() % (kSlots - 1));
  auto fill = [&](void* words, size_t size_bytes) {
    for (size_t i = 0; i < size_bytes / sizeof(uint64_t); ++i) {
      __atomic_store_n(static_cast<uint64_t*>(words) + i, value, __ATOMIC_RELAXED);
    }
  };
  fill(&segment.pages[slot], 512);
  fill(&segment.rings[slot], 128 + 16 * sizeof(shm::RingRecord));
  fill(&segment.queues[random_() % kQueues], sizeof(shm::WorkQueue));
  fill(&segment.cells[random_() % kCells], 16 * sizeof(shm::Cell));
  fill(&segment.entries[random_() % kEntries], 16 * sizeof(shm::ObjectEntry));
}

}  // namespace sabir::testing
