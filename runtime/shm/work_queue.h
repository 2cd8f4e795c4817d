// Q3, Q4: the bounded ring of one submitter for one class. The submitter alone appends; workers claim by the cell's
// word and help `head` on. head and tail only ever grow (modulo 2^64), also when the ring changes hands: a worker that
// was stopped between two steps must not meet a position for the second time.
#pragma once

#include <algorithm>
#include <optional>

#include "runtime/shm/cell.h"
#include "runtime/shm/segment.h"

namespace sabir::shm {

inline constexpr uint32_t kWorkQueueQuarter = kWorkQueueSlots / 4;

// How many slots lie between head and tail: a length to act on, whatever the words say. Some of them may be claimed or
// cancelled already.
inline uint32_t work_queue_length(const WorkQueue& queue) {
  uint64_t head = queue.head.load(std::memory_order_seq_cst);
  uint64_t tail = queue.tail.load(std::memory_order_seq_cst);
  auto length = static_cast<int64_t>(tail - head);
  return static_cast<uint32_t>(std::clamp<int64_t>(length, 0, kWorkQueueSlots));
}

// Moves `head` past what is at `position`, unless somebody did before.
inline void help_head(WorkQueue& queue, uint64_t position) {
  queue.head.compare_exchange_strong(position, position + 1, std::memory_order_acq_rel, std::memory_order_relaxed);
}

// The submitter's end. Not for several threads at once (the process lock of client/ guards it).
class QueueAppender {
 public:
  QueueAppender(WorkQueue& queue, const CallsView& calls)
      : queue_(queue),
        calls_(calls.segment()),
        tail_(queue.tail.load(std::memory_order_relaxed)),
        head_(queue.head.load(std::memory_order_acquire)) {}

  // `ref` is what publish_cell returned. False: the ring is full, keep the call in the private FIFO (its cell may stay
  // QUEUED there, nobody can see it). After true: ring somebody by the rules of Q8 and L3, starting with a
  // full_fence().
  bool try_append(CellRef ref) {
    if (room() == 0) [[unlikely]] {
      return false;
    }
    queue_.slots[tail_ % kWorkQueueSlots].store(ref.pack(), std::memory_order_relaxed);
    SABIR_SHM_FAULT(kAppendAfterSlot);
    ++tail_;
    queue_.tail.store(tail_, std::memory_order_release);
    SABIR_SHM_FAULT(kAppendAfterTail);
    return true;
  }

  // How many more fit. Looks at `head` only when the last look says that the ring is full.
  uint32_t room() {
    auto used = static_cast<int64_t>(tail_ - head_);
    if (used >= static_cast<int64_t>(kWorkQueueSlots)) {
      skip_stale();
      used = static_cast<int64_t>(tail_ - head_);
    }
    return used < 0 ? 0 : kWorkQueueSlots - static_cast<uint32_t>(used);
  }
  // Reads `head` anew: for deciding about a refill.
  uint32_t length() {
    head_ = queue_.head.load(std::memory_order_acquire);
    return static_cast<uint32_t>(std::clamp<int64_t>(static_cast<int64_t>(tail_ - head_), 0, kWorkQueueSlots));
  }

  // Moves `head` past slots whose cell is not QUEUED any more: claimed by a worker that died before it helped, or
  // cancelled. After R1 and after a cancel.
  void skip_stale();

  // Q4.
  void publish_overflow(uint32_t length) { queue_.overflow.store(length, std::memory_order_release); }

 private:
  WorkQueue& queue_;
  CallsSegment& calls_;
  uint64_t tail_;  // the truth; the shared word is for the workers
  uint64_t head_;  // as last seen: never ahead of the shared one
};

// A worker's end of one queue, for one thread. Cheap to make; keeping it saves loads of `tail`, which the submitter
// writes.
class QueueClaimer {
 public:
  QueueClaimer(WorkQueue& queue, const CallsView& calls, SlotIndex self)
      : queue_(&queue), calls_(&calls.segment()), tail_(0), self_(self) {}

  // One record, claimed for `self`, or nothing: the queue was empty at one moment. Only with a usable lease on the
  // queue's class (LeaseReader). The cell's fields may be read.
  std::optional<CellRef> claim() {
    for (uint32_t attempt = 0; attempt < kMaxAttempts; ++attempt) {
      uint64_t head = queue_->head.load(std::memory_order_acquire);
      auto waiting = static_cast<int64_t>(tail_ - head);
      if (waiting <= 0 || waiting > static_cast<int64_t>(kWorkQueueSlots)) {
        tail_ = queue_->tail.load(std::memory_order_acquire);
        waiting = static_cast<int64_t>(tail_ - head);
        if (waiting <= 0) {
          return std::nullopt;
        }
        if (waiting > static_cast<int64_t>(kWorkQueueSlots)) {
          continue;  // `head` is older than `tail`, or damaged: kMaxAttempts ends it
        }
      }
      CellRef ref = CellRef::unpack(queue_->slots[head % kWorkQueueSlots].load(std::memory_order_relaxed));
      bool claimed = ref.cell < kMaxCells && claim_cell(calls_->cells[ref.cell], ref.generation, self_);
      help_head(*queue_, head);
      if (claimed) {
        SABIR_SHM_FAULT(kClaimAfterHead);
        prefetch(head + 1);
        return ref;
      }
    }
    return std::nullopt;
  }

  // A look without claiming: for a sleeper's second look at its sources.
  bool empty() const { return work_queue_length(*queue_) == 0; }
  // Q4: the submitter has more and room for it: ring its doorbell.
  bool wants_refill() const {
    return queue_->overflow.load(std::memory_order_relaxed) != 0 && work_queue_length(*queue_) < kWorkQueueQuarter;
  }

 private:
  // A ring full of cancelled cells is skipped within this; and a ring of nonsense does not hold the worker.
  static constexpr uint32_t kMaxAttempts = 2 * kWorkQueueSlots;

  // The line of the next record is on its way while this one runs.
  void prefetch(uint64_t position) {
    if (static_cast<int64_t>(tail_ - position) > 0) {
      CellRef next = CellRef::unpack(queue_->slots[position % kWorkQueueSlots].load(std::memory_order_relaxed));
      if (next.cell < kMaxCells) {
        __builtin_prefetch(&calls_->cells[next.cell], 1);
      }
    }
  }

  WorkQueue* queue_;
  CallsSegment* calls_;
  uint64_t tail_;  // as last seen
  SlotIndex self_;
};

// sabird, when a ring gets its first or a new owner: empty, at a position that was never used before.
void recycle_work_queue(WorkQueue& queue);

}  // namespace sabir::shm
