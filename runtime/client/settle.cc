#include "runtime/client/settle.h"

#include <utility>

#include "runtime/abi/sabir.h"
#include "runtime/client/call.h"
#include "runtime/client/event_queue.h"
#include "runtime/client/refs.h"
#include "runtime/client/wait_room.h"

namespace sabir::client {

void Settler::settle(Future* future) {
  ++epoch_;
  if (future->is_error()) {
    // Ends each get that has it among its references, whichever it waits for.
    ++error_epoch_;
    wake_wanted_ = true;
  }
  future->state.store(FutureState::kReady, std::memory_order_release);
  wake_wanted_ |= future->waited;
  future->waited = false;
  if (future->extra == nullptr) [[likely]] {
    return;
  }
  for (Watch& watch : std::exchange(future->extra->watches, {})) {
    watch.queue->push({.kind = SABIR_EVENT_READY, .tag = watch.tag, .buffer = nullptr});
    watch.queue->settled(core_.self.clock());
    core_.add_interest(-1);
    // Who sleeps in queue_next of this process looks at the queue only when it is woken.
    wake_wanted_ = true;
  }
  release_dependents(future);
}

void Settler::settle_elsewhere(Future* future) {
  ++epoch_;
  future->state.store(FutureState::kElsewhere, std::memory_order_release);
  wake_wanted_ |= future->waited;
  release_dependents(future);
  if (future->wanted) {
    core_.refs->touch(future);
  }
}

void Settler::release_dependents(Future* future) {
  for (Call* call : std::exchange(future->extra->dependents, {})) {
    if (--call->missing == 0) {
      ready_calls_.push_back(call);
    }
  }
}

void Settler::watch(Future* future, std::shared_ptr<EventQueue> queue, uint64_t tag) {
  if (future->ready()) {
    queue->push({.kind = SABIR_EVENT_READY, .tag = tag, .buffer = nullptr});
    wake_wanted_ = true;
    core_.waiting->wake_listeners(queue.get());
    return;
  }
  if (!queue->expects()) {
    // Who only listens to it waits for something from now on: takes the doorbell, and lends a worker's CPU (L4).
    core_.waiting->wake_listeners(queue.get());
  }
  queue->expect();
  future->more().watches.push_back({std::move(queue), tag});
  core_.add_interest(1);
}

void Settler::depend(Call* call, Future* future) {
  future->more().dependents.push_back(call);
  ++call->missing;
}

Call* Settler::take_ready_call() {
  if (ready_calls_.empty()) {
    return nullptr;
  }
  Call* call = ready_calls_.back();
  ready_calls_.pop_back();
  return call;
}

}  // namespace sabir::client
