#include "runtime/shm/spin.h"

#include <algorithm>

namespace sabir::shm {

bool Spinner::shares_cpu_with(SlotIndex peer) {
  publish_cpu();
  ProcessPage* peer_page = calls_.find_page(peer);
  return cpu_plus_one_ != 0 && peer_page != nullptr &&
         peer_page->cpu.load(std::memory_order_relaxed) == cpu_plus_one_ &&
         (peer_page->doorbell.load(std::memory_order_relaxed) & kDoorbellSleeping) == 0;
}

bool Spinner::yield_to_peer() {
  Atomic64& off_until_ns = calls_.header().yields_off_until_ns;
  int64_t before_ns = clock_.now_ns();
  auto until_ns = static_cast<int64_t>(off_until_ns.load(std::memory_order_relaxed));
  // Nonsense in the word (T1) must not switch yields off for ever.
  if (until_ns > before_ns && until_ns - before_ns <= limits_.yields_off_ns) {
    return false;
  }
  ::sched_yield();
  int64_t after_ns = clock_.now_ns();
  if (after_ns - before_ns <= limits_.yield_expensive_ns) {
    return true;
  }
  off_until_ns.store(static_cast<uint64_t>(after_ns + limits_.yields_off_ns), std::memory_order_relaxed);
  return false;
}

bool Spinner::take_token() {
  uint32_t allowance = std::min(node_.spin_allowance.load(std::memory_order_relaxed), kMaxSpinTokens);
  for (uint32_t i = 0; i < allowance; ++i) {
    uint32_t index = (token_ + i) % allowance;
    uint32_t free = 0;
    Atomic32& token = calls_.header().spin_tokens[index];
    if (token.load(std::memory_order_relaxed) == 0 &&
        token.compare_exchange_strong(free, self_, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      token_ = index;
      return true;
    }
  }
  return false;
}

void Spinner::give_token_back() {
  // Not a plain store: sabird may have swept it if it took this process for dead and was about to kill it.
  uint32_t mine = self_;
  calls_.header().spin_tokens[token_].compare_exchange_strong(mine, 0, std::memory_order_acq_rel,
                                                              std::memory_order_relaxed);
}

}  // namespace sabir::shm
