#include "runtime/client/repair.h"

#include <sys/wait.h>

#include <cstring>

#include "runtime/client/actors.h"
#include "runtime/client/class_queue.h"
#include "runtime/client/complete.h"
#include "runtime/client/dispatch.h"
#include "runtime/client/execute.h"
#include "runtime/client/wait_room.h"

namespace sabir::client {

std::string describe_end(int wait_status, shm::DeathReason reason) {
  switch (reason) {
    case shm::DeathReason::kJobEnded:
      return "ended with its job";
    case shm::DeathReason::kDisconnected:
      return "is gone";
    case shm::DeathReason::kKilledByNode:
      return "was killed by the node";
    case shm::DeathReason::kGroupRemoved:
      return "was killed with its placement group";
    case shm::DeathReason::kExited:
      break;
  }
  if (WIFSIGNALED(wait_status)) {
    int signal = WTERMSIG(wait_status);
    const char* name = ::sigabbrev_np(signal);
    std::string text = "was killed by signal " + std::to_string(signal);
    return name == nullptr ? text : text + " (SIG" + name + ")";
  }
  if (WIFEXITED(wait_status)) {
    return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
  }
  return "is gone";
}

std::string Repairer::describe(const shm::Death& death) const {
  std::string text = "the worker process";
  if (const shm::ProcessRecord* record = core_.self.node().find_process(death.slot)) {
    // The slot is not given out again before this process acknowledges (D4): its pid is still that of the dead.
    text += " " + std::to_string(record->pid.load(std::memory_order_relaxed));
  }
  return text + " " + describe_end(death.wait_status, death.reason);
}

void Repairer::run() {
  shm::Death death;
  for (;;) {
    switch (core_.deaths.next(death)) {
      case shm::DeathLogReader::Outcome::kNone:
        core_.deaths_read.store(core_.deaths.position(), std::memory_order_relaxed);
        acknowledge();
        return;
      case shm::DeathLogReader::Outcome::kDeath:
        repair(death);
        unacknowledged_.push_back(death);
        owes_ = true;
        break;
      case shm::DeathLogReader::Outcome::kOverrun:
        // It slept through more deaths than the log holds: nothing it knows can be trusted.
        core_.disconnected.store(true);
        core_.waiting->wake_all();
        core_.waiting->wake_listeners();
        return;
    }
  }
}

void Repairer::scan() {
  for (uint32_t chunk : core_.lendings.cells().chunks()) {
    for (uint32_t i = 0; i < shm::kCellsPerChunk; ++i) {
      Call* call = core_.dispatcher->find(chunk * shm::kCellsPerChunk + i);
      if (call == nullptr || call->stage != CallStage::kInCell) {
        continue;
      }
      shm::CellWord word = shm::load_cell_word(core_.self.calls().cell(call->cell));
      if (word.state == shm::CellState::kDone && word.generation == call->generation) {
        core_.completer->complete(call);
      }
    }
  }
}

void Repairer::repair(const shm::Death& death) {
  // Drain before the scan: what the dead one finished and pushed must not be consumed twice.
  core_.completer->drain();
  std::string how = describe(death);
  for (uint32_t chunk : core_.lendings.cells().chunks()) {
    for (uint32_t i = 0; i < shm::kCellsPerChunk; ++i) {
      Call* call = core_.dispatcher->find(chunk * shm::kCellsPerChunk + i);
      if (call != nullptr && call->stage == CallStage::kInCell) {
        repair_call(call, death, how);
      }
    }
  }
  for (ClassQueue* queue : core_.classes->all()) {
    queue->ring().skip_stale();
  }
  core_.executor->on_death(death.slot);
}

void Repairer::repair_call(Call* call, const shm::Death& death, const std::string& how) {
  shm::Cell& cell = core_.self.calls().cell(call->cell);
  shm::CellWord word = shm::load_cell_word(cell);
  if (word.generation != call->generation) {
    return;
  }
  if (word.state == shm::CellState::kDone && word.claimer == death.slot) {
    core_.completer->complete(call);  // its push was lost
    return;
  }
  if (call->callee == death.slot && shm::recall_cell(cell, call->generation)) {
    core_.actors->left_inbox(call);
    core_.actors->put_back(call);  // it did not run: that is no attempt
    return;
  }
  if (word.claimer != death.slot || !shm::repair_cell(cell, word)) {
    return;
  }
  // References that the dead one may have registered for its result (H2).
  core_.ring.tell(shm::RingMessage::drop_cell(call->ref()));
  if (call->actor != nullptr) {
    core_.actors->left_inbox(call);
  }
  if (death.reason == shm::DeathReason::kGroupRemoved && call->actor == nullptr) {
    core_.dispatcher->fail(call, ErrorKind::kGroupRemoved,
                           core_.dispatcher->describe(call) + " ended: its placement group was removed");
  } else if (call->retries_left != 0) {
    core_.dispatcher->run_again(call);
  } else if (call->actor != nullptr) {
    core_.actors->lose(call);
  } else {
    std::string message = core_.dispatcher->describe(call) + " failed: " + how + " while it ran it";
    if (call->attempt != 0) {
      message += " (attempt " + std::to_string(call->attempt + 1) + ", no retries are left)";
    }
    core_.dispatcher->fail(call, ErrorKind::kWorkerCrashed, message);
  }
}

void Repairer::acknowledge() {
  if (!owes_) {
    return;
  }
  for (const shm::Death& death : unacknowledged_) {
    if (core_.executor->has_work_of(death.slot)) {
      return;
    }
  }
  unacknowledged_.clear();
  owes_ = false;
  core_.deaths.acknowledge();
}

}  // namespace sabir::client
