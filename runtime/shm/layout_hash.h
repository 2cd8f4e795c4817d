// T6: one number for everything two processes must agree on before they share memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "runtime/shm/layout_calls.h"

namespace sabir::shm {

namespace internal {

constexpr uint64_t fnv1a(std::initializer_list<uint64_t> numbers) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint64_t number : numbers) {
    for (int shift = 0; shift < 64; shift += 8) {
      hash = (hash ^ ((number >> shift) & 0xff)) * 0x100000001b3;
    }
  }
  return hash;
}

}  // namespace internal

// A change of meaning that moves no offset must raise kLayoutVersion.
inline constexpr uint64_t kLayoutHash = internal::fnv1a({
    kLayoutVersion,
    kMaxProcesses,
    kMaxClasses,
    kMaxQueues,
    kMaxQueuesPerClass,
    kMaxWorkersPerClass,
    kMaxActors,
    kMaxSpinTokens,
    kDeathLogEntries,
    kWorkQueueSlots,
    kActorCallsInFlight,
    kCellBytes,
    kCellInlineBytes,
    kCellsPerChunk,
    kMaxCellChunks,
    kEntriesPerBatch,
    kMaxEntryBatches,
    kBlockUnitBytes,
    kBlockChunkBytes,
    kMaxBlockChunks,
    kMaxBlockBytes,
    kProcessRingEntries,
    kStoreThresholdBytes,
    kOwnLoanBytes,
    kSharedLoanBytes,
    sizeof(NodeSegment),
    sizeof(CallsSegment),
    sizeof(NodeHeader),
    sizeof(CallsHeader),
    offsetof(NodeHeader, session_id),
    offsetof(NodeHeader, store_bytes),
    offsetof(NodeHeader, death_count),
    offsetof(NodeHeader, watching),
    offsetof(NodeHeader, spin_allowance),
    offsetof(NodeHeader, store_pressure),
    offsetof(NodeSegment, processes),
    offsetof(NodeSegment, deaths),
    offsetof(NodeSegment, leases),
    offsetof(NodeSegment, queues),
    offsetof(NodeSegment, cell_chunk_owner),
    offsetof(NodeSegment, entry_batch_owner),
    offsetof(NodeSegment, block_chunk_owner),
    offsetof(NodeSegment, actors),
    offsetof(NodeSegment, classes),
    offsetof(ProcessRecord, state),
    offsetof(ProcessRecord, kind),
    offsetof(ProcessRecord, pid),
    offsetof(ProcessRecord, job),
    offsetof(ProcessRecord, actor_plus_one),
    offsetof(ProcessRecord, language),
    offsetof(DeathRecord, incarnation),
    offsetof(DeathRecord, wait_status),
    offsetof(DeathRecord, reason),
    offsetof(LeaseRecord, gpu_mask),
    offsetof(ClassRecord, job),
    offsetof(ClassRecord, queue_count),
    offsetof(ClassRecord, worker_count),
    offsetof(ClassRecord, starved),
    offsetof(ClassRecord, bundle),
    offsetof(ClassRecord, group),
    offsetof(ClassRecord, queues),
    offsetof(ClassRecord, workers),
    offsetof(QueueRecord, class_index),
    offsetof(QueueRecord, owner_slot),
    offsetof(QueueRecord, owner_incarnation),
    offsetof(ActorRecord, job),
    offsetof(ActorRecord, death_reason_bytes),
    offsetof(ActorRecord, death_reason),
    offsetof(CallsHeader, spin_tokens),
    offsetof(CallsHeader, yields_off_until_ns),
    offsetof(CallsSegment, pages),
    offsetof(CallsSegment, rings),
    offsetof(CallsSegment, queues),
    offsetof(CallsSegment, entries),
    offsetof(CallsSegment, cells),
    offsetof(CallsSegment, blocks),
    offsetof(ProcessPage, reply_stack),
    offsetof(ProcessPage, inbox),
    offsetof(ProcessPage, return_stack),
    offsetof(ProcessPage, deaths_acknowledged),
    offsetof(ProcessPage, lease_epoch_done),
    offsetof(ProcessPage, blocked),
    offsetof(ProcessPage, function_plus_one),
    offsetof(ProcessPage, cpu),
    offsetof(ProcessPage, spin_state),
    offsetof(ProcessPage, executed),
    offsetof(ProcessPage, last_function_plus_one),
    offsetof(ProcessPage, under_way),
    offsetof(ProcessRing, tail),
    offsetof(ProcessRing, records),
    sizeof(RingRecord),
    offsetof(RingRecord, entry),
    offsetof(RingRecord, generation),
    offsetof(RingRecord, a),
    offsetof(RingRecord, b),
    offsetof(WorkQueue, tail),
    offsetof(WorkQueue, overflow),
    offsetof(WorkQueue, slots),
    offsetof(Cell, next_plus_one),
    offsetof(Cell, function),
    offsetof(Cell, call_id),
    offsetof(Cell, parent),
    offsetof(Cell, cancel),
    offsetof(Cell, args_bytes),
    offsetof(Cell, args_block),
    offsetof(Cell, result_bytes),
    offsetof(Cell, result_block),
    offsetof(Cell, kind),
    offsetof(Cell, result_place),
    offsetof(Cell, result_is_error),
    offsetof(Cell, result_has_refs),
    offsetof(Cell, num_returns),
    offsetof(Cell, attempt),
    offsetof(Cell, payload),
    offsetof(ObjectEntry, offset),
    offsetof(ObjectEntry, size_bytes),
    offsetof(ObjectEntry, id),
    sizeof(ObjectEntry),
});

}  // namespace sabir::shm
