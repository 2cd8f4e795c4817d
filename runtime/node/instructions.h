// What the node's state machines ask for. The machines (scheduler, worker pool, actors) append to one list; the
// coordinator carries out what one machine asks of another and hands the rest to whoever does the I/O, in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/shm/layout_node.h"
#include "runtime/shm/word.h"

namespace sabir::node {

using JobNumber = uint32_t;
using Language = uint8_t;
using LaunchId = uint64_t;  // one start of one worker; never reused

// --- For the shell -------------------------------------------------------------------------------------------------

// L2: write {epoch, class + 1, first queue + 1} and the mask to the worker's lease record, put the worker into
// ClassRecord.workers, ring its doorbell. Its last lease is over: it has published that epoch, or never had one.
struct GrantLease {
  shm::SlotIndex slot;
  uint32_t epoch;
  shm::ClassIndex class_index;
  std::optional<shm::QueueIndex> first_queue;
  uint64_t gpu_mask;
};
// L2: write {the same epoch, no class} to the lease record and ring the worker's doorbell. The worker answers with
// lease_epoch_done = epoch between two records, also when it never saw the grant.
struct WithdrawLease {
  shm::SlotIndex slot;
  uint32_t epoch;
};
// The worker no longer draws from the class (withdrawn, blocked, over, dead): take it out of ClassRecord.workers, so
// that no appender rings it. Exactly once per grant.
struct UnlistWorker {
  shm::SlotIndex slot;
  shm::ClassIndex class_index;
};
// Calls wait that it could run, and it runs nothing: who appended them did not ring it, or it did not hear.
struct RingWorker {
  shm::SlotIndex slot;
};
// The lease record is to say {epoch, no class}: the lease ended at the worker's word or with its life.
struct ClearLease {
  shm::SlotIndex slot;
  uint32_t epoch;
};
// Every call that waits in the class now fails with this error (kExhausted: process limit; kSystem: workers do not
// start). Calls submitted later wait again.
struct FailClass {
  shm::ClassIndex class_index;
  Error error;
};
// ClassRecord.starved. Also warn the job's driver with `text` when it becomes true.
struct MarkInfeasible {
  shm::ClassIndex class_index;
  bool infeasible;
  std::string text;
};
// The class is over (its job ended, its queues and leases are gone): its record may be cleared, its index is reused.
struct FreeClass {
  shm::ClassIndex class_index;
};

// Start a process. Exactly one answer is owed for each of its ids: worker_ready or launch_failed.
struct LaunchWorker {
  LaunchId launch;
  JobNumber job;
  Language language;
  std::optional<shm::ActorIndex> actor = {};  // it is to host this actor ...
  uint32_t incarnation = 0;                   // ... in this incarnation
  uint64_t gpu_mask = 0;                      // of the actor
  std::vector<LaunchId> more = {};            // W8: further workers in the same process
};
// Kill what LaunchWorker started, whatever it is doing; then launch_failed. What shares its process ends with it.
struct AbortLaunch {
  LaunchId launch;
};
// Kill the process (pidfd) and its process group; then worker_gone.
struct KillWorker {
  shm::SlotIndex slot;
  shm::DeathReason reason;
  std::string text;
};
// Notice `exit`: the worker leaves after what it has accepted, then worker_gone.
struct ExitWorker {
  shm::SlotIndex slot;
  std::string text;
};

// Write death_reason (if the state is kDead), then the word, then ring every live process.
struct WriteActorWord {
  shm::ActorIndex actor;
  shm::ActorWord word;
  std::string death_reason;
};
// Hold, or let go, the references in the actor's arguments: sabird keeps them as long as the actor may be started
// again. Once each.
struct HoldActorArgs {
  shm::ActorIndex actor;
  std::vector<shm::EntryRef> refs;
};
struct ReleaseActorArgs {
  shm::ActorIndex actor;
  std::vector<shm::EntryRef> refs;
};
// A9: have the gateway make a worker for it, which opens it at its home.
struct OpenStandIn {
  shm::ActorIndex actor;
  uint32_t incarnation;
};
// Dead, and no handle is left: the index is reused, for another actor with a higher incarnation.
struct FreeActor {
  shm::ActorIndex actor;
};
// For the driver of the job (Notices.warn).
struct WarnJob {
  JobNumber job;
  std::string text;
};

// --- Between the machines (the coordinator consumes them) ----------------------------------------------------------

// Scheduler to pool: so many more workers would find work now. Replaces what was said before for (job, language).
struct NeedWorkers {
  JobNumber job;
  Language language;
  uint32_t count;
};
// Scheduler to actors: the actor's resources are taken.
struct ActorPlaced {
  shm::ActorIndex actor;
  uint64_t gpu_mask;
};
// Pool to scheduler: nothing can be started for (job, language); what waits for it fails.
struct WorkersUnavailable {
  JobNumber job;
  Language language;
  Error error;
};
// Pool to scheduler: no process can be added for (job, language) now. Idle leases of others are to be given up; if all
// that runs is blocked, so that nothing will ever change, what waits fails.
struct PoolFull {
  JobNumber job;
  Language language;
  Error error;
};
// Actors to scheduler.
struct PlaceActor {
  shm::ActorIndex actor;
  JobNumber job;
};
struct UnplaceActor {  // gives back what it holds, or stops waiting
  shm::ActorIndex actor;
};
// Actors to pool.
struct LaunchActor {
  shm::ActorIndex actor;
  uint32_t incarnation;
  JobNumber job;
  Language language;
  bool detached;
  uint64_t gpu_mask;
};
struct AbortActorLaunch {
  shm::ActorIndex actor;
};
// Pool to actors.
struct ActorLaunchFailed {
  shm::ActorIndex actor;
  uint32_t incarnation;
  Error error;
};
// Pool to scheduler: the worker is about to leave and gets no lease any more.
struct RetireWorker {
  shm::SlotIndex slot;
};

using Instruction =
    std::variant<GrantLease, WithdrawLease, UnlistWorker, RingWorker, ClearLease, FailClass, MarkInfeasible, FreeClass,
                 LaunchWorker, AbortLaunch, KillWorker, ExitWorker, WriteActorWord, HoldActorArgs, ReleaseActorArgs,
                 FreeActor, WarnJob, NeedWorkers, ActorPlaced, WorkersUnavailable, PoolFull, PlaceActor, UnplaceActor,
                 LaunchActor, AbortActorLaunch, ActorLaunchFailed, RetireWorker, OpenStandIn>;
using Instructions = std::vector<Instruction>;

}  // namespace sabir::node
