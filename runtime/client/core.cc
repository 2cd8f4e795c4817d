#include "runtime/client/core.h"

#include <utility>

#include "runtime/client/actors.h"
#include "runtime/client/class_queue.h"
#include "runtime/client/complete.h"
#include "runtime/client/dispatch.h"
#include "runtime/client/elsewhere.h"
#include "runtime/client/execute.h"
#include "runtime/client/functions.h"
#include "runtime/client/groups.h"
#include "runtime/client/lineage.h"
#include "runtime/client/objects.h"
#include "runtime/client/progress.h"
#include "runtime/client/refs.h"
#include "runtime/client/repair.h"
#include "runtime/client/settle.h"
#include "runtime/client/submit.h"
#include "runtime/client/wait_room.h"

namespace sabir::client {

Core::Core(std::unique_ptr<Membership> membership_in, UniqueFd objects_fd, Anchor* anchor_in)
    : membership(std::move(membership_in)),
      self(*membership),
      anchor(anchor_in),
      neighbours(self),
      ring(self, neighbours),
      lendings(self, ring),
      deaths(self.node(), self.page()),
      deaths_read(deaths.position()),
      refs(std::make_unique<Refs>(*this)),
      settler(std::make_unique<Settler>(*this)),
      waiting(std::make_unique<WaitRoom>(*this)),
      classes(std::make_unique<Classes>(*this)),
      actors(std::make_unique<ActorPeers>(*this)),
      dispatcher(std::make_unique<Dispatcher>(*this)),
      lineage(std::make_unique<Lineage>(*this)),
      completer(std::make_unique<Completer>(*this)),
      repairer(std::make_unique<Repairer>(*this)),
      objects(std::make_unique<Objects>(*this, std::move(objects_fd))),
      functions(std::make_unique<Functions>(*this)),
      groups(std::make_unique<Groups>(*this)),
      elsewhere(std::make_unique<Elsewhere>(*this)),
      submitter(std::make_unique<Submitter>(*this)),
      executor(std::make_unique<Executor>(*this)),
      progress(std::make_unique<Progress>(*this)) {
  anchor->set_uid(self.uid());
}

Core::~Core() = default;

void Core::pump() {
  if (deaths.moved()) [[unlikely]] {
    repairer->run();
  }
  if (completer->has_replies() && !completer->drain()) [[unlikely]] {
    repairer->scan();
  }
  if (refs->has_subscriptions()) {
    refs->poll_subscriptions();
  }
  submitter->run_ready();
  if (actors->has_waiting()) {
    actors->poll();
  }
  dispatcher->refill();
  submitter->run_ready();
  if (anchor->has_dead()) {
    refs->reclaim();
  }
  if (lendings.owes()) {
    lendings.free_what_was_read();
  }
  if (settler->take_wake_wanted() || (waiting->has_sleepers() && executor->should_wake())) {
    waiting->wake_all();
  }
}

void Core::unlock(Lock& held) {
  constexpr size_t kAtOnce = 8;
  for (;;) {
    ClassQueue* queues[kAtOnce];
    size_t queue_count = dispatcher->take_wakes(queues, kAtOnce);
    shm::SlotIndex slots[kAtOnce];
    size_t slot_count = 0;
    while (slot_count < kAtOnce && !to_ring.empty()) {
      slots[slot_count++] = to_ring.back();
      to_ring.pop_back();
    }
    held.unlock();
    bool rang = false;
    for (size_t i = 0; i < queue_count; ++i) {
      rang |= queues[i]->wake_somebody();
    }
    for (size_t i = 0; i < slot_count; ++i) {
      rang |= neighbours.ring(slots[i]);
    }
    if (rang) {
      waiting->note_rang();
    }
    if (queue_count < kAtOnce && slot_count < kAtOnce) {
      return;
    }
    held.lock();
  }
}

bool Core::needs_help() const {
  return dispatcher->wants_cells() || dispatcher->wants_blocks() || refs->wants_block() || submitter->needs_help() ||
         actors->has_undescribed();
}

bool Core::unlock_and_help(Lock& held) {
  bool helped = false;
  while (needs_help() && check_open().ok() && help(held)) {
    helped = true;
    pump();
  }
  unlock(held);
  return helped;
}

bool Core::help(Lock& held) {
  constexpr int64_t kDescribeTimeoutNs = 10 * kSecondNs;
  bool cells = dispatcher->wants_cells();
  bool blocks = dispatcher->wants_blocks() || refs->wants_block();
  dispatcher->forget_wants();
  // What fails stays where it is, and is tried again when something has come back.
  bool lent = true;
  if (cells) {
    lent = lendings.lend(rpc::LendKind::kCells, held).ok();
  }
  if (blocks) {
    lent = lendings.lend(rpc::LendKind::kBlocks, held).ok() && lent;
    refs->deliver_again();
  }
  if (submitter->needs_help()) {
    held.unlock();
    submitter->help();
    held.lock();
  }
  if (Future* actor = actors->take_undescribed()) {
    held.unlock();
    Result<rpc::ActorDescription> answer =
        self.session().describe_actor(actor->extra->actor->index, actor->extra->entry.generation, kDescribeTimeoutNs);
    held.lock();
    actors->describe_death(actor, answer.ok() ? std::string_view(answer->error) : std::string_view());
    release(actor);
  }
  return lent;
}

Result<void> Core::check_open() const {
  if (closing.load(std::memory_order_relaxed)) [[unlikely]] {
    return closed_error("this client was shut down");
  }
  if (disconnected.load(std::memory_order_relaxed)) [[unlikely]] {
    return disconnected_error("the node of this session is gone");
  }
  return {};
}

Result<void> Core::check_own(const Future* ref) const {
  if (ref->anchor != anchor) [[unlikely]] {
    return invalid_error("the reference belongs to another client of this process, or to an earlier session");
  }
  return {};
}

void Core::add_interest(int64_t change) {
  int64_t before = interest_.fetch_add(change, std::memory_order_seq_cst);
  // Whoever has the token takes part anyway, and hands over when it leaves.
  if (before == 0 && change > 0 && waiting->token_free()) {
    progress->nudge();
  }
}

void Core::bury(Future* dead) { refs->bury(dead); }

}  // namespace sabir::client
