#include "runtime/client/wait_room.h"

#include <algorithm>

#include "runtime/client/complete.h"
#include "runtime/client/event_queue.h"
#include "runtime/client/execute.h"
#include "runtime/client/progress.h"
#include "runtime/client/settle.h"
#include "runtime/shm/fence.h"

namespace sabir::client {

void WaitRoom::wake(Sleeper& sleeper) {
  sleeper.word.fetch_add(shm::kDoorbellStep, std::memory_order_seq_cst);
  shm::futex_wake_all(sleeper.word);
}

void WaitRoom::wake_all() {
  for (Sleeper* sleeper : sleepers_) {
    wake(*sleeper);
  }
  if (asleep_on_bell_) {
    nudge();
  }
}

void WaitRoom::wake_listeners(const EventQueue* events) {
  for (Sleeper* listener : listeners_) {
    if (events == nullptr || listener->events == events) {
      wake(*listener);
    }
  }
  for (Sleeper* sleeper : sleepers_) {
    if (events != nullptr && sleeper->events == events) {
      wake(*sleeper);  // it was about to listen only, and has lent no CPU (L4)
    }
  }
}

void WaitRoom::release_token() {
  token_ = false;
  hand_over();
}

void WaitRoom::hand_over() {
  if (!sleepers_.empty()) {
    wake(*sleepers_.front());
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

void WaitRoom::Visit::give_up_bell() {
  if (std::exchange(armed_, false)) {
    room_.bell_.end_sleep();
  }
  if (std::exchange(has_token_, false)) {
    room_.release_token();
  } else if (std::exchange(followed_, false) && room_.token_free()) {
    room_.hand_over();  // it was perhaps this thread that was woken to take it
  }
}

WaitOutcome WaitRoom::Visit::leave(Lock& lock, WaitOutcome outcome) {
  give_up_bell();
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
  std::optional<int64_t> listens_from = listens_from_ns();
  if (listens_from && now_ns() >= *listens_from) {
    give_up_bell();
    if (blocked_ != 0) {
      // What it lent a CPU for has come, perhaps to another thread.
      room_.core_.executor->leave_blocked(lock, std::exchange(blocked_, 0));
    }
    return sleep_on_own_word(lock, room_.listeners_);
  }
  if (!spun_ && !room_.spinner_busy_) {
    return spin(lock);
  }
  if (has_token_ || room_.take_token()) {
    has_token_ = true;
    return sleep_on_bell(lock, listens_from);
  }
  followed_ = true;
  return sleep_on_own_word(lock, room_.sleepers_);
}

std::optional<int64_t> WaitRoom::Visit::listens_from_ns() const {
  return expects() ? std::nullopt : std::optional(options_.events->quiet_since_ns() + kLingerNs);
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
  if (blocked_ == 0 && !options_.for_work && expects()) {
    blocked_ = room_.core_.executor->enter_blocked();
  }
}

WaitOutcome WaitRoom::Visit::sleep_on_bell(Lock& lock, std::optional<int64_t> until_ns) {
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
    int64_t deadline_ns = until_ns && (deadline_ns_ < 0 || *until_ns < deadline_ns_) ? *until_ns : deadline_ns_;
    outcome = room_.bell_.sleep(bell_value_, deadline_ns);
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

WaitOutcome WaitRoom::Visit::sleep_on_own_word(Lock& lock, std::vector<Sleeper*>& sleepers) {
  lend_cpu();
  Sleeper self{.events = options_.events};
  sleepers.push_back(&self);
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
  std::erase(sleepers, &self);
  spun_ = false;
  return outcome == shm::SleepOutcome::kInterrupted ? WaitOutcome::kInterrupted : WaitOutcome::kReady;
}

}  // namespace sabir::client
