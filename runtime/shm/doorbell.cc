#include "runtime/shm/doorbell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace sabir::shm {
namespace {

// Which wake-ups reach whom: a ring is for the sleeper of Q8, not for threads that wait aside.
constexpr uint32_t kSleeperBit = 1;
constexpr uint32_t kAsideBit = 2;

SleepOutcome wait_for(const Atomic32& word, uint32_t value, int64_t deadline_ns, uint32_t bits) {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  timespec deadline = {};
  timespec* deadline_pointer = nullptr;
  if (deadline_ns >= 0) {
    deadline.tv_sec = static_cast<time_t>(deadline_ns / kNsPerSecond);
    deadline.tv_nsec = static_cast<long>(deadline_ns % kNsPerSecond);
    deadline_pointer = &deadline;
  }
  // Not FUTEX_PRIVATE_FLAG: the ringer is another process. The BITSET variant takes an absolute time.
  long failed = ::syscall(SYS_futex, reinterpret_cast<const uint32_t*>(&word), FUTEX_WAIT_BITSET, value,
                          deadline_pointer, nullptr, bits);
  if (failed == 0 || errno == EAGAIN) {
    return SleepOutcome::kRung;
  }
  return errno == ETIMEDOUT ? SleepOutcome::kTimeout : SleepOutcome::kInterrupted;
}

}  // namespace

SleepOutcome futex_wait(const Atomic32& word, uint32_t value, int64_t deadline_ns) {
  return wait_for(word, value, deadline_ns, kSleeperBit);
}

SleepOutcome futex_wait_aside(const Atomic32& word, uint32_t value, int64_t deadline_ns) {
  return wait_for(word, value, deadline_ns, kAsideBit);
}

void futex_wake_all(const Atomic32& word) {
  ::syscall(SYS_futex, reinterpret_cast<const uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void Doorbell::wake(RingMemo& memo) {
  uint32_t moved = word_.fetch_add(kDoorbellStep, std::memory_order_seq_cst) + kDoorbellStep;
  SABIR_SHM_FAULT(kRingAfterSequence);
  ::syscall(SYS_futex, reinterpret_cast<const uint32_t*>(&word_), FUTEX_WAKE_BITSET, INT_MAX, nullptr, nullptr,
            kSleeperBit);
  // Only now: another thread that meets this value must be able to rely on a wake-up that is over.
  memo.store(moved, std::memory_order_release);
}

void DaemonBell::ring() const {
  uint64_t one = 1;
  // EAGAIN means that the counter is full: then it is rung all the more. EINTR cannot happen to an eventfd that does
  // not block.
  while (::write(event_fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

}  // namespace sabir::shm
