// sabird's private table of processes (D1, T3): who has which slot, what it is, what it has on loan.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/node/instructions.h"
#include "runtime/node/logs.h"
#include "runtime/rpc/session_handler.h"
#include "runtime/shm/doorbell.h"
#include "runtime/shm/process_ring.h"
#include "runtime/shm/segment.h"
#include "runtime/store/identity.h"

namespace sabir::node {

struct Process {
  Process(rpc::ProcessKey process_key, shm::ProcessRing& ring_of_slot) : key(process_key), ring(ring_of_slot) {}

  store::ProcessId id() const { return {key.slot, key.incarnation}; }
  bool is_worker() const { return kind == shm::ProcessKind::kWorker; }

  const rpc::ProcessKey key;
  shm::ProcessKind kind = shm::ProcessKind::kNone;
  pid_t pid = 0;
  UniqueFd pidfd;
  std::unique_ptr<loop::FdWatcher> watcher;  // after the pidfd: it goes first
  JobNumber job = 0;
  Language language = 0;
  std::optional<shm::ActorIndex> actor;
  SourceId output = 0;  // a worker's; those that share a process have the same
  shm::RingConsumer ring;
  std::shared_ptr<rpc::NoticeSink> notices;  // while connected and ready
  bool connected = true;
  bool leaving = false;        // it said so: the end of its connection is no fault
  bool cut_off = false;        // it broke the protocol (T4): nothing that it writes is read any more
  bool ended = false;          // its process is reaped
  bool relay = false;          // the gateway's: it leaves alone, its process goes on
  std::string crash;           // of a relay: its actor died on the other node, and how
  bool guest = false;          // the gateway's: a driver in a job that is not its own
  uint32_t group_watches = 0;  // placement groups that it waits for
  // Set when sabird decided that it must die: what to say of it.
  std::optional<shm::DeathReason> kill_reason;
  std::string kill_text;
  // What it has on loan. Chunks and batches stay with it until D4.
  std::vector<uint32_t> cell_chunks, entry_batches, block_chunks;
  std::vector<shm::QueueIndex> queues;
};

class Processes {
 public:
  Processes(shm::NodeWriter& node, shm::CallsView& calls);

  // Takes a free slot and makes its page as new. The record is not live yet: publish(). kExhausted: all slots are
  // taken.
  Result<Process*> add(shm::ProcessKind kind, pid_t pid, UniqueFd pidfd);
  // Others may see it.
  void publish(const Process& process);
  // Null: no such life, or it is dead.
  Process* find(rpc::ProcessKey key);
  Process* at(shm::SlotIndex slot) { return slot < slots_.size() ? slots_[slot].get() : nullptr; }
  // Those with this output (W8), lowest slot first.
  std::vector<Process*> find_output(SourceId output);
  bool knows(pid_t pid) const;
  // Live ones only; the visitor may add and take out.
  void for_each(const std::function<void(Process&)>& visit);
  size_t count() const { return count_; }
  size_t free_slots() const { return free_.size(); }

  // Out of the table: dead. Its slot stays taken until release().
  std::unique_ptr<Process> take_out(shm::SlotIndex slot);
  // D4.
  void release(shm::SlotIndex slot);

  // Wakes it if it sleeps.
  void ring(shm::SlotIndex slot);
  // D2 (4): all live ones, whatever their words say.
  void ring_all();

 private:
  shm::NodeWriter& node_;
  shm::CallsView& calls_;
  std::array<std::unique_ptr<Process>, shm::kMaxProcesses> slots_;
  std::array<shm::RingMemo, shm::kMaxProcesses> memos_ = {};
  std::set<shm::SlotIndex> free_;  // lowest first: sweeps over slots stay short
  size_t count_ = 0;
};

}  // namespace sabir::node
