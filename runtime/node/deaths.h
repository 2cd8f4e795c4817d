// Deaths: their publication (D2), the wait until everybody knows (D3, D4), and the heirs (D5).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/heir.h"
#include "runtime/shm/death_log.h"

namespace sabir::node {

class Deaths {
 public:
  struct Options {
    // Deaths that somebody has not acknowledged may pile up so far; then the one who is furthest behind is killed.
    uint32_t max_unacknowledged = 256;
    uint32_t min_free_slots = 32;
  };
  struct Report {
    shm::SlotIndex slot = 0;
    int wait_status = 0;
    shm::DeathReason reason = shm::DeathReason::kExited;
    bool job_over = false;  // nothing that it had submitted runs any more
  };
  struct Events {
    // A queue of a dead process is gone (D4).
    std::function<void(shm::QueueIndex)> queue_closed;
    // It holds everybody up: to be killed.
    std::function<void(shm::SlotIndex)> unresponsive;
  };

  Deaths(Estate estate, Options options, Events events);

  // A process got a slot: what is in the log already is none of its business.
  void welcome(shm::SlotIndex slot);

  // All of D2, in its order. `decide` is what follows from the death: leases, actors' words. The process is out of the
  // table when it runs.
  void publish(const Report& report, const std::function<void()>& decide);

  // The job's driver is gone: what its dead processes had left queued does not run any more (D5).
  void job_ended(JobNumber job);

  // One look: who has acknowledged what, what the heirs may do now, which slots and chunks can be lent again.
  void look();
  // Somebody has not acknowledged, or something of the dead still runs: keep looking (D4).
  bool busy() const { return !heirs_.empty(); }
  size_t unburied_count() const { return heirs_.size(); }

 private:
  void bury(const Process& process, uint64_t death_count);
  void reuse_queues(uint64_t acknowledged);
  void press(uint64_t acknowledged);

  Estate estate_;
  Options options_;
  Events events_;
  shm::UntrustedCalls calls_;
  shm::DeathAcks acks_;
  std::vector<std::unique_ptr<Heir>> heirs_;  // oldest first
  // D4: indices of closed queues, with the log's length at their closing. They wait for the next death: then all that
  // were closed before it are free, so no more wait than those of the processes buried since.
  struct ClosedQueue {
    shm::QueueIndex index;
    uint64_t log_position;
  };
  std::vector<ClosedQueue> closed_queues_;
};

}  // namespace sabir::node
