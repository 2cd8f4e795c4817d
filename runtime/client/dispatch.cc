#include "runtime/client/dispatch.h"

#include <algorithm>
#include <cstring>

#include "runtime/client/actors.h"
#include "runtime/client/class_queue.h"
#include "runtime/client/functions.h"
#include "runtime/client/lineage.h"
#include "runtime/client/refs.h"
#include "runtime/client/settle.h"

namespace sabir::client {

Dispatcher::Dispatcher(Core& core) : core_(core), by_cell_(shm::kMaxCellChunks) {}

Call* Dispatcher::make_call(uint16_t num_returns) {
  Call* call = calls_.take();
  call->id = ++calls_made_;
  call->num_returns = num_returns;
  // Two counts on each: the call's and the caller's.
  for (uint32_t i = 0; i < num_returns; ++i) {
    Future* result = retain(core_.refs->make((call->id << 16) | i));
    result->call = call;
    if (i == 0) {
      call->result = result;
    } else {
      call->more_results.push_back(result);
    }
  }
  return call;
}

void Dispatcher::enqueue(Call* call) {
  ClassQueue* queue = call->queue;
  if (queue->fifo().empty() && start(call)) [[likely]] {
    return;
  }
  call->stage = CallStage::kWaiting;
  queue->fifo().push_back(call);
  queue->publish_overflow();
  ++waiting_;
  core_.add_interest(1);
}

bool Dispatcher::start(Call* call) {
  ClassQueue* queue = call->queue;
  if (queue->ring().room() == 0 || !enter_cell(call)) {
    return false;
  }
  SABIR_CHECK(queue->ring().try_append(call->ref()));
  wants_wake(queue);
  return true;
}

bool Dispatcher::enter_cell(Call* call) {
  if (call->args_place == ArgsPlace::kHeap) {
    uint32_t block = core_.lendings.take_block(call->args_bytes);
    if (block == shm::kNoBlock) {
      wants_blocks_ = true;
      return false;
    }
    std::memcpy(core_.lendings.blocks().data(block), call->heap_args.get(), call->args_bytes);
    call->heap_args.reset();
    call->block = block;
    call->args_place = ArgsPlace::kBlock;
  }
  if (call->cell == shm::kNoCell) {
    call->cell = core_.lendings.cells().take();
    if (call->cell == shm::kNoCell) {
      wants_cells_ = true;
      return false;
    }
    std::unique_ptr<Call*[]>& chunk = by_cell_[call->cell / shm::kCellsPerChunk];
    if (!chunk) {
      chunk = std::make_unique<Call*[]>(shm::kCellsPerChunk);
    }
    chunk[call->cell % shm::kCellsPerChunk] = call;
  }
  shm::Cell& cell = core_.self.calls().cell(call->cell);
  if (call->args_place == ArgsPlace::kInline) {
    std::memcpy(cell.payload, call->inline_args, call->args_bytes);
    call->args_place = ArgsPlace::kCell;
  }
  cell.function = call->function;
  cell.call_id = call->id;
  cell.parent = call->parent;
  cell.cancel.store(0, std::memory_order_relaxed);
  cell.args_bytes = call->args_bytes;
  cell.args_block = call->args_place == ArgsPlace::kBlock ? call->block : shm::kNoBlock;
  cell.result_bytes = 0;
  cell.result_block = shm::kNoBlock;
  cell.kind = static_cast<uint8_t>(call->task != nullptr ? shm::CallKind::kTask : shm::CallKind::kActorCall);
  cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kNone);
  cell.result_is_error = 0;
  cell.result_has_refs = 0;
  cell.num_returns = call->num_returns;
  cell.attempt = call->attempt;
  if (call->cell == 0 && cell.word.load(std::memory_order_relaxed) >> 24 == 0) {
    // The CellRef of cell 0 in generation 0 is 0, which means "no call" wherever calls are named.
    shm::free_cell(cell);
  }
  call->generation = cell.word.load(std::memory_order_relaxed) >> 24;
  if (call->escaped) [[unlikely]] {
    // O6: the heir must know the cell before anybody can finish it.
    for (uint32_t i = 0; i < call->num_returns; ++i) {
      Future* result = call->result_at(i);
      if (result->extra != nullptr && result->extra->escaped) {
        core_.ring.tell(shm::RingMessage::bind(result->extra->escape_entry, call->ref()));
      }
    }
  }
  shm::publish_cell(cell, call->cell);
  call->stage = CallStage::kInCell;
  return true;
}

void Dispatcher::refill() {
  if (waiting_ == 0) {
    return;
  }
  for (ClassQueue* queue : core_.classes->all()) {
    if (queue->fifo().empty()) {
      continue;
    }
    queue->ring().length();
    while (Call* call = queue->fifo().front()) {
      if (!start(call)) {
        break;
      }
      queue->fifo().remove(call);
      --waiting_;
      core_.add_interest(-1);
    }
    queue->publish_overflow();
  }
}

void Dispatcher::run_again(Call* call) {
  ++call->attempt;
  if (call->retries_left > 0) {
    --call->retries_left;
  }
  requeue(call);
}

void Dispatcher::requeue(Call* call) {
  if (call->task != nullptr) {
    enqueue(call);
  } else {
    core_.actors->put_back(call);
  }
}

void Dispatcher::leave_cell(Call* call) {
  shm::Cell& cell = core_.self.calls().cell(call->cell);
  if (call->args_place == ArgsPlace::kCell) {
    std::memcpy(call->inline_args, cell.payload, call->args_bytes);
    call->args_place = ArgsPlace::kInline;
  }
  by_cell_[call->cell / shm::kCellsPerChunk][call->cell % shm::kCellsPerChunk] = nullptr;
  core_.lendings.cells().give_back(call->cell);
  call->cell = shm::kNoCell;
  call->stage = CallStage::kWaiting;
}

void Dispatcher::drop_args(Call* call) {
  if (call->cell != shm::kNoCell) {
    leave_cell(call);
  }
  if (call->args_place == ArgsPlace::kBlock) {
    core_.lendings.blocks().free(call->block);
  }
  call->heap_args.reset();
  call->args_place = ArgsPlace::kNone;
  call->args_bytes = 0;
}

void Dispatcher::fail(Call* call, ErrorKind kind, std::string_view message) {
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    Future* result = call->result_at(i);
    if (!result->computed()) {
      core_.refs->fill_error(result, kind, message);
      result->crashed = kind == ErrorKind::kWorkerCrashed || kind == ErrorKind::kActorUnavailable;
    }
  }
  finish(call);
}

void Dispatcher::fail_like(Call* call, Future* error) {
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    Future* result = call->result_at(i);
    if (result->computed()) {
      continue;
    }
    if (!core_.refs->open(error)) {
      core_.refs->fill_error(result, ErrorKind::kObjectLost, "the error of an argument is gone from the store");
      continue;
    }
    result->header = {.encoding = error->header.encoding,
                      .language = error->header.language,
                      .variant = error->header.variant,
                      .flags = kValueIsError};
    std::memcpy(result->make_room(error->size_bytes), error->data, error->size_bytes);
  }
  finish(call);
}

bool Dispatcher::settle_result(Future* result) {
  if (result->kind == FutureKind::kObject && core_.refs->is_elsewhere(result)) [[unlikely]] {
    core_.settler->settle_elsewhere(result);
    return true;
  }
  core_.settler->settle(result);
  return false;
}

void Dispatcher::take_args_out(Call* call) {
  if (call->args_place == ArgsPlace::kCell) {
    std::memcpy(call->inline_args, core_.self.calls().cell(call->cell).payload, call->args_bytes);
    call->args_place = ArgsPlace::kInline;
  } else if (call->args_place == ArgsPlace::kBlock) {
    call->heap_args = std::make_unique_for_overwrite<uint8_t[]>(call->args_bytes);
    std::memcpy(call->heap_args.get(), core_.lendings.blocks().data(call->block), call->args_bytes);
    core_.lendings.blocks().free(call->block);
    call->args_place = ArgsPlace::kHeap;
  }
}

void Dispatcher::finish(Call* call, uint32_t result_block) {
  bool any_elsewhere = false;
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    Future* result = call->result_at(i);
    if (result->computed()) [[unlikely]] {
      any_elsewhere = any_elsewhere || !result->ready();
      continue;  // it ran again for another one (O11)
    }
    result->call = nullptr;
    any_elsewhere = settle_result(result) || any_elsewhere;
    if (call->escaped && result->extra != nullptr && result->extra->escaped) {
      core_.refs->deliver(result);
      if (result->wanted && !result->ready()) {
        core_.refs->touch(result);  // before it was delivered that was for others to do
      }
    }
  }
  if (any_elsewhere) [[unlikely]] {
    take_args_out(call);
  }
  if (call->cell != shm::kNoCell) {
    by_cell_[call->cell / shm::kCellsPerChunk][call->cell % shm::kCellsPerChunk] = nullptr;
    shm::Cell& cell = core_.self.calls().cell(call->cell);
    bool used = shm::load_cell_word(cell).state != shm::CellState::kFree;  // else R1 has freed it
    if (used && call->escaped) [[unlikely]] {
      // O6: while sabird has not read the DELIVER, the heir would take the result from here.
      core_.lendings.free_cell_later(call->cell, result_block, core_.ring.position());
    } else {
      if (used) {
        shm::free_cell(cell);
      }
      core_.lendings.cells().give_back(call->cell);
      core_.lendings.return_block(result_block);
    }
    call->cell = shm::kNoCell;
  }
  call->stage = CallStage::kWaiting;
  if (!any_elsewhere || !core_.lineage->keep(call)) [[likely]] {
    free_call(call);
  }
}

void Dispatcher::free_call(Call* call) {
  if (call->args_place == ArgsPlace::kBlock) {
    core_.lendings.blocks().free(call->block);
  }
  for (Future* held : call->held) {
    release(held);
  }
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    if (Future* result = call->result_at(i)) [[likely]] {
      if (call->was_kept && result->extra != nullptr && result->extra->kept == call) {
        result->extra->kept = nullptr;
      }
      release(result);
    }
  }
  if (call->task != nullptr) {
    release(call->task);
  }
  if (call->actor != nullptr) {
    release(call->actor);
  }
  calls_.give_back(call);
}

void Dispatcher::abandon_all() {
  for (Call* call : calls_.used()) {
    for (uint32_t i = 0; i < call->num_returns; ++i) {
      call->result_at(i)->call = nullptr;
    }
    // Blocks and cells go back to sabird with the process.
    call->args_place = ArgsPlace::kNone;
    free_call(call);
  }
}

std::string Dispatcher::describe(const Call* call) const {
  if (call->task != nullptr) {
    return "task '" + call->task->name + "'";
  }
  return "actor call '" + core_.functions->name_of(call->function) + "'";
}

void Dispatcher::wants_wake(ClassQueue* queue) {
  if (std::find(wakes_.begin(), wakes_.end(), queue) == wakes_.end()) {
    wakes_.push_back(queue);
  }
}

size_t Dispatcher::take_wakes(ClassQueue** out, size_t capacity) {
  size_t count = std::min(capacity, wakes_.size());
  for (size_t i = 0; i < count; ++i) {
    out[i] = wakes_.back();
    wakes_.pop_back();
  }
  return count;
}

}  // namespace sabir::client
