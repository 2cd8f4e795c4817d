#include "runtime/client/lineage.h"

#include <algorithm>

#include "runtime/client/args.h"
#include "runtime/client/dispatch.h"
#include "runtime/client/refs.h"
#include "runtime/client/settle.h"
#include "runtime/client/submit.h"

namespace sabir::client {

using shm::RingMessage;

// --- Keeping

bool Lineage::keep(Call* call) {
  bool can_run_again = call->task != nullptr && call->retries_left != 0;
  bool any = false;
  for (uint16_t i = 0; i < call->num_returns; ++i) {
    Future* result = call->result_at(i);
    bool is_elsewhere = result->state.load(std::memory_order_relaxed) == FutureState::kElsewhere;
    if (result->extra != nullptr) {
      result->extra->kept = can_run_again && is_elsewhere ? call : nullptr;
      result->extra->no_lineage = can_run_again ? NoLineage::kEvicted : NoLineage::kNoRetries;
    }
    if (can_run_again && is_elsewhere) {
      any = true;
      core_.ring.tell(RingMessage::keep(result->extra->entry, i));
    }
  }
  if (!any) {
    return false;
  }
  call->kept = call->was_kept = true;
  call->escaped = false;
  call->kept_bytes = kBytesEach + call->args_bytes;
  if (call->prepared) {
    for (const PreparedArg& arg : call->prepared->args) {
      call->kept_bytes += arg.value.size() + sizeof(PreparedArg);
    }
    borrow_needed(call);
  }
  for (Future* held : call->held) {
    call->kept_bytes += held->size_bytes;
  }
  kept_.push_back(call);
  kept_bytes_ += call->kept_bytes;
  // Now its counts: whoever has none left comes back as dead, to retains() and outlives().
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    Future* result = call->result_at(i);
    if (result->extra == nullptr || result->extra->kept != call) {
      leave(call, result);
    }
    release(result);
  }
  evict();
  return true;
}

void Lineage::borrow_needed(Call* call) {
  for (const PreparedArg& arg : call->prepared->args) {
    bool is_counted_apart = arg.future != nullptr && arg.future->extra != nullptr &&
                            (arg.future->extra->kept != nullptr || arg.future->kind == FutureKind::kObject);
    auto held = is_counted_apart ? std::find(call->held.begin(), call->held.end(), arg.future) : call->held.end();
    if (held != call->held.end()) {
      call->held.erase(held);
      call->needed.push_back(arg.future);
      ++arg.future->extra->needed_by;
      release(arg.future);
    }
  }
}

bool Lineage::retains(Future* dead) {
  FutureExtra& extra = *dead->extra;
  if (extra.needed_by == 0 || extra.kept != nullptr || !dead->ready() || !extra.has_entry) {
    return false;
  }
  uint64_t size_bytes = core_.refs->elsewhere_bytes(dead);
  if (size_bytes > kMaxBytes) {
    extra.no_lineage = NoLineage::kEvicted;
    return false;
  }
  extra.retained = true;
  dead->next = nullptr;
  kept_bytes_ += size_bytes;
  retained_bytes_ += size_bytes;
  evict();
  return true;
}

void Lineage::end_retention(Future* future) {
  future->extra->retained = false;
  uint64_t size_bytes = core_.refs->elsewhere_bytes(future);
  kept_bytes_ -= size_bytes;
  retained_bytes_ -= size_bytes;
}

void Lineage::collect() {
  uint64_t pressure = core_.self.node().header().store_pressure.load(std::memory_order_acquire);
  if (std::exchange(pressure_seen_, pressure) == pressure) {
    return;  // it is about idle loans of this process
  }
  // Only calls that need such a value: what others hold costs nobody any room.
  Call* next = nullptr;
  for (Call* call = kept_.front(); call != nullptr && retained_bytes_ != 0; call = next) {
    next = call->next;
    bool holds_any = std::any_of(call->needed.begin(), call->needed.end(),
                                 [](const Future* future) { return future->extra->retained; });
    if (holds_any) {
      uint32_t before = kept_.size();
      forget(call, NoLineage::kEvicted);
      next = kept_.size() + 1 == before ? next : kept_.front();  // it may have been gone with it
    }
  }
}

void Lineage::evict() {
  while (kept_bytes_ > kMaxBytes && !kept_.empty()) {
    forget(kept_.front(), NoLineage::kEvicted);
  }
}

void Lineage::leave(Call* call, Future* result) {
  if (call->result == result) {
    call->result = nullptr;
  } else {
    std::replace(call->more_results.begin(), call->more_results.end(), result, static_cast<Future*>(nullptr));
  }
}

bool Lineage::is_useless(const Call* call) {
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    if (call->result_at(i) != nullptr) {
      return false;
    }
  }
  return true;
}

bool Lineage::outlives(Future* dead) {
  FutureExtra& extra = *dead->extra;
  Call* maker = extra.kept;
  if (extra.needed_by != 0) {
    extra.dormant = true;
    extra.has_entry = extra.pinned = extra.escape_kept = false;
    extra.hold = HoldState::kNone;
    extra.stood_for.clear();
    extra.watches.clear();
    dead->header = {};
    dead->waited = dead->wanted = dead->crashed = dead->retryable = false;
    dead->kind = FutureKind::kValue;
    dead->data = nullptr;
    dead->size_bytes = 0;
    dead->call = nullptr;
    dead->state.store(FutureState::kPending, std::memory_order_relaxed);
    return true;
  }
  if (maker != nullptr) {
    leave(maker, dead);
    if (maker->kept && is_useless(maker)) {
      forget(maker, NoLineage::kEvicted);
    }
  }
  return false;
}

void Lineage::forget(Call* call, NoLineage why) {
  // Not by recursion: what one call needed may be the last result of another, and so on.
  std::vector<Call*> forgotten = {call};
  while (!forgotten.empty()) {
    call = forgotten.back();
    forgotten.pop_back();
    kept_.remove(call);
    kept_bytes_ -= call->kept_bytes;
    for (uint32_t i = 0; i < call->num_returns; ++i) {
      if (Future* result = call->result_at(i)) {
        result->extra->kept = nullptr;
        result->extra->no_lineage = why;
        leave(call, result);
      }
    }
    for (Future* future : std::exchange(call->needed, {})) {
      unneed(future, forgotten);
    }
    core_.dispatcher->free_call(call);
  }
}

void Lineage::unneed(Future* future, std::vector<Call*>& forgotten) {
  FutureExtra& extra = *future->extra;
  if (--extra.needed_by != 0) {
    return;
  }
  if (extra.retained) {
    end_retention(future);
    core_.anchor->push_only(future);
    return;
  }
  if (!extra.dormant) {
    return;
  }
  if (Call* maker = extra.kept) {
    leave(maker, future);
    if (maker->kept && is_useless(maker)) {
      forgotten.push_back(maker);
    }
  }
  core_.refs->free_dormant(future);
}

void Lineage::abandon_all() {
  while (!kept_.empty()) {
    forget(kept_.front(), NoLineage::kEvicted);
  }
}

// --- Making again

void Lineage::lost(shm::EntryRef entry) {
  core_.refs->reclaim();
  Future* future = core_.refs->find(entry);
  if (future == nullptr || future->state.load(std::memory_order_relaxed) != FutureState::kElsewhere) {
    // Nobody here has a handle any more. Others may: to them it is lost.
    core_.ring.tell(RingMessage::deliver_lost(entry));
  } else if (Call* call = future->extra->kept; call == nullptr) {
    lose(future);
  } else if (!call->kept) {
    // It runs again already, for another result.
    uint16_t index = 0;
    while (call->result_at(index) != future) {
      ++index;
    }
    core_.refs->pend_again(future, call, index);
    call->escaped = true;
    if (call->stage == CallStage::kInCell) {
      core_.ring.tell(RingMessage::bind(entry, call->ref()));
    }
  } else {
    core_.refs->pend_again(future, call, 0);  // the index: see take_results()
    run(call);
  }
  if (future != nullptr) {
    release(future);
  }
}

void Lineage::lose(Future* future) {
  core_.refs->pend_again(future, nullptr, 0);
  core_.refs->fill_error(future, ErrorKind::kObjectLost, describe(future->extra->no_lineage));
  core_.settler->settle(future);
  if (future->extra->escaped) {
    core_.refs->deliver(future);
  }
}

void Lineage::run(Call* call) {
  std::vector<Call*> again = {call};
  while (!again.empty()) {
    call = again.back();
    again.pop_back();
    if (!call->kept) {
      continue;  // two calls needed it
    }
    kept_.remove(call);
    kept_bytes_ -= call->kept_bytes;
    call->kept = false;
    ++call->attempt;
    if (call->retries_left > 0) {
      --call->retries_left;
    }
    take_results(call);
    take_arguments(call, again);
    core_.submitter->submit_again(call);
  }
}

// Its counts, as of a new call. In place of results that nobody needs it gets some that nobody will look at.
void Lineage::take_results(Call* call) {
  for (uint16_t i = 0; i < call->num_returns; ++i) {
    Future*& result = i == 0 ? call->result : call->more_results[i - 1];
    bool is_there = result != nullptr && (result->extra->needed_by != 0 ? revive_surely(result) : revive(result));
    if (!is_there) {
      if (result != nullptr) {
        result->extra->kept = nullptr;  // about to be taken apart
      }
      result = core_.refs->make((call->id << 16) | i);
    }
    if (!result->computed()) {
      result->call = call;
      if (result->extra != nullptr && result->extra->escaped) {
        result->extra->return_index = i;
        call->escaped = true;
      }
    }
  }
}

// With a count. False: its last one is going just now.
bool Lineage::revive(Future* future) {
  FutureExtra& extra = *future->extra;
  if (extra.dormant || extra.retained) {
    if (extra.retained) {
      end_retention(future);
    }
    extra.dormant = false;
    future->count.store(1, std::memory_order_relaxed);
    return true;
  }
  uint32_t count = future->count.load(std::memory_order_relaxed);
  while (count != 0) {
    if (future->count.compare_exchange_weak(count, count + 1, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

// What has not been taken apart yet will be, and then it is dormant, or retained.
bool Lineage::revive_surely(Future* future) {
  bool revived = revive(future);
  while (!revived && core_.check_open().ok()) {
    core_.refs->reclaim();
    revived = revive(future);
  }
  return revived;
}

void Lineage::take_arguments(Call* call, std::vector<Call*>& more) {
  for (Future* future : std::exchange(call->needed, {})) {
    if (!revive_surely(future)) {
      continue;
    }
    --future->extra->needed_by;
    call->held.push_back(future);
    if (future->computed()) {
      continue;
    }
    if (Call* maker = future->extra->kept) {
      more.push_back(maker);
    } else {
      lose(future);
    }
  }
}

}  // namespace sabir::client
