#include "runtime/shm/process_slot.h"

namespace sabir::shm {

void prepare_slot(const CallsView& calls, SlotIndex slot, uint64_t death_count, uint32_t lease_epoch) {
  ProcessPage& page = calls.page(slot);
  // A ringer may still remember a word of the last user (RingMemo), so no word may come again.
  uint32_t bell = page.doorbell.load(std::memory_order_relaxed);
  page.doorbell.store((bell & ~kDoorbellSleeping) + kDoorbellStep, std::memory_order_relaxed);
  page.reply_stack.store(kStackEmpty, std::memory_order_relaxed);
  page.inbox.store(kStackClosed, std::memory_order_relaxed);
  page.return_stack.store(kStackEmpty, std::memory_order_relaxed);
  page.deaths_acknowledged.store(death_count, std::memory_order_relaxed);
  page.lease_epoch_done.store(lease_epoch, std::memory_order_relaxed);
  page.blocked.store(0, std::memory_order_relaxed);
  page.function_plus_one.store(0, std::memory_order_relaxed);
  page.last_function_plus_one.store(0, std::memory_order_relaxed);
  page.cpu.store(0, std::memory_order_relaxed);
  page.spin_state.store(0, std::memory_order_relaxed);
  page.executed.store(0, std::memory_order_relaxed);
  page.under_way.store(0, std::memory_order_relaxed);
  ProcessRing& ring = calls.ring(slot);
  ring.head.store(0, std::memory_order_relaxed);
  ring.tail.store(0, std::memory_order_release);
}

void sweep_spin_tokens(CallsHeader& header, SlotIndex slot) {
  for (Atomic32& token : header.spin_tokens) {
    uint32_t holder = slot;
    token.compare_exchange_strong(holder, 0, std::memory_order_acq_rel, std::memory_order_relaxed);
  }
}

}  // namespace sabir::shm
