// P2: the quiet thread that does what nobody waits for: it takes the doorbell while interest exists and no caller has
// it, and acknowledges deaths also while the process computes. It blocks all signals and never runs user code.
#pragma once

#include <pthread.h>

#include "runtime/client/core.h"

namespace sabir::client {

class Progress {
 public:
  explicit Progress(Core& core) : core_(core) {}

  Result<void> start();
  // Ends and joins it. Idempotent.
  void stop();
  // From any thread: there is something for it. Costs a system call only if it idles.
  void nudge();
  // The first entry is held: from now on it must look for dead handles. Costs a system call only if it sleeps for ever.
  void expect_dead();
  // Store pressure: it gives idle loans back (asked for on the control thread, which must not).
  void collect_loans();
  // News of placement groups (groups.h) or of values on other nodes (elsewhere.h), by the control thread.
  void nudge_for_news();

 private:
  // With interest and without a pause the thread would be woken by each completion of a flood.
  static constexpr int kBusyWakes = 8;
  static constexpr int64_t kBusyWithinNs = 100 * kMicrosecondNs;
  static constexpr int64_t kBusyNapNs = 200 * kMicrosecondNs;
  // Threads that come and go with interest left would wake it each time.
  static constexpr int64_t kRestNs = 500 * kMicrosecondNs;
  // P3: a finalizer wakes nobody. While this process holds entries, this thread looks so often for dead handles.
  static constexpr int64_t kReclaimNs = 25 * kMillisecondNs;

  // When to look again though nobody rings; negative: never.
  int64_t reclaim_deadline_ns();
  static void* run(void* self);
  void loop();
  // Sleeps as the doorbell's owner, with the token.
  void serve(Lock& lock);
  // Sleeps until a death, a nudge or interest; without the token.
  void idle(Lock& lock);

  Core& core_;
  pthread_t thread_ = {};
  bool started_ = false;
  int64_t served_until_ns_ = 0;
  std::atomic<bool> idling_{false};
  std::atomic<bool> sleeps_forever_{false};
  std::atomic<bool> collect_due_{false};
  std::atomic<bool> news_due_{false};
  std::atomic<bool> stop_{false};
};

}  // namespace sabir::client
