#include "runtime/client/progress.h"

#include <cerrno>
#include <csignal>
#include <ctime>

#include "runtime/client/complete.h"
#include "runtime/client/elsewhere.h"
#include "runtime/client/groups.h"
#include "runtime/client/lineage.h"
#include "runtime/client/objects.h"
#include "runtime/client/refs.h"
#include "runtime/client/wait_room.h"

namespace sabir::client {

Result<void> Progress::start() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // The new thread inherits the mask: user handlers never run on it.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = ::pthread_create(&thread_, nullptr, &Progress::run, this);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) {
    return Error::from_errno(failed, "start the progress thread");
  }
  started_ = true;
  return {};
}

void Progress::stop() {
  if (!started_) {
    return;
  }
  stop_.store(true, std::memory_order_seq_cst);
  core_.waiting->nudge();  // it may also sleep as the doorbell's owner
  ::pthread_join(thread_, nullptr);
  started_ = false;
}

void Progress::nudge() {
  if (idling_.exchange(false, std::memory_order_seq_cst)) {
    core_.waiting->nudge();
  }
}

void Progress::collect_loans() {
  collect_due_.store(true, std::memory_order_seq_cst);
  core_.waiting->nudge();
}

void Progress::nudge_for_news() {
  news_due_.store(true, std::memory_order_seq_cst);
  core_.waiting->nudge();
}

void* Progress::run(void* self) {
  ::pthread_setname_np(::pthread_self(), "sabir-progress");
  static_cast<Progress*>(self)->loop();
  return nullptr;
}

void Progress::loop() {
  Lock lock(core_.lock);
  while (!stop_.load(std::memory_order_seq_cst)) {
    if (core_.check_open().ok()) {
      core_.pump();
    }
    if (collect_due_.exchange(false, std::memory_order_seq_cst)) {
      lock.unlock();
      core_.objects->collect();
      lock.lock();
      core_.lineage->collect();
    }
    if (news_due_.exchange(false, std::memory_order_seq_cst)) {
      lock.unlock();
      core_.groups->settle();
      core_.elsewhere->settle();
      lock.lock();
    }
    if (core_.interest() > 0 && core_.check_open().ok() && core_.waiting->token_free()) {
      if (core_.self.clock().now_ns() - served_until_ns_ < kRestNs) {
        core_.unlock_and_help(lock);
        timespec rest = {0, kRestNs};
        ::nanosleep(&rest, nullptr);
        lock.lock();
      }
      if (core_.waiting->take_token()) {
        serve(lock);
      }
    } else {
      idle(lock);
    }
  }
}

void Progress::serve(Lock& lock) {
  shm::Doorbell& bell = core_.waiting->bell();
  const Clock& clock = core_.self.clock();
  int64_t last_wake_ns = 0;
  int64_t linger_until_ns = 0;
  int busy = 0;
  // Callers come first: who sleeps on a word of its own takes the doorbell over.
  while (!stop_.load(std::memory_order_seq_cst) && core_.check_open().ok() && !core_.waiting->has_followers() &&
         !collect_due_.load(std::memory_order_relaxed) && !news_due_.load(std::memory_order_relaxed)) {
    uint32_t value = bell.prepare_sleep();
    core_.pump();
    int64_t deadline_ns = reclaim_deadline_ns();
    if (core_.interest() == 0) {
      int64_t now = clock.now_ns();
      linger_until_ns = linger_until_ns == 0 ? now + kLingerNs : linger_until_ns;
      if (now >= linger_until_ns) {
        bell.end_sleep();
        break;
      }
      deadline_ns = linger_until_ns;
    } else {
      linger_until_ns = 0;
    }
    bool changed = core_.unlock_and_help(lock);
    bool stopping = stop_.load(std::memory_order_seq_cst) || core_.closing.load(std::memory_order_seq_cst);
    if (!stopping && !changed) {
      bell.sleep(value, deadline_ns);
    }
    bell.end_sleep();
    int64_t now = clock.now_ns();
    busy = now - last_wake_ns < kBusyWithinNs ? busy + 1 : 0;
    last_wake_ns = now;
    if (busy >= kBusyWakes) {
      timespec nap = {0, kBusyNapNs};
      ::nanosleep(&nap, nullptr);
      busy = 0;
    }
    lock.lock();
    core_.pump();
  }
  served_until_ns_ = clock.now_ns();
  core_.waiting->release_token();
}

void Progress::expect_dead() {
  if (sleeps_forever_.exchange(false, std::memory_order_seq_cst)) {
    core_.waiting->nudge();
  }
}

int64_t Progress::reclaim_deadline_ns() {
  // Under the lock, like the making of the first entry.
  bool needed = core_.refs->has_entries() && core_.check_open().ok();
  sleeps_forever_.store(!needed, std::memory_order_seq_cst);
  return needed ? core_.self.clock().now_ns() + kReclaimNs : -1;
}

void Progress::idle(Lock& lock) {
  // Not as the sleeper of Q8: the SLEEPING bit stays as it is, so completions cost nobody a system call for this
  // thread. What wakes it are rings whatever the word says: deaths (D2), sabird, and nudges of this process.
  shm::Atomic32& word = core_.self.page().doorbell;
  idling_.store(true, std::memory_order_seq_cst);
  uint32_t value = word.load(std::memory_order_seq_cst);
  bool due = collect_due_.load(std::memory_order_seq_cst) || news_due_.load(std::memory_order_seq_cst) ||
             stop_.load(std::memory_order_seq_cst) || (core_.check_open().ok() && core_.deaths.moved()) ||
             (core_.interest() > 0 && core_.waiting->token_free() && core_.check_open().ok());
  int64_t deadline_ns = reclaim_deadline_ns();
  bool changed = core_.unlock_and_help(lock);
  if (!due && !changed) {
    shm::futex_wait_aside(word, value, deadline_ns);
  }
  idling_.store(false, std::memory_order_relaxed);
  lock.lock();
}

}  // namespace sabir::client
