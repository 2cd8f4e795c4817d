// Orders that single atomics do not give. The only place that knows about TSan's blindness to fences (Q8).
#pragma once

#include <atomic>
#include <cstdint>

namespace sabir::shm {

// Everything written before is visible to all before anything after is read. One locked instruction.
inline void full_fence() {
#if defined(__SANITIZE_THREAD__)
  // TSan refuses fences. A locked operation on a word of this thread alone is as strong on the machine and
  // makes TSan see no order between threads that the code does not have.
  static thread_local std::atomic<uint32_t> barrier{0};
  barrier.fetch_add(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

// One step of a waiting loop: lets the sibling hardware thread and the memory bus breathe.
inline void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace sabir::shm
