// Q8: how a process sleeps and is woken. Word = sequence 31 | SLEEPING 1. Only the sleeper sets and clears the bit;
// only ringers, and the sleeper when it goes to sleep, move the sequence.
//
// One addition to the plain rule: each sleep begins with a sequence of its own. So a ringer that has already moved the
// sequence of *this* sleep and finished its FUTEX_WAKE knows, when it meets the word unchanged, that the sleeper is on
// its way, and saves the system call (RingMemo). Without it a burst of pushes at a sleeper that has not been scheduled
// yet costs a system call each.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/shm/fault_points.h"
#include "runtime/shm/fence.h"
#include "runtime/shm/layout_calls.h"

namespace sabir::shm {

enum class SleepOutcome : uint8_t {
  kRung,  // or the word had changed before: look at everything
  kTimeout,
  kInterrupted,  // a signal (P5)
};

// What this process last left in a doorbell's word, after its FUTEX_WAKE. One per (process, doorbell), in private
// memory; any thread may use it.
using RingMemo = std::atomic<uint32_t>;

// Waits while the word has this value, until `deadline_ns` of CLOCK_MONOTONIC (negative: for ever). Shared between
// processes.
SleepOutcome futex_wait(const Atomic32& word, uint32_t value, int64_t deadline_ns);
// The same for a thread that rings of sleepers are not meant for: only ring_always and futex_wake_all reach it.
SleepOutcome futex_wait_aside(const Atomic32& word, uint32_t value, int64_t deadline_ns);
// Wakes all that wait there.
void futex_wake_all(const Atomic32& word);

class Doorbell {
 public:
  explicit Doorbell(Atomic32& word) : word_(word) {}

  // --- ringers: any thread of any process, after publishing something

  // True: it cost a system call.
  bool ring(RingMemo& memo) {
    full_fence();
    return ring_after_rmw(memo);
  }
  // When what was published was a sequentially consistent read-modify-write (LinkStack::push): no further fence.
  bool ring_after_rmw(RingMemo& memo) {
    uint32_t word = word_.load(std::memory_order_seq_cst);
    if ((word & kDoorbellSleeping) == 0 || word == memo.load(std::memory_order_acquire)) [[likely]] {
      return false;
    }
    wake(memo);
    return true;
  }
  // D2 (4): whatever the word says. sabird only.
  void ring_always() {
    word_.fetch_add(kDoorbellStep, std::memory_order_seq_cst);
    futex_wake_all(word_);
  }
  // A hint: who sees false must still ring after it publishes.
  bool sleeping() const { return (word_.load(std::memory_order_seq_cst) & kDoorbellSleeping) != 0; }

  // --- the sleeper: one thread of the process that owns the doorbell
  //   uint32_t value = bell.prepare_sleep();
  //   SleepOutcome outcome = anything_to_do() ? kRung : bell.sleep(value, deadline_ns);
  //   bell.end_sleep();
  //   look at everything

  // Says that it sleeps, and orders that before the second look at the sources.
  uint32_t prepare_sleep() {
    uint32_t word = word_.load(std::memory_order_relaxed);
    uint32_t desired;
    do {
      desired = (word + kDoorbellStep) | kDoorbellSleeping;
    } while (!word_.compare_exchange_weak(word, desired, std::memory_order_seq_cst, std::memory_order_relaxed));
    full_fence();
    return desired;
  }
  SleepOutcome sleep(uint32_t value, int64_t deadline_ns) { return futex_wait(word_, value, deadline_ns); }
  void end_sleep() {
    word_.fetch_and(~kDoorbellSleeping, std::memory_order_seq_cst);
    // A ringer that saw the bit and saved its wake-up has published before: the look that follows must see it.
    full_fence();
  }

 private:
  void wake(RingMemo& memo);

  Atomic32& word_;
};

// sabird's doorbell: an eventfd, sticky by itself. sabird reads it *before* it looks at its sources.
class DaemonBell {
 public:
  // Borrows the descriptor.
  DaemonBell(int event_fd, const NodeHeader& node) : event_fd_(event_fd), node_(node) {}

  // Always: something that sabird does not find by looking every few ms.
  void ring() const;
  // L3: only when sabird does not look by a timer. After publishing; orders that before the look at `watching`.
  // True: it cost a system call.
  bool ring_unless_watching() const {
    full_fence();
    if (node_.watching.load(std::memory_order_seq_cst) != 0) [[likely]] {
      return false;
    }
    ring();
    return true;
  }

 private:
  int event_fd_;
  const NodeHeader& node_;
};

}  // namespace sabir::shm
