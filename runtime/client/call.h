// The private record of one call from its submission until its results are known. All fields under the client's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/client/future.h"
#include "runtime/shm/cell.h"
#include "runtime/shm/limits.h"

namespace sabir::client {

struct ActorPeer;
class ClassQueue;
struct PreparedArgs;

// A function with its options: what sabir_task points at. Constant, but for the count.
struct Task {
  std::atomic<uint32_t> count{1};
  Anchor* anchor = nullptr;
  ClassQueue* queue = nullptr;
  uint32_t function = 0;
  uint16_t num_returns = 1;
  int32_t max_retries = 3;
  bool retry_errors = false;
  std::string name;
  std::string infeasible;
  bool follows_parent = false;  // says nothing of where it runs: in its submitter's placement group if that captures
};
inline void release(Task* task) {
  if (task->count.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete task;
  }
}

enum class CallStage : uint8_t {
  kParked,   // an argument is not ready
  kWaiting,  // in the FIFO of its class (Q4) or the list of its actor (Q7)
  kInCell,   // QUEUED, CLAIMED or DONE
};

// Where a call's argument bytes are.
enum class ArgsPlace : uint8_t {
  kNone,
  kInline,  // in inline_args
  kHeap,    // heap_args
  kCell,    // in the payload of its cell
  kBlock,   // block
};

struct Call {
  Call();
  ~Call();

  Call* next = nullptr;  // of the FIFO or list it is in
  Call* previous = nullptr;
  uint64_t id = 0;
  Task* task = nullptr;         // a count; null for an actor's
  ClassQueue* queue = nullptr;  // of a task: the class that it was submitted to
  Future* actor = nullptr;      // a count; null for a task
  uint32_t function = 0;
  uint16_t num_returns = 1;
  uint16_t attempt = 0;
  int32_t retries_left = 0;  // negative: for ever
  CallStage stage = CallStage::kWaiting;
  ArgsPlace args_place = ArgsPlace::kNone;
  bool retry_errors = false;
  bool creates_actor = false;  // its arguments go to sabird, not into a cell
  bool lost = false;           // claimed by an actor that died: fails once it is known whether that one restarts (Q7)
  bool escaped = false;        // an entry stands for one of its results (O6)
  bool listed = false;         // in its actor's list
  bool kept = false;           // over, and kept by Lineage: its results are borrowed, and null where nobody needs them
  shm::CellIndex cell = shm::kNoCell;
  shm::Generation generation = 0;
  shm::SlotIndex callee = 0;  // an actor's process, while in its inbox
  uint32_t args_bytes = 0;
  uint32_t block = 0;
  uint32_t missing = 0;  // arguments that are not ready
  std::unique_ptr<uint8_t[]> heap_args;
  // A count on each: what the arguments refer to stays until the call is over (H2).
  std::vector<Future*> held;
  std::unique_ptr<PreparedArgs> prepared;  // kParked; of a task that has references as arguments: until it is over
  std::vector<Future*> needed;             // of a kept one: arguments that can be made again, too, without a count
  uint64_t kept_bytes = 0;
  bool was_kept = false;              // results may say that it can make them
  Future* result = nullptr;           // a count on each
  std::vector<Future*> more_results;  // those after the first
  uint64_t parent = 0;
  alignas(8) uint8_t inline_args[shm::kCellInlineBytes];

  Future* result_at(size_t index) const { return index == 0 ? result : more_results[index - 1]; }
  shm::CellRef ref() const { return {generation, cell}; }
};

// Calls in order, linked through the calls.
class CallList {
 public:
  Call* front() const { return front_; }
  bool empty() const { return front_ == nullptr; }
  uint32_t size() const { return size_; }
  void push_back(Call* call) { insert_after(call, back_); }
  // Before the first one with a larger id, looked for from the front: R1 puts calls back that way (Q7).
  void insert_in_order(Call* call) {
    Call* before = nullptr;
    for (Call* at = front_; at != nullptr && at->id < call->id; at = at->next) {
      before = at;
    }
    insert_after(call, before);
  }
  void remove(Call* call) {
    (call->previous == nullptr ? front_ : call->previous->next) = call->next;
    (call->next == nullptr ? back_ : call->next->previous) = call->previous;
    call->next = call->previous = nullptr;
    --size_;
  }

 private:
  void insert_after(Call* call, Call* before) {
    call->previous = before;
    call->next = before == nullptr ? front_ : before->next;
    (call->previous == nullptr ? front_ : call->previous->next) = call;
    (call->next == nullptr ? back_ : call->next->previous) = call;
    ++size_;
  }

  Call* front_ = nullptr;
  Call* back_ = nullptr;
  uint32_t size_ = 0;
};

}  // namespace sabir::client
