// What happens when a future gets its value: whoever waits for it is told. Under the client's lock.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/client/core.h"
#include "runtime/client/future.h"

namespace sabir::client {

class Settler {
 public:
  explicit Settler(Core& core) : core_(core) {}

  // `future` has been filled. Publishes it, puts events into the queues that watch it, and counts down the calls that
  // wait for it: those with nothing missing any more come out of take_ready_call().
  void settle(Future* future);
  // ... with the place of a value that is on another node: what only passes it on goes ahead.
  void settle_elsewhere(Future* future);
  void watch(Future* future, std::shared_ptr<EventQueue> queue, uint64_t tag);
  // The call is parked until `future` is computed.
  void depend(Call* call, Future* future);
  // Null: none.
  Call* take_ready_call();

  // Counts settled futures with an error: a get of many looks at all of them only when it moved.
  uint64_t error_epoch() const { return error_epoch_; }
  uint64_t epoch() const { return epoch_; }
  // True once after a future was settled for which a thread sleeps.
  bool take_wake_wanted() { return std::exchange(wake_wanted_, false); }

 private:
  void release_dependents(Future* future);

  Core& core_;
  std::vector<Call*> ready_calls_;
  uint64_t epoch_ = 0;
  uint64_t error_epoch_ = 0;
  bool wake_wanted_ = false;
};

}  // namespace sabir::client
