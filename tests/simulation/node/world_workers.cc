// The processes of the fake machine: how they claim, run, block and die.
#include <algorithm>

#include "runtime/base/check.h"
#include "tests/simulation/node/world_parts.h"

namespace sabir::simulation {

using namespace node;

// --- Calls

World::Call* World::make_call(PlanPtr plan, SlotIndex submitter, Call* parent) {
  auto call = std::make_unique<Call>();
  call->plan = std::move(plan);
  call->submitter = submitter;
  call->submitter_incarnation = processes_.at(submitter)->incarnation;
  call->parent = parent;
  calls_.push_back(std::move(call));
  open_calls_ += 1;
  return calls_.back().get();
}

void World::submit(JobNumber job, PlanPtr plan, std::function<void(bool)> done) {
  Call* call = make_call(std::move(plan), drivers_.at(job), nullptr);
  call->done_callback = std::move(done);
  enqueue(call);
}

World::Queue& World::queue_of(SlotIndex slot, ClassIndex class_index) {
  for (auto& [index, queue] : queues_) {
    if (queue->owner == slot && queue->class_index == class_index) {
      return *queue;
    }
  }
  auto queue = std::make_unique<Queue>(Queue{next_queue_, class_index, slot, {}});
  coordinator_->open_queue(next_queue_, class_index, slot);
  return *queues_.emplace(next_queue_++, std::move(queue)).first->second;
}

void World::enqueue(Call* call) {
  call->state = Call::State::kQueued;
  queue_of(call->submitter, call->plan->class_index).calls.push_back(call);
  // Contract section 3: nobody listed, or sabird sleeps: ring sabird; else ring one that sleeps.
  const std::vector<SlotIndex>& workers = listed_[call->plan->class_index];
  if (workers.empty() || !watching_) {
    ring();
  }
  for (SlotIndex slot : workers) {
    if (processes_.at(slot)->asleep) {
      wake(slot);
      break;
    }
  }
}

void World::settle(Call* call, bool good) {
  SABIR_CHECK(call->state != Call::State::kDone);
  call->state = Call::State::kDone;
  open_calls_ -= 1;
  (good ? calls_done : calls_failed) += 1;
  if (call->done_callback) {
    call->done_callback(good);
  }
  if (call->parent != nullptr) {
    Process& waiter = *processes_.at(call->parent->runner);
    SABIR_CHECK(waiter.call == call->parent);
    later(waiter, latency(), &World::resume);
  }
}

// --- A worker's loop

void World::wake(SlotIndex slot) {
  Process& worker = *processes_.at(slot);
  later(worker, latency(), &World::border);
}

// Between two records: L2 and L4.
void World::border(Process& worker) {
  if (worker.call != nullptr || worker.driver || worker.actor || worker.leaving || worker.stopped) {
    return;
  }
  worker.asleep = true;
  if (!worker.lease_class || worker.page.lease_epoch_done == worker.epoch) {
    return;
  }
  if (!worker.word_granted || worker.blocked_in_lease) {
    worker.page.lease_epoch_done = worker.epoch;
    ring();
    return;
  }
  if (Call* call = claim(worker)) {
    begin(worker, call);
  }
}

World::Call* World::claim(Process& worker) {
  auto take = [](Queue& queue) {
    Call* call = queue.calls.front();
    queue.calls.pop_front();
    return call;
  };
  if (worker.first_queue) {
    auto first = queues_.find(*worker.first_queue);
    if (first != queues_.end() && !first->second->calls.empty()) {
      return take(*first->second);
    }
  }
  std::vector<Queue*> others;
  for (auto& [index, queue] : queues_) {
    if (queue->class_index == worker.lease_class && !queue->calls.empty()) {
      others.push_back(queue.get());
    }
  }
  if (others.empty()) {
    return nullptr;
  }
  switch (options_.round) {
    case WorldOptions::Round::kNewestFirst:
      return take(*others.back());
    case WorldOptions::Round::kOldestFirst:
      return take(*others.front());
    case WorldOptions::Round::kAnywhere:
      return take(*others[random(others.size())]);
  }
  return nullptr;
}

void World::begin(Process& worker, Call* call) {
  worker.asleep = false;
  worker.step += 1;
  worker.call = call;
  worker.page.running = true;
  call->state = Call::State::kRunning;
  call->runner = worker.slot;
  call->children.clear();
  call->submitted = 0;
  size_t running = 0;
  for (const auto& [slot, process] : processes_) {
    running += process->call != nullptr && process->page.blocked % 2 == 0 &&
                       process->call->plan->class_index == call->plan->class_index
                   ? 1
                   : 0;
  }
  size_t& most = most_running[call->plan->class_index];
  most = std::max(most, running);
  later(worker, call->plan->before_ns, &World::advance);
}

// Submits what is to be submitted now, and waits for what must be there before it goes on.
void World::advance(Process& worker) {
  if (!drivers_.contains(worker.job)) {
    return;  // its job is over: it is about to be killed
  }
  Call& call = *worker.call;
  const Plan& plan = *call.plan;
  auto done = [](const Call* child) { return child->state == Call::State::kDone; };
  while (true) {
    bool one_by_one = plan.get == Plan::Get::kOneByOne;
    bool all_done = std::all_of(call.children.begin(), call.children.end(), done);
    if (call.submitted < plan.children.size() && (!one_by_one || all_done)) {
      Call* child = make_call(plan.children[call.submitted], worker.slot, &call);
      call.submitted += 1;
      call.children.push_back(child);
      enqueue(child);
      continue;
    }
    if (all_done) {
      break;
    }
    later(worker, options_.spin_ns, &World::await);
    return;
  }
  later(worker, plan.after_ns, &World::finish);
}

// The spin allowance is over (L4).
void World::await(Process& worker) {
  if (worker.page.blocked % 2 == 0) {
    worker.page.blocked += 1;
    worker.blocked_in_lease = true;
    ring();
  }
}

// A child has a result. Does the get return?
void World::resume(Process& worker) {
  Call& call = *worker.call;
  auto done = [](const Call* child) { return child->state == Call::State::kDone; };
  bool all_done = std::all_of(call.children.begin(), call.children.end(), done);
  bool in_order = call.plan->get == Plan::Get::kInOrder;
  // In order: the first one that was missing is there; the next get blocks anew.
  if (!all_done && !(in_order && worker.page.blocked % 2 == 1)) {
    return;
  }
  worker.step += 1;
  if (worker.page.blocked % 2 == 1) {
    worker.page.blocked += 1;
  }
  advance(worker);
}

void World::finish(Process& worker) {
  Call* call = worker.call;
  executed_ns[worker.job] += call->plan->before_ns + call->plan->after_ns;
  class_executed_ns[call->plan->class_index] += call->plan->before_ns + call->plan->after_ns;
  worker.step += 1;
  worker.call = nullptr;
  worker.page.running = false;
  settle(call, true);
  border(worker);
}

// --- Deaths

void World::stop_all_workers() {
  for (auto& [slot, process] : processes_) {
    if (!process->driver) {
      process->stopped = true;
      process->step += 1;
    }
  }
}

bool World::kill_one_worker() {
  std::vector<Process*> workers;
  for (auto& [slot, process] : processes_) {
    if (!process->driver) {
      workers.push_back(process.get());
    }
  }
  if (workers.empty()) {
    return false;
  }
  Process& victim = *workers[random(workers.size())];
  process_over(victim.process, "killed by signal 9");
  return true;
}

void World::dies(SlotIndex slot, uint32_t incarnation, const std::string& text) {
  auto found = processes_.find(slot);
  if (found == processes_.end() || found->second->incarnation != incarnation) {
    return;
  }
  std::unique_ptr<Process> dead = std::move(found->second);
  // What it had submitted: cancelled if it waits, without a parent if it runs.
  for (auto& call : calls_) {
    if (call->submitter == slot && call->submitter_incarnation == incarnation) {
      call->parent = nullptr;
      call->done_callback = {};
    }
  }
  std::vector<QueueIndex> its_queues;
  for (auto& [index, queue] : queues_) {
    if (queue->owner == slot) {
      for (Call* call : queue->calls) {
        settle(call, false);
      }
      its_queues.push_back(index);
    }
  }
  for (QueueIndex index : its_queues) {
    queues_.erase(index);
  }
  processes_.erase(found);
  slot_history_[slot] = {incarnation, dead->epoch};
  if (!dead->driver) {
    coordinator_->worker_gone(slot, text);
  }
  for (QueueIndex index : its_queues) {
    coordinator_->close_queue(index);
  }
  act();
  // R1: its submitter puts it back, or fails it.
  if (Call* call = dead->call) {
    auto submitter = processes_.find(call->submitter);
    bool alive = submitter != processes_.end() && submitter->second->incarnation == call->submitter_incarnation;
    if (alive && options_.call_deaths_are_retried) {
      enqueue(call);
    } else {
      settle(call, false);
    }
  }
  ring();
}

}  // namespace sabir::simulation
