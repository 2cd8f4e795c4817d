// What sabird writes for all to read about calls: scheduling classes and their queues and workers, leases, actors (T2).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/scheduling.h"
#include "runtime/node/instructions.h"
#include "runtime/node/processes.h"
#include "runtime/shm/lease.h"
#include "runtime/shm/segment.h"

namespace sabir::node {

class Directory {
 public:
  Directory(shm::NodeWriter& node, shm::CallsView& calls, Processes& processes);

  struct Queue {
    shm::QueueIndex index = 0;
    bool is_new = false;
  };
  // This process's queue in the class, made if need be. kExhausted: the node or the class has no room for one more.
  // What is executed under a lease on the class runs there. Before its first queue.
  void set_place(shm::ClassIndex class_index, JobNumber job, const Scheduling& place);
  Result<Queue> open_queue(Process& process, shm::ClassIndex class_index);
  // Not before the process's death is acknowledged by all (D4). Its class and all leases forget it.
  void close_queue(shm::QueueIndex queue);
  // Not before all have acknowledged a death that came after close_queue(): until then somebody who looked at the ring
  // before may still claim from it, and would claim from its next owner.
  void reuse_queue(shm::QueueIndex queue) { free_queues_.push_back(queue); }
  // Queues of a class as sabird knows them.
  const std::vector<shm::QueueIndex>& queues(shm::ClassIndex class_index);
  const std::map<shm::QueueIndex, shm::ClassIndex>& open_queues() const { return queue_class_; }
  store::ProcessId queue_owner(shm::QueueIndex queue) const;

  void set_starved(shm::ClassIndex class_index, bool starved);
  void free_class(shm::ClassIndex class_index);

  // L2, as in GrantLease and so on.
  void grant(const GrantLease& lease);
  void withdraw(shm::SlotIndex slot);
  void unlist_worker(shm::SlotIndex slot, shm::ClassIndex class_index);
  void clear_lease(shm::SlotIndex slot);
  void set_gpus(shm::SlotIndex slot, uint64_t gpu_mask);
  uint32_t lease_epoch(shm::SlotIndex slot) const { return leases_.word(slot).epoch; }

  // The reason first, then the word. The caller rings.
  void write_actor(const WriteActorWord& actor, JobNumber job);

 private:
  struct Class {
    JobNumber job = 0;
    std::vector<shm::QueueIndex> queues;  // workers' before drivers', newest first: depth first (L4)
    std::vector<shm::SlotIndex> workers;
  };
  Class& class_of(shm::ClassIndex class_index, JobNumber job);
  void write_queues(shm::ClassIndex class_index);
  void write_workers(shm::ClassIndex class_index);
  void ring_workers(shm::ClassIndex class_index);

  shm::NodeWriter& node_;
  shm::CallsView& calls_;
  Processes& processes_;
  shm::LeaseWriter leases_;
  std::map<shm::ClassIndex, Class> classes_;
  std::map<shm::QueueIndex, shm::ClassIndex> queue_class_;
  std::map<shm::QueueIndex, store::ProcessId> queue_owner_;
  std::vector<shm::QueueIndex> free_queues_;
  uint32_t next_queue_ = 0;
};

}  // namespace sabir::node
