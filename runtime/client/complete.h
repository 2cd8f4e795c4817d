// Takes finished calls off the reply stack. Under the client's lock.
#pragma once

#include <vector>

#include "runtime/client/call.h"
#include "runtime/client/core.h"

namespace sabir::client {

class Completer {
 public:
  explicit Completer(Core& core) : core_(core) {}

  bool has_replies() const;
  // All that has come back, in the order it came. A damaged stack calls for a consistency scan (R3), see Repairer.
  // False: it was damaged.
  bool drain();
  // One call whose cell is DONE: copies its result and finishes it, or lets it run again.
  void complete(Call* call);
  // Who did the last call that came back: the peer that a spinning waiter may share its CPU with (L5).
  shm::SlotIndex last_claimer() const { return last_claimer_; }

 private:
  bool fill_results(Call* call, const shm::Cell& cell);
  bool fill_error(Call* call, std::span<const uint8_t> value, uint8_t how);
  bool fill_many(Call* call, std::span<const uint8_t> bytes);

  Core& core_;
  std::vector<uint32_t> batch_;
  shm::SlotIndex last_claimer_ = 0xffff;
};

}  // namespace sabir::client
