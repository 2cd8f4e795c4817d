#include "runtime/client/complete.h"

#include "runtime/client/actors.h"
#include "runtime/client/dispatch.h"
#include "runtime/client/execute.h"
#include "runtime/client/refs.h"
#include "runtime/client/submit.h"
#include "runtime/shm/stack.h"

namespace sabir::client {

bool Completer::has_replies() const { return !shm::reply_stack(core_.self.calls(), core_.self.slot()).empty(); }

bool Completer::drain() {
  batch_.clear();
  shm::TakeResult taken =
      shm::reply_stack(core_.self.calls(), core_.self.slot()).take_all(batch_, core_.lendings.cells().cell_count());
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (i + 1 < batch_.size()) {
      if (Call* next = core_.dispatcher->find(batch_[i + 1])) {
        __builtin_prefetch(next);
        __builtin_prefetch(next->result);
        __builtin_prefetch(&core_.self.calls().cell(batch_[i + 1]));
      }
    }
    Call* call = core_.dispatcher->find(batch_[i]);
    if (call == nullptr) {
      continue;  // R1 was faster, or somebody wrote nonsense
    }
    shm::CellWord word = shm::load_cell_word(core_.self.calls().cell(batch_[i]));
    if (word.state == shm::CellState::kDone && word.generation == call->generation) {
      complete(call);
    }
  }
  return !taken.damaged;
}

void Completer::complete(Call* call) {
  shm::Cell& cell = core_.self.calls().cell(call->cell);
  shm::CellRef ref = call->ref();
  last_claimer_ = shm::load_cell_word(cell).claimer;
  uint32_t block =
      cell.result_place == static_cast<uint8_t>(shm::ResultPlace::kBlock) ? cell.result_block : shm::kNoBlock;
  bool drop_holds = cell.result_has_refs != 0;
  if (call->actor != nullptr) {
    core_.actors->left_inbox(call);
  }
  uint8_t how = cell.result_is_error;
  bool again = (how == kRetryableError && call->retry_errors) || how == kLostError;
  if ((again && call->retries_left != 0) || how == kNotBegun) {
    shm::free_cell(cell);
    core_.lendings.return_block(block);
    if (how == kNotBegun && call->task != nullptr && call->prepared) {
      core_.submitter->submit_again(call);  // an argument may be lost, and on its way again
    } else if (how == kNotBegun) {
      core_.dispatcher->requeue(call);
    } else {
      core_.dispatcher->run_again(call);
    }
  } else {
    if (!fill_results(call, cell)) {
      for (uint32_t i = 0; i < call->num_returns; ++i) {
        if (!call->result_at(i)->computed()) {
          core_.refs->fill_error(call->result_at(i), ErrorKind::kInternal,
                                 "the result of " + core_.dispatcher->describe(call) + " arrived damaged");
        }
      }
    }
    core_.dispatcher->finish(call, block);
  }
  if (drop_holds) {
    // H2: our own HOLDs were written while the results were filled.
    core_.ring.tell(shm::RingMessage::drop_cell(ref));
  }
}

bool Completer::fill_results(Call* call, const shm::Cell& cell) {
  std::span<const uint8_t> bytes;
  uint32_t size = cell.result_bytes;
  switch (static_cast<shm::ResultPlace>(cell.result_place)) {
    case shm::ResultPlace::kNone:
      break;
    case shm::ResultPlace::kInline: {
      size_t offset = cell.args_block == shm::kNoBlock ? pad8(call->args_bytes) : 0;
      if (offset + size > shm::kCellInlineBytes) {
        return false;
      }
      bytes = {cell.payload + offset, size};
      break;
    }
    case shm::ResultPlace::kBlock: {
      const uint8_t* data = core_.self.calls().find_block(cell.result_block, size);
      if (data == nullptr) {
        return false;
      }
      bytes = {data, size};
      break;
    }
  }
  if (cell.result_is_error != 0) {
    return fill_error(call, bytes, cell.result_is_error);
  }
  if (call->num_returns == 1) [[likely]] {
    return core_.refs->fill(call->result, bytes, HoldState::kOwn, nullptr);
  }
  return fill_many(call, bytes);
}

bool Completer::fill_error(Call* call, std::span<const uint8_t> value, uint8_t how) {
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    Future* result = call->result_at(i);
    if (result->computed()) {
      continue;
    }
    if (!core_.refs->fill(result, value, HoldState::kOwn, nullptr)) {
      return false;
    }
    result->header.flags |= kValueIsError;
    result->crashed = how == kLostError;
    result->retryable = how == kRetryableError;
  }
  return true;
}

bool Completer::fill_many(Call* call, std::span<const uint8_t> bytes) {
  std::optional<ParsedResults> results = parse_results(bytes, call->num_returns);
  if (!results) {
    return false;
  }
  Future* container = nullptr;
  if (results->indirect) {
    container = core_.refs->adopt({*results->indirect, {}}, HoldState::kOwn, nullptr);
    if (container == nullptr || !core_.refs->open(container)) {
      return false;
    }
    results = parse_results({container->data, container->size_bytes}, call->num_returns);
    if (!results || results->indirect) {
      return false;
    }
  }
  bool filled = true;
  for (uint32_t i = 0; i < call->num_returns && filled; ++i) {
    filled = core_.refs->fill(call->result_at(i), results->values[i], HoldState::kOwn, nullptr);
  }
  if (container != nullptr) {
    release(container);
  }
  return filled;
}

}  // namespace sabir::client
