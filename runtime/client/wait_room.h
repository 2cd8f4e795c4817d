// Where threads of this process wait (P1). At most one thread sleeps on the process's doorbell: the one that has the
// token. It takes in what arrives and wakes the others, which sleep on words of their own; when it leaves it hands the
// token to one of them, else to the progress thread.
// A thread that waits for events that no reference will bring (notices of the node) only listens: it has no token, does
// not spin, and nothing that the doorbell rings for wakes it. Else each completion would cost its sender a system call
// for a thread that does not want it. Where references brought events until now it stays for kLingerNs: more may come.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/client/core.h"
#include "runtime/client/event_queue.h"
#include "runtime/client/future.h"
#include "runtime/client/waiter.h"
#include "runtime/shm/spin.h"

namespace sabir::client {

enum class WaitOutcome : uint8_t { kReady, kTimeout, kInterrupted, kOver };

// Up to this long a wait only spins: callers use it while they hold a lock of their own (the GIL).
inline constexpr int64_t kSpinOnlyNs = 20 * kMicrosecondNs;

// So long a thread keeps the doorbell after the last that it was for: the next mostly comes soon, and finds it there.
inline constexpr int64_t kLingerNs = 2 * kMillisecondNs;

struct WaitOptions {
  int64_t timeout_ns = -1;
  Waiter* waiter = nullptr;
  // Without a lock, while spinning: worth to look again. May be wrong.
  bool (*hint)(void* context) = nullptr;
  void* hint_context = nullptr;
  bool for_work = false;               // shows others that this process spins for calls (Q8)
  const EventQueue* events = nullptr;  // waits for events of it: unless references will bring some, it only listens
};

class WaitRoom {
 public:
  explicit WaitRoom(Core& core)
      : core_(core),
        spinner_(core.self.clock(), core.self.node(), core.self.calls(), core.self.slot()),
        bell_(core.self.page().doorbell) {}

  // Called with the lock, returns with it. `condition` is asked with the lock held, after Core::pump(). kOver: see
  // Core::check_open().
  template <typename Condition>
  WaitOutcome wait(Lock& lock, const WaitOptions& options, Condition&& condition) {
    Visit visit(*this, options);
    for (;;) {
      core_.pump();
      if (condition()) {
        return visit.leave(lock, WaitOutcome::kReady);
      }
      WaitOutcome outcome = visit.step(lock);
      if (outcome != WaitOutcome::kReady) {
        return visit.leave(lock, outcome);
      }
    }
  }

  // Under the lock: those who sleep look again. Called by pump() when something they may wait for has happened.
  void wake_all();
  // Under the lock: those who wait for events of this queue, after the push of one or when it begins to expect some;
  // null: all who only listen.
  void wake_listeners(const EventQueue* events = nullptr);
  // Under the lock: nobody has the token.
  bool token_free() const { return !token_; }
  // The progress thread's turn (progress.h). Under the lock.
  bool take_token() { return !std::exchange(token_, true); }
  void release_token();
  bool has_sleepers() const { return !sleepers_.empty() || asleep_on_bell_; }
  // Threads that wait while somebody else has the doorbell.
  bool has_followers() const { return !sleepers_.empty(); }
  // From any thread, no lock needed: the sleeper on the doorbell looks again, also when nothing has happened.
  void nudge() { bell_.ring_always(); }

  // The caller has just woken a sleeping process: give it this CPU if it is the one it was woken on (L5).
  void note_rang() { rang_.store(true, std::memory_order_relaxed); }
  // Threads inside wait(): shutdown waits until there are none. Under the lock.
  uint32_t inside() const { return inside_; }
  shm::Doorbell& bell() { return bell_; }

 private:
  struct Sleeper {
    const EventQueue* events = nullptr;
    shm::Atomic32 word{0};
  };
  static void wake(Sleeper& sleeper);
  // Nobody has the token: wakes one who is to take it.
  void hand_over();

  // One call of wait().
  class Visit {
   public:
    Visit(WaitRoom& room, const WaitOptions& options);
    // Waits for something to happen. kReady: look again.
    WaitOutcome step(Lock& lock);
    WaitOutcome leave(Lock& lock, WaitOutcome outcome);

   private:
    WaitOutcome spin(Lock& lock);
    WaitOutcome spin_only(Lock& lock);
    // No longer than `until_ns`, if given: then look again.
    WaitOutcome sleep_on_bell(Lock& lock, std::optional<int64_t> until_ns);
    // Among `sleepers`: of the room, or those who listen.
    WaitOutcome sleep_on_own_word(Lock& lock, std::vector<Sleeper*>& sleepers);
    bool worth_a_look() const;
    bool expects() const { return options_.events == nullptr || options_.events->expects(); }
    // When it begins to only listen; none while it expects something.
    std::optional<int64_t> listens_from_ns() const;
    void give_up_bell();
    void lend_cpu();
    int64_t now_ns() const { return room_.core_.self.clock().now_ns(); }

    WaitRoom& room_;
    const WaitOptions& options_;
    int64_t deadline_ns_ = -1;
    bool spin_only_ = false;
    bool has_token_ = false;
    bool followed_ = false;  // it slept while somebody else had the token
    bool spun_ = false;
    bool armed_ = false;  // the doorbell says SLEEPING: the next look is the second one of Q8
    uint32_t bell_value_ = 0;
    uint32_t blocked_ = 0;  // L4: what Executor::enter_blocked() gave
  };

  Core& core_;
  shm::Spinner spinner_;
  bool spinner_busy_ = false;  // one thread at a time; not tied to the token, which the progress thread may have
  shm::Doorbell bell_;
  bool token_ = false;
  bool asleep_on_bell_ = false;  // the token's holder, unless that is the progress thread
  uint32_t inside_ = 0;
  std::vector<Sleeper*> sleepers_;
  std::vector<Sleeper*> listeners_;
  std::atomic<bool> rang_{false};
};

}  // namespace sabir::client
