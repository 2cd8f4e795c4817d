// The numbered steps at which a process may die in the kill tests. In production SABIR_SHM_FAULT(step) is nothing;
// the library variant :shm_with_faults calls the hook of the process at each of them.
#pragma once

#include <cstdint>

namespace sabir::shm {

// "After x": x has happened and nothing later has.
enum class FaultStep : uint8_t {
  kNone = 0,
  // Q2, Q3: submitter
  kPublishBeforeWord,  // fields written, the cell is still FREE
  kPublishAfterWord,   // QUEUED, in no ring and no inbox yet
  kAppendAfterSlot,    // the ring slot names the cell, tail does not cover it
  kAppendAfterTail,    // appended, nobody rung
  kConsumeBeforeFree,  // the result was copied, the cell is still DONE
  kConsumeAfterFree,   // FREE, not in the private list
  kCancelAfterWord,    // CANCELLED, not yet freed
  kRepairAfterFree,    // R1: a dead claimer's cell is FREE, not yet queued again
  // Q2, Q3: worker
  kClaimBeforeWord,   // the slot was read, the cell is still QUEUED
  kClaimAfterWord,    // CLAIMED, head still points at the slot
  kClaimAfterHead,    // CLAIMED, head moved on
  kFinishBeforeWord,  // the result is written, the cell is still CLAIMED
  kFinishAfterWord,   // DONE, in no reply stack
  kAcceptCancelledAfterWord,
  // Q5: whoever pushes
  kPushAfterLink,  // `next` is written, the head does not name the cell
  kPushAfterHead,  // pushed, nobody rung
  kTakeAfterHead,  // the batch was taken, nothing of it was looked at
  // Q8: whoever rings
  kRingAfterSequence,  // the sequence moved, nobody was woken
  // O4: producer of the ring to sabird
  kRingPushBeforeTail,  // the record is written, tail does not cover it
  kRingPushAfterTail,   // pushed, sabird not rung
  kCount,
};

#if defined(SABIR_SHM_FAULTS)
using FaultHook = void (*)(FaultStep step);
// Set once, before threads of the process use anything of shm/.
inline FaultHook fault_hook = nullptr;
inline void fault_point(FaultStep step) {
  if (fault_hook != nullptr) {
    fault_hook(step);
  }
}
#define SABIR_SHM_FAULT(step) ::sabir::shm::fault_point(::sabir::shm::FaultStep::step)
#else
#define SABIR_SHM_FAULT(step) static_cast<void>(0)
#endif

}  // namespace sabir::shm
