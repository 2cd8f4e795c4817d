// The questions about the scheduler's tables that its events and its decisions share.
#include "runtime/node/scheduler_state.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::node {

void add_to(ResourceSet& a, const ResourceSet& b) {
  for (const auto& amount : b) {
    a.set(amount.id, a.get(amount.id) + amount.units);
  }
}

Scheduler::State::Worker* Scheduler::State::idle_worker(JobNumber job, Language language) {
  Worker* found = nullptr;
  for (auto& [slot, worker] : workers) {
    // The latest: its memory is warm, and the others become surplus.
    if (!worker.lease && !worker.retired && worker.job == job && worker.language == language &&
        (found == nullptr || worker.idle_order > found->idle_order)) {
      found = &worker;
    }
  }
  return found;
}

std::optional<uint64_t> Scheduler::State::owner_blocked_order(shm::SlotIndex owner) const {
  if (auto worker = workers.find(owner); worker != workers.end() && worker->second.lent) {
    return worker->second.blocked_order;
  }
  if (auto actor = actor_by_slot.find(owner); actor != actor_by_slot.end()) {
    const Actor& hosted = actors.at(actor->second);
    if (hosted.allocation.cpu_lent) {
      return hosted.blocked_order;
    }
  }
  return std::nullopt;
}

shm::QueueIndex Scheduler::State::choose_first_queue(Class& what) {
  std::optional<shm::QueueIndex> next;     // after the last one, going round
  std::optional<shm::QueueIndex> deepest;  // S6
  uint64_t deepest_order = 0;
  for (shm::QueueIndex index : what.queues) {
    const Queue& queue = queues.at(index);
    if (queue.waiting == 0) {
      continue;
    }
    if (!next || (*next <= what.last_first_queue && index > what.last_first_queue)) {
      next = index;
    }
    if (auto order = owner_blocked_order(queue.owner); order && *order >= deepest_order) {
      deepest = index;
      deepest_order = *order;
    }
  }
  SABIR_CHECK(next, "class=", what.index);
  return deepest.value_or(*next);
}

bool Scheduler::State::surplus(const Worker& worker) const {
  return worker.lease && classes.at(*worker.lease).waiting == 0;
}

bool Scheduler::State::idle_lease(const Worker& worker) const {
  return surplus(worker) && !worker.running && !worker.lent && !worker.over_at_border;
}

ResourceSet Scheduler::State::returning(int64_t within_ns) const {
  int64_t now = clock->now_ns();
  ResourceSet sum;
  for (const auto& [slot, worker] : workers) {
    if (worker.returning() && (!worker.running || now - worker.returning_since_ns < within_ns)) {
      add_to(sum, worker.allocation.amounts);
    }
  }
  return sum;
}

bool Scheduler::State::holds_some_of(const Worker& worker, const ResourceSet& wanted) const {
  // Only what is short matters: taking a lease for its CPU does not help who waits for a GPU.
  return std::any_of(wanted.begin(), wanted.end(), [&](const ResourceSet::Amount& amount) {
    return worker.allocation.amounts.get(amount.id) > 0 && resources.lacks(amount);
  });
}

}  // namespace sabir::node
