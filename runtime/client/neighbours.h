// How this process wakes others (Q8): processes by their doorbells, sabird by its eventfd.
#pragma once

#include <array>

#include "runtime/client/membership.h"
#include "runtime/shm/doorbell.h"

namespace sabir::client {

// Any thread.
class Neighbours {
 public:
  explicit Neighbours(const Membership& self)
      : calls_(self.calls()), daemon_(self.welcome().daemon_doorbell_fd.get(), self.node().header()) {}

  // After publishing something for the process. True: it slept, which cost a system call.
  bool ring(shm::SlotIndex slot) { return slot < shm::kMaxProcesses && bell(slot).ring(memos_[slot]); }
  // The same when what was published was a push on a stack.
  bool ring_after_push(shm::SlotIndex slot) {
    return slot < shm::kMaxProcesses && bell(slot).ring_after_rmw(memos_[slot]);
  }
  bool sleeping(shm::SlotIndex slot) const { return bell(slot).sleeping(); }
  const shm::DaemonBell& daemon() const { return daemon_; }

 private:
  shm::Doorbell bell(shm::SlotIndex slot) const { return shm::Doorbell(calls_.page(slot).doorbell); }

  const shm::CallsView& calls_;
  shm::DaemonBell daemon_;
  std::array<shm::RingMemo, shm::kMaxProcesses> memos_ = {};
};

}  // namespace sabir::client
