#include "runtime/client/wait_room.h"

#include <algorithm>

#include "runtime/client/complete.h"
#include "runtime/client/event_queue.h"
#include "runtime/client/execute.h"
#include "runtime/client/progress.h"
#include "runtime/client/settle.h"
#include "runtime/shm/fence.h"

namespace sabir::client {

void WaitRoom::wake_all() {
  for (Sleeper* sleeper : sleepers_) {
    sleeper->word.fetch_add(shm::kDoorbellStep, std::memory_order_seq_cst);
    shm::futex_wake_all(sleeper->word);
  }
  if (asleep_on_bell_) {
    nudge();
  }
}

void WaitRoom::release_token() {
  token_ = false;
  if (!sleepers_.empty()) {
    Sleeper* next = sleepers_.front();
    next->word.fetch_add(shm::kDoorbellStep, std::memory_order_seq_cst);
    shm::futex_wake_all(next->word);
  } else if (core_.interest() > 0) {
    core_.progress->nudge();
  }
}

WaitRoom::Visit::Visit(WaitRoom& room, const WaitOptions& options) : room_(room), options_(options) {
  ++room.inside_;
  blocked_ = options.waiter != nullptr ? options.waiter->take_lent() : 0;
  if (options.timeout_ns >= 0) {
    // Not looked at before the first look has failed: a get of what is there reads no clock.
    deadline_ns_ = 0;
    spin_only_ = options.timeout_ns <= kSpinOnlyNs;
  }
}

WaitOutcome WaitRoom::Visit::leave(Lock& lock, WaitOutcome outcome) {
  if (armed_) {
    armed_ = false;
    room_.bell_.end_sleep();
  }
  if (has_token_) {
    has_token_ = false;
    room_.release_token();
  }
  --room_.inside_;
  if (blocked_ != 0 && options_.waiter != nullptr && options_.waiter->in_slices() &&
      (outcome == WaitOutcome::kTimeout || outcome == WaitOutcome::kInterrupted)) {
    options_.waiter->leave_lent(blocked_);
  } else if (blocked_ != 0) {
    room_.core_.executor->leave_blocked(lock, blocked_);
  }
  return outcome;
}

WaitOutcome WaitRoom::Visit::step(Lock& lock) {
  Core& core = room_.core_;
  if (!core.check_open().ok()) {
    return WaitOutcome::kOver;
  }
  if (options_.waiter != nullptr && options_.waiter->consume()) {
    return WaitOutcome::kInterrupted;
  }
  if (options_.timeout_ns >= 0) {
    int64_t now = now_ns();
    if (deadline_ns_ == 0) {
      deadline_ns_ = options_.timeout_ns > INT64_MAX - now ? INT64_MAX : now + options_.timeout_ns;
    }
    if (now >= deadline_ns_) {
      return WaitOutcome::kTimeout;
    }
  }
  if (spin_only_) {
    return spin_only(lock);
  }
  if (!spun_ && !room_.spinner_busy_) {
    return spin(lock);
  }
  if (has_token_ || room_.take_token()) {
    has_token_ = true;
    return sleep_on_bell(lock);
  }
  return sleep_on_own_word(lock);
}

bool WaitRoom::Visit::worth_a_look() const {
  Core& core = room_.core_;
  return core.completer->has_replies() || core.deaths_moved() || core.closing.load(std::memory_order_relaxed) ||
         core.disconnected.load(std::memory_order_relaxed) ||
         (options_.waiter != nullptr && options_.waiter->interrupted()) ||
         (options_.hint != nullptr && options_.hint(options_.hint_context));
}

WaitOutcome WaitRoom::Visit::spin_only(Lock& lock) {
  room_.core_.unlock(lock);
  bool looks = false;
  do {
    for (int i = 0; i < 64 && !looks; ++i) {
      shm::cpu_relax();
      looks = worth_a_look();
    }
  } while (!looks && now_ns() < deadline_ns_);
  lock.lock();
  return WaitOutcome::kReady;
}

WaitOutcome WaitRoom::Visit::spin(Lock& lock) {
  Core& core = room_.core_;
  shm::SlotIndex peer = core.completer->last_claimer();
  bool rang = room_.rang_.exchange(false, std::memory_order_relaxed);
  spun_ = true;
  room_.spinner_busy_ = true;
  core.unlock_and_help(lock);
  if (options_.for_work) {
    room_.spinner_.show_spinning(true);
  }
  shm::SpinOutcome outcome = room_.spinner_.spin(peer, rang, [this] { return worth_a_look(); });
  if (options_.for_work) {
    room_.spinner_.show_spinning(false);
  }
  lock.lock();
  room_.spinner_busy_ = false;
  if (outcome == shm::SpinOutcome::kReady) {
    spun_ = false;  // what was seen may have been for somebody else
  }
  return WaitOutcome::kReady;
}

void WaitRoom::Visit::lend_cpu() {
  if (blocked_ == 0 && !options_.for_work && (options_.events == nullptr || options_.events->expects())) {
    blocked_ = room_.core_.executor->enter_blocked();
  }
}

WaitOutcome WaitRoom::Visit::sleep_on_bell(Lock& lock) {
  lend_cpu();
  if (!armed_) {
    // Q8: say that we sleep, then look at everything again: the caller does, and comes back here.
    bell_value_ = room_.bell_.prepare_sleep();
    armed_ = true;
    return WaitOutcome::kReady;
  }
  // What another thread settles from here on, it tells (wake_all).
  room_.asleep_on_bell_ = true;
  bool changed = room_.core_.unlock_and_help(lock);
  shm::SleepOutcome outcome = shm::SleepOutcome::kRung;
  if (options_.waiter != nullptr) {
    options_.waiter->begin_sleep(&room_.core_.self.page().doorbell);
  }
  if (!changed && (options_.waiter == nullptr || !options_.waiter->interrupted())) {
    outcome = room_.bell_.sleep(bell_value_, deadline_ns_);
  }
  if (options_.waiter != nullptr) {
    options_.waiter->end_sleep();
  }
  room_.bell_.end_sleep();
  armed_ = false;
  spun_ = false;
  lock.lock();
  room_.asleep_on_bell_ = false;
  return outcome == shm::SleepOutcome::kInterrupted ? WaitOutcome::kInterrupted : WaitOutcome::kReady;
}

WaitOutcome WaitRoom::Visit::sleep_on_own_word(Lock& lock) {
  lend_cpu();
  Sleeper self;
  room_.sleepers_.push_back(&self);
  uint32_t value = self.word.load(std::memory_order_relaxed);
  bool changed = room_.core_.unlock_and_help(lock);
  shm::SleepOutcome outcome = shm::SleepOutcome::kRung;
  if (options_.waiter != nullptr) {
    options_.waiter->begin_sleep(&self.word);
  }
  if (!changed && (options_.waiter == nullptr || !options_.waiter->interrupted())) {
    outcome = shm::futex_wait(self.word, value, deadline_ns_);
  }
  if (options_.waiter != nullptr) {
    options_.waiter->end_sleep();
  }
  lock.lock();
  std::erase(room_.sleepers_, &self);
  spun_ = false;
  return outcome == shm::SleepOutcome::kInterrupted ? WaitOutcome::kInterrupted : WaitOutcome::kReady;
}

}  // namespace sabir::client
