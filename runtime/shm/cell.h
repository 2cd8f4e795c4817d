// Q2: the transitions of a cell's word. These functions are the only code that writes it; each says who may call it.
// Fields of the cell are plain memory: written by the submitter before publish_cell, by the claimer (results)
// before finish_cell, read by whom the word names.
#pragma once

#include <optional>

#include "runtime/shm/fault_points.h"
#include "runtime/shm/segment.h"

namespace sabir::shm {

inline constexpr CellIndex kNoCell = ~CellIndex{0};

inline CellWord load_cell_word(const Cell& cell) { return CellWord::unpack(cell.word.load(std::memory_order_acquire)); }

// FREE -> QUEUED. Submitter, for a cell of its own that is FREE, after all fields are written. Clears those of the
// result: a cancelled call ends DONE without anybody having written them, and the last use's must not be taken for its
// own. Then put the reference into a ring, or the cell into an inbox.
inline CellRef publish_cell(Cell& cell, CellIndex index) {
  cell.result_bytes = 0;
  cell.result_block = 0;
  cell.result_place = static_cast<uint8_t>(ResultPlace::kNone);
  cell.result_is_error = 0;
  cell.result_has_refs = 0;
  SABIR_SHM_FAULT(kPublishBeforeWord);
  Generation generation = cell.word.load(std::memory_order_relaxed) >> 24;
  cell.word.store(CellWord{generation, CellState::kQueued, 0}.pack(), std::memory_order_release);
  SABIR_SHM_FAULT(kPublishAfterWord);
  return {generation, index};
}

// QUEUED -> CLAIMED. A worker with a lease on the class the cell was queued for; an inbox's owner; sabird for remote
// calls and as heir. `generation` is that of the ring slot, or as loaded when the cell came out of the inbox. False:
// somebody else has it, or it was cancelled. True: its fields may be read.
inline bool claim_cell(Cell& cell, Generation generation, SlotIndex claimer) {
  uint64_t expected = CellWord{generation, CellState::kQueued, 0}.pack();
  uint64_t desired = CellWord{generation, CellState::kClaimed, claimer}.pack();
  SABIR_SHM_FAULT(kClaimBeforeWord);
  bool claimed =
      cell.word.compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_relaxed);
  if (claimed) {
    SABIR_SHM_FAULT(kClaimAfterWord);
  }
  return claimed;
}

// CLAIMED -> DONE. The claimer, after the result is written. Now push the cell on its owner's reply stack. Until then
// it may only touch next_plus_one.
inline void finish_cell(Cell& cell, Generation generation, SlotIndex claimer) {
  SABIR_SHM_FAULT(kFinishBeforeWord);
  cell.word.store(CellWord{generation, CellState::kDone, claimer}.pack(), std::memory_order_release);
  SABIR_SHM_FAULT(kFinishAfterWord);
}

// DONE -> FREE, the next generation. Submitter, after it copied the result and gave result blocks back.
// CANCELLED -> FREE, the next generation. Submitter, if the cell was cancelled while in a ring (Q2).
// The cell may be used again at once.
inline void free_cell(Cell& cell) {
  SABIR_SHM_FAULT(kConsumeBeforeFree);
  Generation next = ((cell.word.load(std::memory_order_relaxed) >> 24) + 1) & kGenerationMask;
  cell.word.store(CellWord{next, CellState::kFree, 0}.pack(), std::memory_order_release);
  SABIR_SHM_FAULT(kConsumeAfterFree);
}

// QUEUED -> CANCELLED. Submitter. True: it will not run. If it was in a ring: free_cell it now. If it was in an inbox:
// it comes back DONE through the reply stack (Q6), with no result. False: somebody claimed it before.
inline bool cancel_cell(Cell& cell, Generation generation) {
  uint64_t expected = CellWord{generation, CellState::kQueued, 0}.pack();
  uint64_t desired = CellWord{generation, CellState::kCancelled, 0}.pack();
  bool cancelled =
      cell.word.compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_relaxed);
  if (cancelled) {
    SABIR_SHM_FAULT(kCancelAfterWord);
  }
  return cancelled;
}

// What the owner of an inbox does with each cell of its batch: claims it or, when it was cancelled, does CANCELLED ->
// DONE.
enum class InboxClaim : uint8_t {
  kClaimed,    // run it
  kCancelled,  // DONE now: push it on its owner's reply stack
  kStray,      // neither QUEUED nor CANCELLED: its submitter took it back after a death, or it is damaged. Let it be.
};
struct InboxClaimResult {
  InboxClaim outcome;
  Generation generation;
};
inline InboxClaimResult claim_from_inbox(Cell& cell, SlotIndex owner) {
  CellWord word = load_cell_word(cell);
  if (word.state == CellState::kQueued && claim_cell(cell, word.generation, owner)) {
    return {InboxClaim::kClaimed, word.generation};
  }
  if (load_cell_word(cell) != CellWord{word.generation, CellState::kCancelled, 0}) {
    return {InboxClaim::kStray, word.generation};
  }
  cell.word.store(CellWord{word.generation, CellState::kDone, owner}.pack(), std::memory_order_release);
  SABIR_SHM_FAULT(kAcceptCancelledAfterWord);
  return {InboxClaim::kCancelled, word.generation};
}

// CLAIMED -> FREE, the next generation. Submitter, only in R1, for a cell whose claimer's death it has read in the log
// and after it drained its reply stack since. False: the word is not `expected` any more (never with a dead claimer),
// nothing was done.
inline bool repair_cell(Cell& cell, CellWord expected) {
  if (load_cell_word(cell) != expected || expected.state != CellState::kClaimed) {
    return false;
  }
  Generation next = (expected.generation + 1) & kGenerationMask;
  cell.word.store(CellWord{next, CellState::kFree, 0}.pack(), std::memory_order_release);
  SABIR_SHM_FAULT(kRepairAfterFree);
  return true;
}

// R1 for a call that is still QUEUED or CANCELLED at a dead actor: it did not run and nobody can claim it any more,
// since its inbox is CLOSED and its owner dead. Submitter, after the death is in the log. QUEUED or CANCELLED -> FREE,
// next generation.
inline bool recall_cell(Cell& cell, Generation generation) {
  CellWord word = load_cell_word(cell);
  if (word.generation != generation || (word.state != CellState::kQueued && word.state != CellState::kCancelled)) {
    return false;
  }
  Generation next = (generation + 1) & kGenerationMask;
  cell.word.store(CellWord{next, CellState::kFree, 0}.pack(), std::memory_order_release);
  SABIR_SHM_FAULT(kRepairAfterFree);
  return true;
}

// R4: asks the claimer to stop. Submitter, or sabird. Ring the claimer afterwards.
inline void request_cancel(Cell& cell, CellRef ref) { cell.cancel.store(ref.pack(), std::memory_order_release); }
// R4: whether this very call is to stop. The claimer, under the lock under which its loop changes the current call.
inline bool cancel_requested(const Cell& cell, CellRef ref) {
  return cell.cancel.load(std::memory_order_acquire) == ref.pack();
}

}  // namespace sabir::shm
