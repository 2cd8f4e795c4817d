// The worker's side: claims calls, and finishes them. A worker runs one call at a time; an actor as many as threads ask
// for one.
#pragma once

#include <pthread.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "runtime/abi/sabir.h"
#include "runtime/client/core.h"
#include "runtime/client/error_value.h"
#include "runtime/client/future.h"
#include "runtime/client/slab.h"
#include "runtime/client/value_format.h"
#include "runtime/shm/lease.h"
#include "runtime/shm/work_queue.h"

namespace sabir::client {

// Cell::result_is_error.
inline constexpr uint8_t kError = 1;
inline constexpr uint8_t kRetryableError = 2;  // retry_errors counts for it
inline constexpr uint8_t kLostError = 3;       // its worker died on another node: an attempt, as in R1
inline constexpr uint8_t kNotBegun = 4;        // it is to run again, and that is no attempt

class ClassQueue;
class Waiter;

// A call being executed: what a sabir_work points at.
struct Work {
  Core* core = nullptr;
  shm::CellRef call;  // cell kNoCell: the creation of the actor
  shm::SlotIndex submitter = 0;
  sabir_work_view view = {};
  std::vector<sabir_work_arg> args;
  std::vector<Future*> borrowed;            // a count on each: all references that came with the arguments
  std::deque<std::vector<Future*>> tables;  // a count on each: the references of each argument
  std::vector<size_t> awaited;              // arguments whose values are not here yet: elsewhere, or made again
  pthread_t thread = {};
};

// Borrows from the failure.
ErrorFields error_fields(const sabir_failure& failure);

class Executor {
 public:
  explicit Executor(Core& core);

  // --- sabir_queue_next, under the lock

  // Claims the next call; null: there is none now. parse() it without the lock before giving it away.
  Work* claim();
  // While spinning, without the lock: there may be something to claim.
  bool maybe_work() const;
  bool exit_requested() const { return exit_requested_.load(std::memory_order_acquire); }
  void request_exit() { exit_requested_.store(true, std::memory_order_release); }

  // A thread that waits for work sleeps, and there may be some. Under the lock.
  bool should_wake() const { return idle_threads_ != 0 && maybe_work(); }
  void add_idle_thread(int change) { idle_threads_ += change; }

  // --- without the lock

  // Reads the arguments. False: they are damaged or lost; the call has failed and the work is gone.
  bool parse(Work* work);
  // Waits for values of arguments that are on their way here. False: as parse(), or the client is over.
  bool await_args(Work* work, Waiter* waiter);
  // What has come meanwhile of those is awaited no more. kObjectLost: one will not come.
  Result<void> take_awaited(Work* work);
  // This worker passes on where its arguments are, and does not need them here (Relay).
  bool leaves_args_elsewhere() const { return leaves_elsewhere_.load(std::memory_order_relaxed); }
  void leave_args_elsewhere() { leaves_elsewhere_.store(true, std::memory_order_relaxed); }
  // After a claim: more waits, and a sleeping worker of the class could take it.
  void wake_another();
  // End the work, whatever they return.
  Result<void> finish(Work* work, std::span<const sabir_value> values);
  Result<void> fail(Work* work, const sabir_failure& failure);
  // With ready values of this client, whose counts are taken (Relay). `how`: Cell::result_is_error.
  Result<void> finish_with(Work* work, std::vector<Future*> values);
  void fail_with(Work* work, Future* error, uint8_t how);
  // Of an actor: with an error Value, as it lies in a call.
  void fail_creation(Work* work, std::string message, std::string error_value);
  // This worker is a relay: so many calls of its class are claimed at a time. Under the lock.
  void set_width(uint32_t calls);

  // --- L4, under the lock. A thread of this process waits, whichever it is: a call may have threads of its own, and
  // wait for them. enter: 0: no call runs that could lend its CPU; else what leave wants to have.
  uint32_t enter_blocked();
  void leave_blocked(Lock& lock, uint32_t stay);

  // --- D3, under the lock
  void on_death(shm::SlotIndex slot);
  bool has_work_of(shm::SlotIndex slot) const;

  // --- The placement group that it runs in. captures() without the lock, the others under it.
  bool captures() const { return captures_.load(std::memory_order_relaxed); }
  const Scheduling& place() const { return place_; }
  // Where calls go that follow their parent: any bundle of its group.
  Scheduling captured() const;
  // Remembered as long as what is captured stays the same.
  ClassQueue* known_twin(ClassQueue* queue) const;
  void learn_twin(ClassQueue* queue, ClassQueue* twin) { twins_[queue] = twin; }

  // CellRef of what this thread executes, or 0.
  uint64_t current_call() const;

 private:
  struct Source {
    shm::QueueIndex index;
    shm::QueueClaimer claimer;
  };

  Work* claim_creation();
  Work* claim_from_inbox();
  Work* claim_from_class();
  void look_at_class(shm::LeaseWord lease);
  void read_place(shm::LeaseWord lease);
  void set_place(Scheduling place);
  void end_lease(shm::LeaseWord lease);
  Work* begin(shm::CellRef call);
  void count_running();
  void end(Work* work);
  void resume();

  Result<void> parse_args(Work* work, std::span<const uint8_t> bytes);
  Result<void> parse_arg(Work* work, std::span<const uint8_t> value, sabir_work_arg& out);
  Result<void> parse_stored(Work* work, const ParsedValue& value, sabir_work_arg& out);
  Result<void> show_stored(Future* object, sabir_work_arg& out);  // under the lock
  bool fail_parse(Work* work, const Error& error);
  // It did not begin.
  void give_back(Work* work);

  Result<void> finish_creation(Work* work);
  // One value without references that fits beside the arguments or into a block: nothing is allocated but that block.
  Result<void> finish_plain(Work* work, const sabir_value& value, size_t size_bytes);
  Result<void> finish_values(Work* work, std::span<const sabir_value> values);
  // Of an error there is one value, however many the call returns. Takes the counts, also when it fails; the work is
  // ended only by success.
  Result<void> finish_futures(Work* work, std::vector<Future*> values, uint8_t is_error);
  void finish_error(Work* work, Future* error, uint8_t is_error);
  size_t measure_results(std::span<Future* const> values, bool single) const;
  void write_results(Writer& out, std::span<Future* const> values, bool single) const;
  Result<Future*> store_whole(std::span<Future* const> values);
  // Null: there is no room. Else the cell says that the result lies there.
  uint8_t* room_in_cell(Work* work, size_t size_bytes);
  uint8_t* room_in_block(Work* work, size_t size_bytes);  // under the lock
  // H2: what the user kept of the arguments becomes this process's own, before DONE.
  void keep_borrowed(Work* work);
  void publish(Work* work, uint8_t is_error, bool has_refs);
  bool node_is_gone() const;
  void abandon(Work* work);

  Core& core_;
  shm::ProcessPage& page_;
  shm::LeaseReader lease_;
  bool is_actor_ = false;
  std::atomic<uint32_t> width_{1};
  bool is_relay_ = false;
  std::atomic<bool> leaves_elsewhere_{false};
  std::atomic<bool> creation_due_{false};
  bool created_ = false;
  std::atomic<bool> exit_requested_{false};
  std::atomic<uint32_t> lease_epoch_done_{0};  // what lease_ keeps, for those who spin without the lock
  // Under the lock:
  shm::LeaseWord held_;  // the lease that calls are claimed under, if granted()
  bool lease_void_ = false;
  std::vector<Source> sources_;
  Scheduling place_;  // of what is claimed; the default: in no group
  std::map<ClassQueue*, ClassQueue*> twins_;
  std::atomic<bool> captures_{false};
  std::vector<uint32_t> inbox_batch_;  // taken, not claimed; back is next
  std::vector<Work*> running_;
  Slab<Work> works_;
  int idle_threads_ = 0;
  uint32_t blocked_threads_ = 0;
  uint32_t blocked_stay_ = 1;  // another one when the calls end before the threads that they left waiting
  std::atomic<uint32_t> running_count_{0};
  std::atomic<bool> has_batch_{false};
};

}  // namespace sabir::client
