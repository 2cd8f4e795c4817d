// P5: ends a blocking call from another thread or from a signal handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "runtime/shm/doorbell.h"

namespace sabir::client {

class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Any thread, and signal handlers: atomics and one futex call.
  void interrupt();

  // --- a caller that waits in slices (L4): between them a worker's CPU stays lent. The waiting thread's alone.

  void begin_slices() { in_slices_ = true; }
  void end_slices() { in_slices_ = false; }
  bool in_slices() const { return in_slices_; }
  // What the slice that ends leaves to the next one: what Executor::enter_blocked() gave, 0 for nothing.
  void leave_lent(uint32_t stay) { lent_ = stay; }
  uint32_t take_lent() { return std::exchange(lent_, 0); }

  // --- the blocking call that uses it

  bool interrupted() const { return interrupted_.load(std::memory_order_seq_cst); }
  // Takes the request; false: there was none.
  bool consume() { return interrupted_.exchange(false, std::memory_order_seq_cst); }
  // From now on `word` is what the thread sleeps on. Look at interrupted() after that and before sleeping.
  void begin_sleep(shm::Atomic32* word) { sleeping_on_.store(word, std::memory_order_seq_cst); }
  // When this returns nobody touches the word on behalf of this waiter any more.
  void end_sleep();

 private:
  std::atomic<bool> interrupted_{false};
  std::atomic<shm::Atomic32*> sleeping_on_{nullptr};
  std::atomic<uint32_t> interrupters_{0};
  bool in_slices_ = false;
  uint32_t lent_ = 0;
};

}  // namespace sabir::client
