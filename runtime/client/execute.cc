#include "runtime/client/execute.h"

#include <algorithm>

#include "runtime/client/repair.h"
#include "runtime/client/wait_room.h"
#include "runtime/shm/stack.h"

namespace sabir::client {

Executor::Executor(Core& core)
    : core_(core),
      page_(core.self.page()),
      lease_(core.self.node(), page_, core.self.slot()),
      is_actor_(core.self.welcome().actor.present),
      creation_due_(is_actor_),
      created_(!is_actor_),
      lease_epoch_done_(page_.lease_epoch_done.load(std::memory_order_relaxed)) {
  if (is_actor_) {
    set_place(core.self.welcome().actor.scheduling);
  }
}

Work* Executor::claim() {
  // What it has not claimed when it is to leave goes back to its submitters (R1).
  if (!core_.self.is_worker() || exit_requested()) {
    return nullptr;
  }
  if (is_actor_) {
    return creation_due_ ? claim_creation() : claim_from_inbox();
  }
  // One record at a time, but for a relay: a second thread that asks waits until the first has finished.
  return running_.size() < width_ ? claim_from_class() : nullptr;
}

Work* Executor::claim_creation() {
  creation_due_ = false;
  Work* work = begin({0, shm::kNoCell});
  const rpc::HostedActor& actor = core_.self.welcome().actor;
  work->view.kind = SABIR_WORK_ACTOR_CREATE;
  work->view.function_index = actor.class_function;
  work->view.attempt = actor.incarnation == 0 ? 0 : actor.incarnation - 1;
  work->view.gpu_mask = lease_.gpu_mask();
  page_.function_plus_one.store(actor.class_function + 1, std::memory_order_relaxed);
  return work;
}

Work* Executor::claim_from_inbox() {
  if (!created_) {
    return nullptr;
  }
  for (;;) {
    if (inbox_batch_.empty()) {
      shm::inbox(core_.self.calls(), core_.self.slot()).take_all(inbox_batch_, shm::kInboxBound);
      // Taken from the back: cheap, and in order.
      std::reverse(inbox_batch_.begin(), inbox_batch_.end());
    }
    if (inbox_batch_.empty()) {
      return nullptr;
    }
    uint32_t index = inbox_batch_.back();
    inbox_batch_.pop_back();
    has_batch_.store(!inbox_batch_.empty(), std::memory_order_release);
    shm::Cell& cell = core_.self.calls().cell(index);
    shm::InboxClaimResult claim = shm::claim_from_inbox(cell, core_.self.slot());
    switch (claim.outcome) {
      case shm::InboxClaim::kClaimed: {
        Work* work = begin({claim.generation, index});
        work->view.kind = SABIR_WORK_ACTOR_CALL;
        work->view.gpu_mask = lease_.gpu_mask();
        return work;
      }
      case shm::InboxClaim::kCancelled: {
        shm::SlotIndex submitter = core_.self.node().cell_owner(index);
        shm::reply_stack(core_.self.calls(), submitter).push(index);
        core_.to_ring.push_back(submitter);
        break;
      }
      case shm::InboxClaim::kStray:
        break;
    }
    // It may have been the last that was left of somebody dead, and there may be no call whose end would look.
    if (core_.repairer->owes_acknowledgement()) {
      core_.repairer->acknowledge();
    }
  }
}

void Executor::end_lease(shm::LeaseWord lease) {
  lease_.finish(lease);
  lease_epoch_done_.store(lease.epoch, std::memory_order_relaxed);
  core_.neighbours.daemon().ring();
  held_ = {};
  lease_void_ = false;
}

Work* Executor::claim_from_class() {
  shm::LeaseWord now = lease_.current();
  if (held_.granted() && (lease_void_ || now.epoch != held_.epoch || !now.granted())) {
    end_lease(held_);
  }
  if (lease_.owes_answer(now)) {
    end_lease(now);
  }
  if (!lease_.usable(now)) {
    return nullptr;
  }
  if (held_.pack() != now.pack()) {
    held_ = now;
    sources_.clear();
    read_place(now);
  }
  look_at_class(now);
  for (size_t i = 0; i < sources_.size(); ++i) {
    // In the directory's order each time: the first queue (L4), then workers' queues, newest first, and drivers' last.
    // Deep calls are finished before wide ones begin, so recursion needs depth x CPUs processes.
    Source& source = sources_[i];
    std::optional<shm::CellRef> call = source.claimer.claim();
    if (!call) {
      continue;
    }
    if (source.claimer.wants_refill()) {
      core_.to_ring.push_back(static_cast<shm::SlotIndex>(
          core_.self.node().find_queue(source.index)->owner_slot.load(std::memory_order_relaxed)));
    }
    Work* work = begin(*call);
    work->view.kind = SABIR_WORK_TASK;
    work->view.gpu_mask = lease_.gpu_mask();
    return work;
  }
  return nullptr;
}

void Executor::read_place(shm::LeaseWord lease) {
  const shm::ClassRecord* record = core_.self.node().find_class(lease.class_plus_one - 1u);
  uint64_t group[2] = {0, 0};
  if (record != nullptr) {
    group[0] = record->group[0].load(std::memory_order_relaxed);
    group[1] = record->group[1].load(std::memory_order_relaxed);
  }
  Scheduling place;
  if (group[0] != 0 || group[1] != 0) {
    place.kind = Scheduling::Kind::kGroup;
    place.group_id.assign(reinterpret_cast<const char*>(group), sizeof(group));
    place.bundle = static_cast<int32_t>(record->bundle.load(std::memory_order_relaxed));
    place.capture_children = record->captures.load(std::memory_order_relaxed) != 0;
  }
  set_place(std::move(place));
}

void Executor::set_place(Scheduling place) {
  if (place_ != place) {
    place_ = std::move(place);
    twins_.clear();
  }
  captures_.store(place_.kind == Scheduling::Kind::kGroup && place_.capture_children, std::memory_order_relaxed);
}

Scheduling Executor::captured() const {
  Scheduling scheduling = place_;
  scheduling.bundle = -1;
  return scheduling;
}

ClassQueue* Executor::known_twin(ClassQueue* queue) const {
  auto found = twins_.find(queue);
  return found == twins_.end() ? nullptr : found->second;
}

void Executor::look_at_class(shm::LeaseWord lease) {
  const shm::ClassRecord* record = core_.self.node().find_class(lease.class_plus_one - 1u);
  if (record == nullptr) {
    sources_.clear();
    return;
  }
  uint32_t count = std::min(record->queue_count.load(std::memory_order_acquire), shm::kMaxQueuesPerClass);
  bool same = sources_.size() == count + (lease.first_queue_plus_one != 0 ? 1 : 0);
  for (uint32_t i = 0; same && i < count; ++i) {
    same = sources_[sources_.size() - count + i].index == record->queues[i].load(std::memory_order_relaxed);
  }
  if (same) {
    return;
  }
  sources_.clear();
  auto add = [&](shm::QueueIndex index) {
    if (shm::WorkQueue* queue = core_.self.calls().find_queue(index)) {
      sources_.push_back({index, shm::QueueClaimer(*queue, core_.self.calls(), core_.self.slot())});
    }
  };
  if (lease.first_queue_plus_one != 0) {
    add(lease.first_queue_plus_one - 1u);
  }
  for (uint32_t i = 0; i < count; ++i) {
    add(record->queues[i].load(std::memory_order_relaxed));
  }
}

bool Executor::maybe_work() const {
  if (exit_requested() || creation_due_.load(std::memory_order_relaxed) || has_batch_.load(std::memory_order_relaxed)) {
    return true;
  }
  if (is_actor_) {
    return !shm::inbox(core_.self.calls(), core_.self.slot()).empty();
  }
  if (running_count_.load(std::memory_order_relaxed) >= width_.load(std::memory_order_relaxed)) {
    return false;  // nothing more is claimed before one of them has ended, which wakes (end())
  }
  shm::LeaseWord now = lease_.current();
  if (now.epoch == lease_epoch_done_.load(std::memory_order_relaxed)) {
    return false;
  }
  if (!now.granted()) {
    return true;  // withdrawn: the node waits for an answer
  }
  const shm::ClassRecord* record = core_.self.node().find_class(now.class_plus_one - 1u);
  uint32_t count =
      record == nullptr ? 0 : std::min(record->queue_count.load(std::memory_order_acquire), shm::kMaxQueuesPerClass);
  for (uint32_t i = 0; i < count; ++i) {
    const shm::WorkQueue* queue = core_.self.calls().find_queue(record->queues[i].load(std::memory_order_relaxed));
    if (queue != nullptr && shm::work_queue_length(*queue) != 0) {
      return true;
    }
  }
  return false;
}

void Executor::wake_another() {
  if (is_actor_) {
    return;
  }
  shm::LeaseWord now = lease_.current();
  const shm::ClassRecord* record = now.granted() ? core_.self.node().find_class(now.class_plus_one - 1u) : nullptr;
  if (record == nullptr || !maybe_work()) {
    return;
  }
  uint32_t workers = std::min(record->worker_count.load(std::memory_order_acquire), shm::kMaxWorkersPerClass);
  for (uint32_t i = 0; i < workers; ++i) {
    auto slot = static_cast<shm::SlotIndex>(record->workers[i].load(std::memory_order_relaxed));
    if (slot != core_.self.slot() && slot < shm::kMaxProcesses && core_.neighbours.sleeping(slot) &&
        core_.self.calls().page(slot).function_plus_one.load(std::memory_order_relaxed) == 0) {
      core_.neighbours.ring(slot);
      return;
    }
  }
}

Work* Executor::begin(shm::CellRef call) {
  Work* work = works_.take();
  work->core = &core_;
  work->call = call;
  work->thread = ::pthread_self();
  running_.push_back(work);
  count_running();
  if (call.cell == shm::kNoCell) {
    return work;
  }
  const shm::Cell& cell = core_.self.calls().cell(call.cell);
  work->submitter = core_.self.node().cell_owner(call.cell);
  work->view.function_index = cell.function;
  work->view.num_returns = cell.num_returns;
  work->view.attempt = cell.attempt;
  const shm::ProcessRecord& caller = *core_.self.node().find_process(work->submitter);
  work->view.caller_language = static_cast<sabir_language>(caller.language.load(std::memory_order_relaxed));
  uint64_t id[2] = {core_.self.uid_of(work->submitter, caller.incarnation.load(std::memory_order_relaxed)),
                    cell.call_id << 16};
  std::memcpy(work->view.task_id, id, sizeof(id));
  page_.function_plus_one.store(cell.function + 1, std::memory_order_relaxed);
  page_.last_function_plus_one.store(cell.function + 1, std::memory_order_relaxed);
  return work;
}

void Executor::count_running() {
  auto count = static_cast<uint32_t>(running_.size());
  running_count_.store(count, std::memory_order_relaxed);
  if (is_relay_) {
    page_.under_way.store(count, std::memory_order_relaxed);
  }
}

void Executor::set_width(uint32_t calls) {
  width_ = std::max(calls, 1U);
  is_relay_ = true;
  if (idle_threads_ != 0) {
    core_.waiting->wake_all();
  }
}

void Executor::end(Work* work) {
  if (!is_actor_ && idle_threads_ != 0 && running_.size() >= width_) {
    core_.waiting->wake_all();  // who asked for more than could be claimed: a relay's calls end in another thread
  }
  std::erase(running_, work);
  count_running();
  for (const std::vector<Future*>& table : work->tables) {
    for (Future* ref : table) {
      release(ref);
    }
  }
  for (Future* borrowed : work->borrowed) {
    release(borrowed);
  }
  works_.give_back(work);
  if (running_.empty() && blocked_threads_ != 0) {
    // A thread that the call left behind goes on waiting, but for nothing that runs here.
    blocked_threads_ = 0;
    blocked_stay_ = std::max<uint32_t>(blocked_stay_ + 1, 1);
    resume();
  }
  if (running_.empty()) {
    page_.function_plus_one.store(0, std::memory_order_relaxed);
  }
  if (core_.repairer->owes_acknowledgement()) {
    core_.repairer->acknowledge();
  }
}

uint64_t Executor::current_call() const {
  // Under the lock. Usually there is none: a driver, or a thread that executes nothing.
  for (const Work* work : running_) {
    if (work->call.cell != shm::kNoCell && ::pthread_equal(work->thread, ::pthread_self()) != 0) {
      return work->call.pack();
    }
  }
  return 0;
}

uint32_t Executor::enter_blocked() {
  // A relay's calls use no CPU here, whatever its own threads wait for.
  if (!core_.self.is_worker() || running_.empty() || is_relay_) {
    return 0;
  }
  if (blocked_threads_++ == 0) {
    page_.blocked.fetch_add(1, std::memory_order_seq_cst);
    core_.neighbours.daemon().ring();
  }
  return blocked_stay_;
}

void Executor::leave_blocked(Lock&, uint32_t stay) {
  if (stay == blocked_stay_ && --blocked_threads_ == 0) {
    resume();
  }
}

void Executor::resume() {
  page_.blocked.fetch_add(1, std::memory_order_seq_cst);
  // L4: it goes on at once, and gives the lease up at its next border. An actor has none: it keeps its place.
  lease_void_ = !is_actor_;
}

void Executor::on_death(shm::SlotIndex slot) {
  core_.lendings.result_blocks().repair(slot);
  // D3: the inbox is drained once since the death is known. What came is claimed, in order, like everything else.
  if (is_actor_) {
    std::vector<uint32_t> late;
    shm::inbox(core_.self.calls(), core_.self.slot()).take_all(late, shm::kInboxBound);
    inbox_batch_.insert(inbox_batch_.begin(), late.rbegin(), late.rend());
    std::erase_if(inbox_batch_, [&](uint32_t cell) {
      // Cancelled by the heir, unless the result escaped; then it is still QUEUED and runs (D5).
      return core_.self.node().cell_owner(cell) == slot &&
             shm::load_cell_word(core_.self.calls().cell(cell)).state != shm::CellState::kQueued;
    });
    has_batch_.store(!inbox_batch_.empty(), std::memory_order_release);
  }
}

bool Executor::has_work_of(shm::SlotIndex slot) const {
  auto of_slot = [&](uint32_t cell) { return core_.self.node().cell_owner(cell) == slot; };
  return std::any_of(running_.begin(), running_.end(),
                     [&](const Work* work) { return work->call.cell != shm::kNoCell && work->submitter == slot; }) ||
         std::any_of(inbox_batch_.begin(), inbox_batch_.end(), of_slot);
}

}  // namespace sabir::client
