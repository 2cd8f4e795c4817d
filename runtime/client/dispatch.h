// Where a call with ready arguments goes, and how it ends. Under the client's lock.
#pragma once

#include <string_view>

#include "runtime/client/call.h"
#include "runtime/client/core.h"
#include "runtime/client/slab.h"

namespace sabir::client {

class Dispatcher {
 public:
  explicit Dispatcher(Core& core);

  // A new call, with as many pending futures as it has results. `sequence` base of its results is its id.
  Call* make_call(uint16_t num_returns);
  Call* find(shm::CellIndex cell) const {
    return cell < shm::kMaxCells && by_cell_[cell / shm::kCellsPerChunk]
               ? by_cell_[cell / shm::kCellsPerChunk][cell % shm::kCellsPerChunk]
               : nullptr;
  }
  size_t call_count() const { return calls_.used_count(); }

  // Its arguments are encoded (or it has none): into the ring of its class, or behind it.
  void enqueue(Call* call);
  // Writes the call into a cell and publishes that. False: no cell, or no block for its arguments, is free.
  bool enter_cell(Call* call);
  // Q4: moves calls out of the FIFOs while there is room.
  void refill();
  size_t waiting_count() const { return waiting_; }
  // There is room in a ring or an inbox, and no memory for a call: whoever may wait asks sabird for more.
  bool wants_cells() const { return wants_cells_; }
  bool wants_blocks() const { return wants_blocks_; }
  void forget_wants() { wants_cells_ = wants_blocks_ = false; }

  // Back to FREE cell and list: it will run again, with its arguments as they lie in cell or block.
  void run_again(Call* call);
  // The same, but that it was no attempt.
  void requeue(Call* call);
  // Takes its arguments out of the cell and gives that back: it waits for long (Q7).
  void leave_cell(Call* call);

  // They are written anew: out of its cell, if it has one.
  void drop_args(Call* call);

  // All its results are this error, and it ends.
  void fail(Call* call, ErrorKind kind, std::string_view message);
  // ... are this error value, of an argument.
  void fail_like(Call* call, Future* error);
  // Its results are filled: settles them, delivers what escaped, frees the cell, gives the claimer its block back, and
  // frees the record.
  void finish(Call* call, uint32_t result_block = shm::kNoBlock);
  // A record that nobody looks at any more. Results that are null belong to nobody.
  void free_call(Call* call);
  // "task 'f'"; for messages.
  std::string describe(const Call* call) const;

  // Nobody will finish them: gives up what they hold. When the client is gone.
  void abandon_all();

  // Classes to which something was appended since; to be woken once the lock is released.
  size_t take_wakes(ClassQueue** out, size_t capacity);
  void wants_wake(ClassQueue* queue);

 private:
  bool start(Call* call);
  // True: the result is on another node.
  bool settle_result(Future* result);
  void take_args_out(Call* call);

  Core& core_;
  Slab<Call> calls_;
  std::vector<std::unique_ptr<Call*[]>> by_cell_;  // by chunk
  std::vector<ClassQueue*> wakes_;
  uint64_t calls_made_ = 0;
  size_t waiting_ = 0;
  bool wants_cells_ = false;
  bool wants_blocks_ = false;
};

}  // namespace sabir::client
