// The `node` segment (T2): written by sabird alone, read-only for everybody else. Plain structs with fixed offsets
// (T7); every word that changes while others read it is a lock-free atomic.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "runtime/shm/limits.h"
#include "runtime/shm/word.h"

namespace sabir::shm {

using Atomic32 = std::atomic<uint32_t>;
using Atomic64 = std::atomic<uint64_t>;
static_assert(Atomic32::is_always_lock_free && Atomic64::is_always_lock_free, "T7");
static_assert(sizeof(Atomic32) == 4 && sizeof(Atomic64) == 8, "T7");

inline constexpr uint64_t kNodeMagic = 0x65646f6e72696273;   // "sbirnode"
inline constexpr uint64_t kCallsMagic = 0x6c6c616372696273;  // "sbircall"

enum class ProcessKind : uint32_t { kNone = 0, kDaemon = 1, kDriver = 2, kWorker = 3 };
enum class ProcessState : uint32_t { kFree = 0, kLive = 1, kDead = 2 };

// D1. A slot is given out again only when every live process has acknowledged the death of its last holder (D4).
struct ProcessRecord {
  Atomic32 incarnation;  // counts up with each use of the slot; 0: never used
  Atomic32 state;        // ProcessState
  Atomic32 kind;         // ProcessKind
  Atomic32 pid;
  Atomic32 job;
  Atomic32 actor_plus_one;  // 0: a task worker or a driver
  Atomic32 language;        // of the code in it, as sabir_language; 0: unknown
  Atomic32 reserved;
};
static_assert(sizeof(ProcessRecord) == 32, "T7");

enum class DeathReason : uint32_t {
  kExited = 0,        // wait_status says how
  kKilledByNode = 1,  // sabird killed it: job over, actor killed, protocol violation, unresponsive
  kJobEnded = 2,
  kDisconnected = 3,  // a process whose exit status cannot be known (a driver)
  kGroupRemoved = 4,  // sabird killed it with the placement group that it ran in
};

// D2 (3). Entry i of the log lies at i % kDeathLogEntries and is complete once death_count > i.
struct DeathRecord {
  Atomic32 slot;
  Atomic32 incarnation;
  Atomic32 wait_status;  // as of waitpid(2)
  Atomic32 reason;       // DeathReason
};
static_assert(sizeof(DeathRecord) == 16, "T7");

// L2. gpu_mask: the GPUs that come with the lease, one bit per index.
struct LeaseRecord {
  Atomic64 word;  // LeaseWord
  Atomic64 gpu_mask;
};
static_assert(sizeof(LeaseRecord) == 16, "T7");

// One scheduling class (L1): the queues its calls wait in and the workers that hold a lease on it.
// Readers load a count once, clamp it, and tolerate entries that change while they look.
struct alignas(kCacheLineBytes) ClassRecord {
  Atomic32 in_use;
  Atomic32 job;
  Atomic32 queue_count;
  Atomic32 worker_count;
  Atomic32 starved;  // 1: no node can ever serve this class (its resources exist nowhere)
  // Its placement group (words 0: none), written before in_use: what is executed under a lease on it runs there.
  Atomic32 bundle;    // as int32_t: -1: any
  Atomic32 captures;  // 1: so do calls that are submitted from inside
  Atomic32 reserved_word;
  Atomic64 group[2];
  uint32_t reserved[4];
  Atomic32 queues[kMaxQueuesPerClass];
  Atomic32 workers[kMaxWorkersPerClass];  // slots
};
static_assert(sizeof(ClassRecord) == 64 + 4 * (kMaxQueuesPerClass + kMaxWorkersPerClass), "T7");

struct QueueRecord {
  Atomic32 in_use;
  Atomic32 class_index;
  Atomic32 owner_slot;
  Atomic32 owner_incarnation;
};
static_assert(sizeof(QueueRecord) == 16, "T7");

struct alignas(kCacheLineBytes) ActorRecord {
  Atomic64 word;  // ActorWord
  Atomic64 reserved;
  Atomic32 job;
  Atomic32 death_reason_bytes;
  char death_reason[232];  // written before the word says kDead; not changed after
};
static_assert(sizeof(ActorRecord) == 256, "T7");

// Of one whose word says kDead.
inline std::string_view death_reason(const ActorRecord& record) {
  size_t bytes = record.death_reason_bytes.load(std::memory_order_acquire);
  return {record.death_reason, bytes < sizeof(record.death_reason) ? bytes : sizeof(record.death_reason)};
}

struct NodeHeader {
  uint64_t magic;
  uint64_t layout_hash;  // T6
  uint64_t session_id[2];
  uint64_t store_bytes;
  uint32_t sabird_pid;
  uint32_t cpu_count;
  alignas(kCacheLineBytes) Atomic64 death_count;
  // 1 while sabird looks at all queues by a timer (L3). Appenders ring sabird only when it is 0 or a class has no
  // lease: store tail, seq_cst fence, load watching.
  alignas(kCacheLineBytes) Atomic32 watching;
  Atomic32 spin_allowance;  // L5: how many tokens may be taken; 0 turns spinning off
  Atomic32 store_pressure;  // O9: counts up when processes should run their collectors
};

struct NodeSegment {
  NodeHeader header;
  alignas(kPageBytes) ProcessRecord processes[kMaxProcesses];
  alignas(kPageBytes) DeathRecord deaths[kDeathLogEntries];
  alignas(kPageBytes) LeaseRecord leases[kMaxProcesses];
  alignas(kPageBytes) QueueRecord queues[kMaxQueues];
  // Who holds a chunk of cells, entries or blocks on loan: slot, or 0. A submitter is known by this alone (T3).
  alignas(kPageBytes) Atomic32 cell_chunk_owner[kMaxCellChunks];
  alignas(kPageBytes) Atomic32 entry_batch_owner[kMaxEntryBatches];
  alignas(kPageBytes) Atomic32 block_chunk_owner[kMaxBlockChunks];
  alignas(kPageBytes) ActorRecord actors[kMaxActors];
  alignas(kPageBytes) ClassRecord classes[kMaxClasses];
};
static_assert(std::is_standard_layout_v<NodeSegment>, "T7");

}  // namespace sabir::shm
