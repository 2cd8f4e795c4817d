#include "runtime/client/class_queue.h"

#include <algorithm>

#include "runtime/shm/fence.h"

namespace sabir::client {

ClassQueue::ClassQueue(Core& core, const rpc::ClassInfo& info, uint8_t language,
                       std::vector<rpc::ResourceAmount> resources)
    : core_(core),
      record_(*core.self.node().find_class(info.class_index)),
      ring_(*core.self.calls().find_queue(info.queue), core.self.calls()),
      infeasible_(info.infeasible),
      language_(language),
      resources_(std::move(resources)) {}

bool ClassQueue::wake_somebody() {
  shm::full_fence();
  const shm::NodeHeader& node = core_.self.node().header();
  bool watching = node.watching.load(std::memory_order_seq_cst) != 0;
  uint32_t workers = std::min(record_.worker_count.load(std::memory_order_seq_cst), shm::kMaxWorkersPerClass);
  if (workers == 0) {
    // L3. A flood before the first lease does not ring each time: sabird looks at queues that are not empty anyway.
    if (watching && unserved_.fetch_add(1, std::memory_order_relaxed) % kRingEvery != 0) {
      return false;
    }
    core_.neighbours.daemon().ring();
    return true;
  }
  if (unserved_.load(std::memory_order_relaxed) != 0) {
    unserved_.store(0, std::memory_order_relaxed);
  }
  if (!watching) {
    core_.neighbours.daemon().ring();
  }
  // One that runs nothing: in the others a thread sleeps that waits for something else, and the call would wait until
  // they are done.
  shm::SlotIndex asleep = 0;
  bool idle = false;
  for (uint32_t i = 0; i < workers; ++i) {
    auto slot = static_cast<shm::SlotIndex>(record_.workers[i].load(std::memory_order_relaxed));
    const shm::ProcessPage* page = core_.self.calls().find_page(slot);
    if (page == nullptr) {
      continue;
    }
    if (page->spin_state.load(std::memory_order_relaxed) != 0) {
      // It will find the call, and wake one more if there is more than one (Executor).
      return !watching;
    }
    if (!idle && core_.neighbours.sleeping(slot)) {
      idle = page->function_plus_one.load(std::memory_order_relaxed) == 0;
      asleep = idle || asleep == 0 ? slot : asleep;
    }
  }
  return (asleep != 0 && core_.neighbours.ring_after_push(asleep)) || !watching;
}

Result<ClassQueue*> Classes::declare(uint8_t language, const std::vector<rpc::ResourceAmount>& resources,
                                     const Scheduling& scheduling) {
  std::vector<rpc::ResourceAmount> sorted = resources;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::lock_guard guard(declare_lock_);
  for (const Declared& one : declared_) {
    if (one.language == language && one.resources == sorted && one.scheduling == scheduling) {
      return one.queue.get();
    }
  }
  constexpr int64_t kTimeoutNs = 30 * kSecondNs;
  SABIR_ASSIGN_OR_RETURN(rpc::ClassInfo info,
                         core_.self.session().declare_class(language, sorted, scheduling, kTimeoutNs));
  if (core_.self.node().find_class(info.class_index) == nullptr ||
      core_.self.calls().find_queue(info.queue) == nullptr) {
    return internal_error("the node named a class that cannot exist");
  }
  auto made = std::make_unique<ClassQueue>(core_, info, language, sorted);
  ClassQueue* queue = made.get();
  declared_.push_back({language, std::move(sorted), scheduling, std::move(made)});
  Lock lock(core_.lock);
  all_.push_back(queue);
  return queue;
}

}  // namespace sabir::client
