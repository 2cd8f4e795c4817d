#include "runtime/node/processes.h"

#include "runtime/shm/lease.h"
#include "runtime/shm/process_slot.h"

namespace sabir::node {

Processes::Processes(shm::NodeWriter& node, shm::CallsView& calls) : node_(node), calls_(calls) {
  for (uint32_t slot = 1; slot < shm::kMaxProcesses; ++slot) {
    free_.insert(static_cast<shm::SlotIndex>(slot));
  }
}

Result<Process*> Processes::add(shm::ProcessKind kind, pid_t pid, UniqueFd pidfd) {
  if (free_.empty()) {
    return exhausted_error("this node has " + std::to_string(shm::kMaxProcesses - 1) +
                           " processes already, or their ends have not been noticed by all");
  }
  shm::SlotIndex slot = *free_.begin();
  shm::ProcessRecord& record = node_.segment().processes[slot];
  uint32_t incarnation = record.incarnation.load(std::memory_order_relaxed) + 1;
  incarnation = incarnation == 0 ? 1 : incarnation;
  shm::prepare_slot(calls_, slot, node_.header().death_count.load(std::memory_order_relaxed),
                    shm::LeaseWriter(node_.segment()).word(slot).epoch);
  auto process = std::make_unique<Process>(rpc::ProcessKey{slot, incarnation}, calls_.ring(slot));
  process->kind = kind;
  process->pid = pid;
  process->pidfd = std::move(pidfd);
  free_.erase(slot);
  slots_[slot] = std::move(process);
  ++count_;
  record.incarnation.store(incarnation, std::memory_order_release);
  return slots_[slot].get();
}

void Processes::publish(const Process& process) {
  shm::ProcessRecord& record = node_.segment().processes[process.key.slot];
  record.kind.store(static_cast<uint32_t>(process.kind), std::memory_order_relaxed);
  record.pid.store(static_cast<uint32_t>(process.pid), std::memory_order_relaxed);
  record.job.store(process.job, std::memory_order_relaxed);
  record.language.store(process.language, std::memory_order_relaxed);
  record.actor_plus_one.store(process.actor ? *process.actor + 1 : 0, std::memory_order_relaxed);
  record.state.store(static_cast<uint32_t>(shm::ProcessState::kLive), std::memory_order_release);
}

Process* Processes::find(rpc::ProcessKey key) {
  Process* process = at(key.slot);
  return process != nullptr && process->key == key ? process : nullptr;
}

std::vector<Process*> Processes::find_output(SourceId output) {
  std::vector<Process*> found;
  for_each([&](Process& process) {
    if (process.output == output) {
      found.push_back(&process);
    }
  });
  return found;
}

bool Processes::knows(pid_t pid) const {
  for (const auto& process : slots_) {
    if (process && process->pid == pid) {
      return true;
    }
  }
  return false;
}

void Processes::for_each(const std::function<void(Process&)>& visit) {
  size_t seen = 0;
  size_t expected = count_;
  for (size_t slot = 1; slot < slots_.size() && seen < expected; ++slot) {
    if (slots_[slot]) {
      ++seen;
      visit(*slots_[slot]);
    }
  }
}

std::unique_ptr<Process> Processes::take_out(shm::SlotIndex slot) {
  SABIR_CHECK(slots_[slot] != nullptr, "slot=", slot);
  --count_;
  node_.segment().processes[slot].state.store(static_cast<uint32_t>(shm::ProcessState::kDead),
                                              std::memory_order_release);
  return std::move(slots_[slot]);
}

void Processes::release(shm::SlotIndex slot) {
  shm::ProcessRecord& record = node_.segment().processes[slot];
  record.state.store(static_cast<uint32_t>(shm::ProcessState::kFree), std::memory_order_release);
  record.kind.store(static_cast<uint32_t>(shm::ProcessKind::kNone), std::memory_order_relaxed);
  free_.insert(slot);
}

void Processes::ring(shm::SlotIndex slot) { shm::Doorbell(calls_.page(slot).doorbell).ring(memos_[slot]); }

void Processes::ring_all() {
  for_each([&](Process& process) { shm::Doorbell(calls_.page(process.key.slot).doorbell).ring_always(); });
}

}  // namespace sabir::node
