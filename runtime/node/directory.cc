#include "runtime/node/directory.h"

#include <algorithm>
#include <cstring>

#include "runtime/shm/work_queue.h"

namespace sabir::node {

Directory::Directory(shm::NodeWriter& node, shm::CallsView& calls, Processes& processes)
    : node_(node), calls_(calls), processes_(processes), leases_(node.segment()) {}

Directory::Class& Directory::class_of(shm::ClassIndex class_index, JobNumber job) {
  auto [found, is_new] = classes_.try_emplace(class_index);
  if (is_new) {
    found->second.job = job;
    shm::ClassRecord& record = node_.segment().classes[class_index];
    record.job.store(job, std::memory_order_relaxed);
    record.queue_count.store(0, std::memory_order_relaxed);
    record.worker_count.store(0, std::memory_order_relaxed);
    record.in_use.store(1, std::memory_order_release);
  }
  return found->second;
}

void Directory::set_place(shm::ClassIndex class_index, JobNumber job, const Scheduling& place) {
  class_of(class_index, job);
  shm::ClassRecord& record = node_.segment().classes[class_index];
  uint64_t group[2] = {0, 0};
  if (place.group_id.size() == sizeof(group)) {
    std::memcpy(group, place.group_id.data(), sizeof(group));
  }
  record.group[0].store(group[0], std::memory_order_relaxed);
  record.group[1].store(group[1], std::memory_order_relaxed);
  record.bundle.store(static_cast<uint32_t>(place.bundle), std::memory_order_relaxed);
  record.captures.store(place.capture_children ? 1 : 0, std::memory_order_release);
}

Result<Directory::Queue> Directory::open_queue(Process& process, shm::ClassIndex class_index) {
  for (shm::QueueIndex queue : process.queues) {
    if (queue_class_.at(queue) == class_index) {
      return Queue{queue, false};
    }
  }
  Class& owner = class_of(class_index, process.job);
  if (owner.queues.size() >= shm::kMaxQueuesPerClass) {
    return exhausted_error("more than " + std::to_string(shm::kMaxQueuesPerClass) +
                           " processes submit calls of one kind");
  }
  if (free_queues_.empty() && next_queue_ >= shm::kMaxQueues) {
    return exhausted_error("all " + std::to_string(shm::kMaxQueues) + " work queues of this node are in use");
  }
  shm::QueueIndex queue;
  if (free_queues_.empty()) {
    queue = next_queue_++;
  } else {
    queue = free_queues_.back();
    free_queues_.pop_back();
  }
  shm::recycle_work_queue(calls_.queue(queue));
  shm::QueueRecord& record = node_.segment().queues[queue];
  record.class_index.store(class_index, std::memory_order_relaxed);
  record.owner_slot.store(process.key.slot, std::memory_order_relaxed);
  record.owner_incarnation.store(process.key.incarnation, std::memory_order_relaxed);
  record.in_use.store(1, std::memory_order_release);
  queue_class_[queue] = class_index;
  queue_owner_[queue] = process.id();
  process.queues.push_back(queue);
  auto is_drivers = [&](shm::QueueIndex other) {
    const Process* submitter = processes_.at(queue_owner_.at(other).slot);
    return submitter == nullptr || !submitter->is_worker();
  };
  auto place =
      process.is_worker() ? owner.queues.begin() : std::find_if(owner.queues.begin(), owner.queues.end(), is_drivers);
  owner.queues.insert(place, queue);
  write_queues(class_index);
  return Queue{queue, true};
}

void Directory::close_queue(shm::QueueIndex queue) {
  auto found = queue_class_.find(queue);
  if (found == queue_class_.end()) {
    return;
  }
  shm::ClassIndex class_index = found->second;
  queue_class_.erase(found);
  queue_owner_.erase(queue);
  if (auto owner = classes_.find(class_index); owner != classes_.end()) {
    std::erase(owner->second.queues, queue);
    write_queues(class_index);
  }
  for (shm::SlotIndex slot = 0; slot < shm::kMaxProcesses; ++slot) {
    if (leases_.word(slot).first_queue_plus_one == queue + 1) {
      leases_.redirect(slot, shm::LeaseWriter::kNoQueue);
    }
  }
  node_.segment().queues[queue].in_use.store(0, std::memory_order_release);
}

const std::vector<shm::QueueIndex>& Directory::queues(shm::ClassIndex class_index) {
  static const std::vector<shm::QueueIndex> kNone;
  auto found = classes_.find(class_index);
  return found == classes_.end() ? kNone : found->second.queues;
}

store::ProcessId Directory::queue_owner(shm::QueueIndex queue) const {
  auto found = queue_owner_.find(queue);
  return found == queue_owner_.end() ? store::kNodeItself : found->second;
}

void Directory::write_queues(shm::ClassIndex class_index) {
  const Class& owner = classes_.at(class_index);
  shm::ClassRecord& record = node_.segment().classes[class_index];
  for (size_t i = 0; i < owner.queues.size(); ++i) {
    record.queues[i].store(owner.queues[i], std::memory_order_relaxed);
  }
  record.queue_count.store(static_cast<uint32_t>(owner.queues.size()), std::memory_order_release);
  // Who looked while the list moved may have missed a queue.
  ring_workers(class_index);
}

void Directory::write_workers(shm::ClassIndex class_index) {
  const Class& owner = classes_.at(class_index);
  shm::ClassRecord& record = node_.segment().classes[class_index];
  for (size_t i = 0; i < owner.workers.size(); ++i) {
    record.workers[i].store(owner.workers[i], std::memory_order_relaxed);
  }
  record.worker_count.store(static_cast<uint32_t>(owner.workers.size()), std::memory_order_seq_cst);
}

void Directory::ring_workers(shm::ClassIndex class_index) {
  for (shm::SlotIndex slot : classes_.at(class_index).workers) {
    processes_.ring(slot);
  }
}

void Directory::set_starved(shm::ClassIndex class_index, bool starved) {
  node_.segment().classes[class_index].starved.store(starved ? 1 : 0, std::memory_order_release);
}

void Directory::free_class(shm::ClassIndex class_index) {
  classes_.erase(class_index);
  shm::ClassRecord& record = node_.segment().classes[class_index];
  record.in_use.store(0, std::memory_order_release);
  record.queue_count.store(0, std::memory_order_release);
  record.worker_count.store(0, std::memory_order_release);
  record.starved.store(0, std::memory_order_release);
}

void Directory::grant(const GrantLease& lease) {
  Process* process = processes_.at(lease.slot);
  Class& owner = class_of(lease.class_index, process != nullptr ? process->job : 0);
  leases_.grant(lease.slot, lease.epoch, lease.class_index, lease.first_queue.value_or(shm::LeaseWriter::kNoQueue),
                lease.gpu_mask);
  if (owner.workers.size() < shm::kMaxWorkersPerClass) {
    owner.workers.push_back(lease.slot);
    write_workers(lease.class_index);
  }
  processes_.ring(lease.slot);
}

void Directory::withdraw(shm::SlotIndex slot) {
  leases_.withdraw(slot);
  processes_.ring(slot);
}

void Directory::unlist_worker(shm::SlotIndex slot, shm::ClassIndex class_index) {
  auto found = classes_.find(class_index);
  if (found != classes_.end() && std::erase(found->second.workers, slot) != 0) {
    write_workers(class_index);
    // A submitter may have rung this worker, thinking that it would take the call: another one has to look.
    ring_workers(class_index);
  }
}

void Directory::clear_lease(shm::SlotIndex slot) { leases_.withdraw(slot); }

void Directory::set_gpus(shm::SlotIndex slot, uint64_t gpu_mask) {
  node_.segment().leases[slot].gpu_mask.store(gpu_mask, std::memory_order_release);
}

void Directory::write_actor(const WriteActorWord& actor, JobNumber job) {
  shm::ActorRecord& record = node_.segment().actors[actor.actor];
  record.job.store(job, std::memory_order_relaxed);
  size_t size_bytes = std::min(actor.death_reason.size(), sizeof(record.death_reason));
  if (actor.word.state == shm::ActorState::kDead) {
    // Whole characters: a cut in the middle of one would not be UTF-8 any more.
    while (size_bytes > 0 && size_bytes < actor.death_reason.size() &&
           (static_cast<uint8_t>(actor.death_reason[size_bytes]) & 0xc0) == 0x80) {
      --size_bytes;
    }
    std::memcpy(record.death_reason, actor.death_reason.data(), size_bytes);
    record.death_reason_bytes.store(static_cast<uint32_t>(size_bytes), std::memory_order_relaxed);
  }
  record.word.store(actor.word.pack(), std::memory_order_seq_cst);
}

}  // namespace sabir::node
