#include "runtime/node/scheduler.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/scheduler_state.h"

namespace sabir::node {

Scheduler::Scheduler(NodeResources resources, SchedulerOptions options, const Clock* clock, Instructions* out)
    : state_(std::make_unique<State>(std::move(resources), options, clock, out)) {}

Scheduler::~Scheduler() = default;

NodeResources& Scheduler::resources() { return state_->resources; }
const NodeResources& Scheduler::resources() const { return state_->resources; }

void Scheduler::set_bundles(Bundles bundles) { state_->bundles = std::move(bundles); }

// --- Jobs and classes

void Scheduler::add_job(JobNumber job, uint32_t weight) {
  state_->jobs.try_emplace(job, State::Job{.weight = std::max(weight, 1u)});
}

void Scheduler::end_job(JobNumber job) {
  auto found = state_->jobs.find(job);
  if (found == state_->jobs.end()) {
    return;
  }
  found->second.over = true;
  std::vector<shm::ClassIndex> its_classes;
  for (const auto& [index, what] : state_->classes) {
    if (what.job == job) {
      its_classes.push_back(index);
    }
  }
  if (its_classes.empty()) {
    state_->jobs.erase(found);
  }
  for (shm::ClassIndex index : its_classes) {
    state_->free_class_if_over(index);
  }
}

Result<Scheduler::Declared> Scheduler::declare_class(JobNumber job, Language language,
                                                     const std::vector<ResourceRequest>& resources, ClassPlace place) {
  State& s = *state_;
  auto owner = s.jobs.find(job);
  if (owner == s.jobs.end() || owner->second.over) {
    return not_found_error("no such job");
  }
  SABIR_ASSIGN_OR_RETURN(ResourceSet set, s.resources.resolve(resources));
  for (const auto& [index, what] : s.classes) {
    if (what.job == job && what.language == language && what.asked == set && what.place == place) {
      return Declared{index, what.infeasible};
    }
  }
  if (s.classes.size() >= shm::kMaxClasses) {
    return exhausted_error("more than " + std::to_string(shm::kMaxClasses) +
                           " different sets of resources and strategies are in use");
  }
  // Indices go round, so that a freed one rests as long as possible.
  while (s.classes.contains(s.next_class)) {
    s.next_class = (s.next_class + 1) % shm::kMaxClasses;
  }
  State::Class& made = s.classes[s.next_class];
  made.index = s.next_class;
  made.job = job;
  made.language = language;
  made.asked = made.resources = std::move(set);
  made.place = std::move(place);
  made.allowed = made.place.decided_outside() ? 0 : UINT64_MAX;
  if (made.place.placement().in_group()) {
    made.has_account = false;
  } else {
    made.infeasible = s.resources.infeasible(made.resources);
  }
  s.next_class = (s.next_class + 1) % shm::kMaxClasses;
  if (!made.infeasible.empty()) {
    s.out->push_back(MarkInfeasible{made.index, true, made.infeasible});
  }
  return Declared{made.index, made.infeasible};
}

void Scheduler::allow(shm::ClassIndex class_index, uint64_t leases) {
  state_->classes.at(class_index).allowed = leases;
}

void Scheduler::fail_class(shm::ClassIndex class_index, const Error& error) {
  state_->fail_class(state_->classes.at(class_index), error);
}

bool Scheduler::has_strategies() const {
  return std::any_of(state_->classes.begin(), state_->classes.end(),
                     [](const auto& entry) { return entry.second.place.decided_outside(); });
}

void Scheduler::open_queue(shm::QueueIndex queue, shm::ClassIndex class_index, shm::SlotIndex owner) {
  auto found = state_->classes.find(class_index);
  SABIR_CHECK(found != state_->classes.end(), "class=", class_index);
  auto [at, added] = state_->queues.try_emplace(queue, State::Queue{class_index, owner});
  SABIR_CHECK(added, "queue=", queue);
  found->second.queues.insert(queue);
}

void Scheduler::close_queue(shm::QueueIndex queue) {
  auto found = state_->queues.find(queue);
  if (found == state_->queues.end()) {
    return;
  }
  observe_queue(queue, 0);
  shm::ClassIndex index = found->second.class_index;
  state_->queues.erase(found);
  state_->classes.at(index).queues.erase(queue);
  state_->free_class_if_over(index);
}

void Scheduler::State::free_class_if_over(shm::ClassIndex index) {
  auto found = classes.find(index);
  if (found == classes.end() || !found->second.queues.empty() || found->second.leases != 0) {
    return;
  }
  auto job = jobs.find(found->second.job);
  if (job == jobs.end() || !job->second.over) {
    return;  // a living job keeps its classes: declaring one again costs nothing
  }
  JobNumber number = job->first;
  classes.erase(found);
  out->push_back(FreeClass{index});
  bool last =
      std::none_of(classes.begin(), classes.end(), [&](const auto& entry) { return entry.second.job == number; });
  if (last) {
    jobs.erase(job);
  }
}

// --- Workers

void Scheduler::add_worker(shm::SlotIndex slot, JobNumber job, Language language, uint32_t epoch) {
  State::Worker worker{.slot = slot, .job = job, .language = language, .epoch = epoch};
  worker.idle_order = state_->next_order++;
  auto [at, added] = state_->workers.try_emplace(slot, std::move(worker));
  SABIR_CHECK(added, "slot=", slot);
  state_->full.erase({job, language});
}

void Scheduler::remove_worker(shm::SlotIndex slot) {
  State& s = *state_;
  if (auto found = s.workers.find(slot); found != s.workers.end()) {
    if (found->second.lease) {
      s.end_lease(found->second);
    }
    s.workers.erase(slot);
    s.full.clear();  // there is room for one again
  }
  if (auto found = s.actor_by_slot.find(slot); found != s.actor_by_slot.end()) {
    s.actors.at(found->second).slot.reset();
    s.actor_by_slot.erase(found);
    s.full.clear();
  }
}

void Scheduler::retire_worker(shm::SlotIndex slot) {
  auto found = state_->workers.find(slot);
  if (found != state_->workers.end()) {
    found->second.retired = true;
    if (found->second.lease && !found->second.withdrawn) {
      state_->withdraw(found->second);
    }
  }
}

void Scheduler::State::grant(Worker& worker, Class& what, shm::QueueIndex first_queue) {
  SABIR_CHECK(!worker.lease);
  worker.allocation = resources.take(what.resources, what.account);
  worker.lease = what.index;
  worker.epoch = worker.epoch == UINT32_MAX ? 1 : worker.epoch + 1;  // 0: never had one
  worker.listed = true;
  worker.withdrawn = worker.lent = worker.over_at_border = worker.credit = worker.running = false;
  worker.idle_since_ns = clock->now_ns();
  what.leases += 1;
  what.listed += 1;
  what.last_first_queue = first_queue;
  jobs.at(what.job).placed += 1;
  out->push_back(GrantLease{worker.slot, worker.epoch, what.index, first_queue, worker.allocation.gpu_mask});
}

void Scheduler::State::unlist(Worker& worker) {
  if (worker.listed) {
    worker.listed = false;
    classes.at(*worker.lease).listed -= 1;
    out->push_back(UnlistWorker{worker.slot, *worker.lease});
  }
}

void Scheduler::State::withdraw(Worker& worker) {
  SABIR_CHECK(worker.lease && !worker.withdrawn);
  unlist(worker);
  worker.withdrawn = true;
  worker.returning_since_ns = clock->now_ns();
  out->push_back(WithdrawLease{worker.slot, worker.epoch});
}

void Scheduler::State::end_lease(Worker& worker) {
  unlist(worker);
  resources.give_back(worker.allocation);
  worker.allocation = {};
  shm::ClassIndex index = *worker.lease;
  worker.lease.reset();
  worker.withdrawn = worker.lent = worker.over_at_border = worker.credit = false;
  worker.idle_order = next_order++;
  out->push_back(ClearLease{worker.slot, worker.epoch});
  classes.at(index).leases -= 1;
  free_class_if_over(index);
}

void Scheduler::State::block(Worker& worker) {
  unlist(worker);
  resources.lend_cpu(worker.allocation);
  worker.lent = worker.over_at_border = worker.credit = true;
  worker.blocked_order = next_order++;
}

// --- Observations

void Scheduler::observe_queue(shm::QueueIndex queue, uint64_t waiting) {
  State& s = *state_;
  auto found = s.queues.find(queue);
  if (found == s.queues.end()) {
    return;
  }
  // A claim (T3): more than memory could hold is not believed, so that sums cannot overflow.
  waiting = std::min<uint64_t>(waiting, uint64_t{1} << 40);
  State::Class& what = s.classes.at(found->second.class_index);
  if (what.waiting == 0 && waiting > 0) {
    what.waiting_since_ns = s.clock->now_ns();
  }
  what.waiting += waiting;
  what.waiting -= found->second.waiting;
  found->second.waiting = waiting;
}

void Scheduler::observe_worker(shm::SlotIndex slot, const WorkerSample& sample) {
  State& s = *state_;
  bool blocked = sample.blocked % 2 == 1;
  if (auto found = s.workers.find(slot); found != s.workers.end()) {
    State::Worker& worker = found->second;
    bool was_blocked_since = sample.blocked != worker.blocked_counter;
    worker.blocked_counter = sample.blocked;
    if (worker.running && !sample.running) {
      worker.idle_since_ns = s.clock->now_ns();
    }
    worker.running = sample.running;
    if (!worker.lease) {
      return;
    }
    if (worker.lent && (!blocked || was_blocked_since)) {
      s.resources.take_back_cpu(worker.allocation);  // L4: at once, whatever is free
      worker.lent = worker.credit = false;
      worker.returning_since_ns = s.clock->now_ns();
    }
    if (sample.lease_epoch_done == worker.epoch) {
      s.end_lease(worker);
    } else if (blocked && !worker.lent) {
      s.block(worker);
    } else if (was_blocked_since && !worker.over_at_border) {
      worker.over_at_border = true;  // blocked and resumed between two looks (S7)
      worker.returning_since_ns = s.clock->now_ns();
      s.unlist(worker);
    }
  } else if (auto hosted = s.actor_by_slot.find(slot); hosted != s.actor_by_slot.end()) {
    State::Actor& actor = s.actors.at(hosted->second);
    actor.running = sample.running;
    if (blocked && !actor.allocation.cpu_lent) {
      s.resources.lend_cpu(actor.allocation);
      actor.blocked_order = s.next_order++;
    } else if (!blocked && actor.allocation.cpu_lent) {
      s.resources.take_back_cpu(actor.allocation);
    }
  }
}

// --- Actors

void Scheduler::allow_actor(shm::ActorIndex actor) {
  if (auto found = state_->actors.find(actor); found != state_->actors.end()) {
    found->second.held = false;
  }
}

void Scheduler::place_actor(shm::ActorIndex actor, JobNumber job, const ResourceSet& resources, bool held,
                            const cluster::Placement& placement) {
  State::Actor waiting{.job = job, .asked = resources, .resources = resources};
  waiting.placement = placement;
  waiting.has_account = !placement.in_group();
  waiting.order = state_->next_order++;
  waiting.held = held;
  auto [at, added] = state_->actors.try_emplace(actor, std::move(waiting));
  SABIR_CHECK(added, "actor=", actor);
  state_->unplaced.insert(actor);
}

void Scheduler::unplace_actor(shm::ActorIndex actor) {
  State& s = *state_;
  auto found = s.actors.find(actor);
  if (found == s.actors.end()) {
    return;
  }
  if (found->second.placed) {
    s.resources.give_back(found->second.allocation);
  }
  if (found->second.slot) {
    s.actor_by_slot.erase(*found->second.slot);
  }
  s.unplaced.erase(actor);
  s.actors.erase(found);
}

void Scheduler::bind_actor(shm::ActorIndex actor, shm::SlotIndex slot) {
  auto found = state_->actors.find(actor);
  if (found != state_->actors.end() && found->second.placed) {
    found->second.slot = slot;
    state_->actor_by_slot[slot] = actor;
  }
}

Scheduler::Users Scheduler::users(AccountId account) const {
  Users users;
  for (const auto& [slot, worker] : state_->workers) {
    if (worker.lease && worker.allocation.account == account) {
      users.workers.push_back({slot, worker.running || worker.lent, worker.withdrawn});
    }
  }
  for (const auto& [index, actor] : state_->actors) {
    if (actor.placed && actor.allocation.account == account) {
      users.actors.push_back(index);
    }
  }
  return users;
}

bool Scheduler::make_room(const ResourceSet& wanted) {
  State& s = *state_;
  if (s.resources.fits(wanted)) {
    return true;
  }
  if (s.resources.would_fit(wanted, s.returning_soon(), {})) {
    return false;
  }
  std::vector<State::Worker*> idle;
  ResourceSet back = s.returning_soon();
  for (auto& [slot, worker] : s.workers) {
    if (worker.drawing() && s.idle_lease(worker) && s.holds_some_of(worker, wanted) &&
        !s.resources.would_fit(wanted, back, {})) {
      idle.push_back(&worker);
      add_to(back, worker.allocation.amounts);
    }
  }
  if (!s.resources.would_fit(wanted, back, {})) {
    return true;
  }
  for (State::Worker* worker : idle) {
    s.withdraw(*worker);
  }
  return false;
}

void Scheduler::withdraw_lease(shm::SlotIndex slot) {
  auto found = state_->workers.find(slot);
  if (found != state_->workers.end() && found->second.lease && !found->second.withdrawn) {
    state_->withdraw(found->second);
  }
}

// --- From the pool

void Scheduler::workers_unavailable(JobNumber job, Language language, const Error& error) {
  State& s = *state_;
  for (const auto& [slot, worker] : s.workers) {
    if (worker.job == job && worker.language == language && !worker.lent && !worker.retired) {
      return;  // somebody is left to do the work
    }
  }
  for (auto& [index, what] : s.classes) {
    if (what.job == job && what.language == language && what.waits()) {
      s.out->push_back(FailClass{index, error});
      for (shm::QueueIndex queue : what.queues) {
        observe_queue(queue, 0);  // until the next look
      }
    }
  }
}

void Scheduler::pool_full(JobNumber job, Language language, const Error& error) {
  state_->full.insert_or_assign({job, language}, error);
}

// --- For status and tests

Units Scheduler::available(ResourceId id) const {
  Units units = state_->resources.free(id);
  for (const auto& [slot, worker] : state_->workers) {
    if (state_->idle_lease(worker)) {
      units += worker.allocation.amounts.get(id);
    }
  }
  return std::max<Units>(units, 0);
}

std::vector<Scheduler::ClassView> Scheduler::classes() const {
  std::vector<ClassView> views;
  for (const auto& [index, what] : state_->classes) {
    views.push_back({index, what.job, what.language, &what.asked, what.waiting, what.leases, !what.infeasible.empty(),
                     what.served_ns, &what.place, state_->unblocked_leases(what)});
  }
  return views;
}

Scheduler::LeaseView Scheduler::lease(shm::SlotIndex slot) const {
  auto found = state_->workers.find(slot);
  if (found == state_->workers.end()) {
    return {};
  }
  const State::Worker& worker = found->second;
  return {true, worker.lease, worker.epoch, worker.withdrawn, worker.lent, worker.running};
}

bool Scheduler::busy() const {
  for (const auto& [index, what] : state_->classes) {
    if (what.waiting > 0 && what.infeasible.empty()) {
      return true;
    }
  }
  bool leased = std::any_of(state_->workers.begin(), state_->workers.end(), [](const auto& entry) {
    const State::Worker& worker = entry.second;
    return worker.lease && (worker.running || worker.withdrawn || worker.over_at_border);
  });
  // A blocked actor tells nobody that it goes on: its CPU has to be asked back.
  return leased || std::any_of(state_->actors.begin(), state_->actors.end(),
                               [](const auto& entry) { return entry.second.allocation.cpu_lent; });
}

int64_t Scheduler::job_served_ns(JobNumber job) const {
  auto found = state_->jobs.find(job);
  return found == state_->jobs.end() ? 0 : found->second.served_ns;
}

void Scheduler::check_invariants() const {
  const State& s = *state_;
  ResourceSet held;
  std::map<shm::ClassIndex, uint32_t> leases;
  std::map<shm::ClassIndex, uint32_t> listed;
  auto count = [&](const Allocation& allocation) {
    ResourceSet amounts = allocation.amounts;
    if (allocation.cpu_lent) {
      amounts.set(s.resources.cpu_of(allocation.account), 0);
    }
    add_to(held, amounts);
  };
  for (const auto& [slot, worker] : s.workers) {
    SABIR_CHECK(worker.lease || worker.allocation.amounts.empty(), "slot=", slot);
    SABIR_CHECK(!worker.listed || worker.drawing(), "slot=", slot);
    SABIR_CHECK(worker.lent == worker.allocation.cpu_lent, "slot=", slot);
    count(worker.allocation);
    if (worker.lease) {
      leases[*worker.lease] += 1;
      listed[*worker.lease] += worker.listed ? 1 : 0;
    }
  }
  for (const auto& [index, actor] : s.actors) {
    SABIR_CHECK(actor.placed || actor.allocation.amounts.empty(), "actor=", index);
    SABIR_CHECK(actor.placed != s.unplaced.contains(index), "actor=", index);
    count(actor.allocation);
  }
  for (size_t id = 0; id < s.resources.name_count(); ++id) {
    auto resource = static_cast<ResourceId>(id);
    SABIR_CHECK(
        held.get(resource) + s.resources.reserved(resource) + s.resources.free(resource) == s.resources.total(resource),
        s.resources.name(resource));
    SABIR_CHECK(resource == kCpu || s.resources.free(resource) >= 0, s.resources.name(resource));
  }
  for (const auto& [index, what] : s.classes) {
    uint64_t waiting = 0;
    for (shm::QueueIndex queue : what.queues) {
      waiting += s.queues.at(queue).waiting;
    }
    SABIR_CHECK(waiting == what.waiting && leases[index] == what.leases && listed[index] == what.listed,
                "class=", index);
  }
}

}  // namespace sabir::node
