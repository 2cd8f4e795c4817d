#include "runtime/client/waiter.h"

#include <sched.h>

namespace sabir::client {

void Waiter::interrupt() {
  interrupted_.store(true, std::memory_order_seq_cst);
  interrupters_.fetch_add(1, std::memory_order_seq_cst);
  if (shm::Atomic32* word = sleeping_on_.load(std::memory_order_seq_cst)) {
    // As Doorbell::ring_always: moves the sequence and leaves the SLEEPING bit to the sleeper (Q8).
    word->fetch_add(shm::kDoorbellStep, std::memory_order_seq_cst);
    shm::futex_wake_all(*word);
  }
  interrupters_.fetch_sub(1, std::memory_order_seq_cst);
}

void Waiter::end_sleep() {
  sleeping_on_.store(nullptr, std::memory_order_seq_cst);
  // An interrupter that read the word just before is between two instructions of its own. A signal handler on this
  // thread has ended before this thread goes on, so this cannot wait for itself.
  while (interrupters_.load(std::memory_order_seq_cst) != 0) {
    ::sched_yield();
  }
}

}  // namespace sabir::client
