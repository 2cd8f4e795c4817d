#include "runtime/shm/work_queue.h"

namespace sabir::shm {

void QueueAppender::skip_stale() {
  head_ = queue_.head.load(std::memory_order_acquire);
  // At most one turn of the ring: what workers move on meanwhile is not counted.
  for (uint32_t step = 0; step<kWorkQueueSlots&& static_cast<int64_t>(tail_ - head_)> 0; ++step) {
    CellRef ref = CellRef::unpack(queue_.slots[head_ % kWorkQueueSlots].load(std::memory_order_relaxed));
    if (ref.cell < kMaxCells &&
        load_cell_word(calls_.cells[ref.cell]) == CellWord{ref.generation, CellState::kQueued, 0}) {
      return;
    }
    help_head(queue_, head_);
    head_ = queue_.head.load(std::memory_order_acquire);
  }
}

void recycle_work_queue(WorkQueue& queue) {
  // The last owner, or anybody, may have left any two numbers here. The larger by the ring's order, plus a
  // whole turn, lies beyond every position that a slow worker can still hold.
  uint64_t head = queue.head.load(std::memory_order_acquire);
  uint64_t tail = queue.tail.load(std::memory_order_acquire);
  uint64_t base = (static_cast<int64_t>(tail - head) > 0 ? tail : head) + kWorkQueueSlots;
  queue.overflow.store(0, std::memory_order_relaxed);
  queue.head.store(base, std::memory_order_release);
  queue.tail.store(base, std::memory_order_release);
}

}  // namespace sabir::shm
