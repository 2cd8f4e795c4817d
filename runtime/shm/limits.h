// Sizes of the shared segments. Each bounds something a process can ask for; all segments are sparse, so a
// generous limit costs address space and not memory. Changing any of them changes the layout hash (T6).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sabir::shm {

inline constexpr uint32_t kLayoutVersion = 2;

inline constexpr size_t kCacheLineBytes = 64;
inline constexpr size_t kPageBytes = 4096;

// Slot 0 is sabird itself; processes have slots 1..kMaxProcesses-1.
inline constexpr uint32_t kMaxProcesses = 1024;
inline constexpr uint32_t kMaxClasses = 1024;
inline constexpr uint32_t kMaxQueues = 8192;
inline constexpr uint32_t kMaxQueuesPerClass = 512;
inline constexpr uint32_t kMaxWorkersPerClass = 256;
inline constexpr uint32_t kMaxActors = 16384;
inline constexpr uint32_t kMaxSpinTokens = 64;
inline constexpr uint32_t kDeathLogEntries = 4096;

// Q3: one ring per (submitter, class).
inline constexpr uint32_t kWorkQueueSlots = 1024;
// Q4: calls of one sender in flight at one actor.
inline constexpr uint32_t kActorCallsInFlight = 256;

// Q1: measured against 256 by runtime/shm/work_queue_benchmark.cc; see docs/performance.md.
#if defined(SABIR_SHM_CELL_BYTES)
inline constexpr size_t kCellBytes = SABIR_SHM_CELL_BYTES;
#else
inline constexpr size_t kCellBytes = 128;
#endif
inline constexpr size_t kCellInlineBytes = kCellBytes - 64;
inline constexpr uint32_t kCellsPerChunk = 256;
inline constexpr uint32_t kMaxCellChunks = 16384;
inline constexpr uint32_t kMaxCells = kCellsPerChunk * kMaxCellChunks;  // 4 Mi, below the 24 bits of a ring slot

inline constexpr uint32_t kEntriesPerBatch = 256;
inline constexpr uint32_t kMaxEntryBatches = 8192;
inline constexpr uint32_t kMaxEntries = kEntriesPerBatch * kMaxEntryBatches;  // 2 Mi objects

// Blocks: bytes of arguments and results that do not fit into a cell. Offsets count units of 64 bytes.
inline constexpr size_t kBlockUnitBytes = 64;
inline constexpr size_t kBlockChunkBytes = 1 << 20;
inline constexpr uint32_t kMaxBlockChunks = 8192;  // 8 GiB, sparse
inline constexpr size_t kMaxBlockBytes = 128 << 10;

// O4: entries of the ring from a process to sabird.
inline constexpr uint32_t kProcessRingEntries = 4096;

// From this size on a value lives in the store and not in a block (Q1).
inline constexpr size_t kStoreThresholdBytes = 64 << 10;
// From this size on an object is a loan of its own (O3).
inline constexpr size_t kOwnLoanBytes = 1 << 20;
// Smaller objects share a loan of this size.
inline constexpr size_t kSharedLoanBytes = 4 << 20;
inline constexpr size_t kHugePageBytes = 2 << 20;

}  // namespace sabir::shm
