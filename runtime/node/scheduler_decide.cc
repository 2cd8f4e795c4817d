// One decision of the scheduler: tick() and its steps, in their order.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/node/scheduler_state.h"

namespace sabir::node {

void Scheduler::tick() {
  State& s = *state_;
  s.kept = {};
  s.needs.clear();
  s.account();
  s.choose_accounts();
  s.withdraw_excess();
  s.activate();
  s.pay_debt();
  s.grant_depth_first();
  s.collect_waiters();
  s.grant_fairly();
  s.take_from_idle();
  s.rotate();
  s.fail_if_stuck();
  s.announce_needs();
  s.ring_idle();
}

std::optional<int64_t> Scheduler::next_wake_ns() const {
  const State& s = *state_;
  std::optional<int64_t> wake;
  auto earlier = [&](int64_t at) { wake = std::min(wake.value_or(at), at); };
  bool waiting = false;
  for (const auto& [index, what] : s.classes) {
    if (!what.waits()) {
      continue;
    }
    waiting = true;
    if (what.one_spare_since_ns) {
      earlier(*what.one_spare_since_ns + s.options.grow_delay_ns);
    }
  }
  // Who counts on a lease that returns is no waiter now: it is one again if that takes longer than a quantum.
  waiting = waiting || std::any_of(s.unplaced.begin(), s.unplaced.end(), [&](shm::ActorIndex actor) {
              const State::Actor& one = s.actors.at(actor);
              return !one.held && one.has_account && s.resources.infeasible(one.resources).empty();
            });
  if (waiting || !s.waiters.empty()) {
    earlier(s.last_tick_ns.value_or(0) + s.options.quantum_ns);
  }
  return wake;
}

// --- S3: who was served how much

void Scheduler::State::account() {
  int64_t now = clock->now_ns();
  int64_t passed = std::max<int64_t>(now - last_tick_ns.value_or(now), 0);
  last_tick_ns = now;
  for (auto& [number, job] : jobs) {
    job.served_ns += passed * job.serving / job.weight;
    job.serving = 0;
    job.placed = 0;
  }
  for (auto& [index, what] : classes) {
    what.served_ns += passed * what.serving;
    what.serving = 0;
  }
  for (const auto& [slot, worker] : workers) {
    if (worker.lease && !worker.lent && !idle_lease(worker)) {
      Class& what = classes.at(*worker.lease);
      what.serving += 1;
      if (auto job = jobs.find(what.job); job != jobs.end()) {
        job->second.serving += 1;
      }
    }
  }
}

void Scheduler::State::activate() {
  std::map<JobNumber, std::optional<int64_t>> least_class;
  std::optional<int64_t> least_job;
  std::set<JobNumber> active_jobs;
  auto is_active = [](const Class& what) { return what.serving > 0 || what.waits(); };
  for (auto& [index, what] : classes) {
    bool active = is_active(what);
    what.active = what.active && active;
    if (active) {
      active_jobs.insert(what.job);
    }
    if (what.active) {
      auto& least = least_class[what.job];
      least = std::min(least.value_or(what.served_ns), what.served_ns);
    }
  }
  for (shm::ActorIndex index : unplaced) {
    active_jobs.insert(actors.at(index).job);
  }
  for (auto& [number, job] : jobs) {
    job.active = job.active && active_jobs.contains(number);
    if (job.active) {
      least_job = std::min(least_job.value_or(job.served_ns), job.served_ns);
    }
  }
  // Whoever becomes active starts level with the least served of the others: no credit for idle times.
  for (auto& [index, what] : classes) {
    if (!what.active && is_active(what)) {
      what.active = true;
      what.served_ns = std::max(what.served_ns, least_class[what.job].value_or(what.served_ns));
    }
  }
  for (JobNumber number : active_jobs) {
    auto job = jobs.find(number);
    if (job != jobs.end() && !job->second.active) {
      job->second.active = true;
      job->second.served_ns = std::max(job->second.served_ns, least_job.value_or(job->second.served_ns));
    }
  }
}

// --- S13

ResourceSet Scheduler::State::idle_or_returning() const {
  ResourceSet sum = returning();
  for (const auto& [slot, worker] : workers) {
    if (idle_lease(worker)) {
      add_to(sum, worker.allocation.amounts);
    }
  }
  return sum;
}

template <typename Asker>
void Scheduler::State::choose_account(Asker& asker, const cluster::Placement& placement, const ResourceSet& taken) {
  if (!placement.in_group()) {
    return;
  }
  asker.has_account = false;
  uint64_t best = 0;
  std::optional<ResourceSet> soon;
  for (AccountId account : bundles(placement)) {
    std::optional<ResourceSet> own = resources.translate(asker.asked, account);
    if (!own) {
      continue;
    }
    // The fullest that fits now; else one where it fits when leases that run nothing are over; else any.
    uint64_t rank = 1;
    if (resources.would_fit(*own, {}, taken)) {
      rank = 10'000 + resources.percent_used_with(*own, account);
    } else {
      soon = soon ? soon : idle_or_returning();
      rank = resources.would_fit(*own, *soon, taken) ? 5'000 : 1'000 - resources.percent_used_with({}, account);
    }
    if (!asker.has_account || rank > best) {
      asker.has_account = true;
      asker.account = account;
      asker.resources = *std::move(own);
      best = rank;
    }
  }
}

void Scheduler::State::choose_accounts() {
  for (auto& [index, what] : classes) {
    choose_account(what, what.place.placement(), kept);
  }
  for (shm::ActorIndex index : unplaced) {
    Actor& actor = actors.at(index);
    choose_account(actor, actor.placement, kept);
  }
}

// --- S12

uint64_t Scheduler::State::unblocked_leases(const Class& what) const {
  return static_cast<uint64_t>(std::count_if(workers.begin(), workers.end(), [&](const auto& entry) {
    return entry.second.lease == what.index && !entry.second.lent;
  }));
}

void Scheduler::State::withdraw_excess() {
  for (auto& [index, what] : classes) {
    if (what.allowed >= what.leases) {
      continue;
    }
    std::vector<Worker*> drawing;
    for (auto& [slot, worker] : workers) {
      if (worker.lease == index && worker.drawing()) {
        drawing.push_back(&worker);
      }
    }
    std::stable_sort(drawing.begin(), drawing.end(),
                     [](const Worker* a, const Worker* b) { return !a->running && b->running; });
    for (size_t i = 0; i + what.allowed < drawing.size(); ++i) {
      withdraw(*drawing[i]);
    }
  }
}

// --- S1: what resumed workers took is taken from others, unless it comes back by itself

void Scheduler::State::pay_debt() {
  std::set<ResourceId> cpus{kCpu};
  for (const auto& [slot, worker] : workers) {
    if (worker.lease && worker.allocation.account != kNodeAccount) {
      cpus.insert(resources.cpu_of(worker.allocation.account));
    }
  }
  for (ResourceId cpu : cpus) {
    pay_debt(cpu);
  }
}

void Scheduler::State::pay_debt(ResourceId cpu) {
  if (resources.free(cpu) >= 0) {
    return;
  }
  Units debt = -resources.free(cpu) - returning().get(cpu);
  while (debt > 0) {
    Worker* victim = nullptr;
    auto key = [&](const Worker& worker) {
      const Class& what = classes.at(*worker.lease);
      return std::tuple(surplus(worker), jobs.at(what.job).served_ns, what.served_ns);
    };
    for (auto& [slot, worker] : workers) {
      if (worker.drawing() && worker.allocation.amounts.get(cpu) > 0 &&
          (victim == nullptr || key(worker) > key(*victim))) {
        victim = &worker;
      }
    }
    if (victim == nullptr) {
      return;  // actors hold it: they never lose what they have
    }
    debt -= victim->allocation.amounts.get(cpu);
    withdraw(*victim);
  }
}

// --- S6: depth first

void Scheduler::State::grant_depth_first() {
  struct Lender {
    uint64_t order;
    Worker* worker;
  };
  std::vector<Lender> lenders;
  for (auto& [slot, worker] : workers) {
    if (worker.credit) {
      lenders.push_back({worker.blocked_order, &worker});
    }
  }
  if (lenders.empty()) {
    return;
  }
  std::sort(lenders.begin(), lenders.end(), [](const Lender& a, const Lender& b) { return a.order > b.order; });
  std::map<shm::SlotIndex, std::vector<shm::QueueIndex>> waiting_by_owner;
  for (const auto& [index, queue] : queues) {
    if (queue.waiting > 0) {
      waiting_by_owner[queue.owner].push_back(index);
    }
  }
  for (const Lender& lender : lenders) {
    auto its_queues = waiting_by_owner.find(lender.worker->slot);
    if (its_queues == waiting_by_owner.end()) {
      continue;
    }
    for (shm::QueueIndex index : its_queues->second) {
      Class& what = classes.at(queues.at(index).class_index);
      choose_account(what, what.place.placement(), kept);
      if (!what.servable() || unblocked_leases(what) >= what.allowed || jobs.at(what.job).over ||
          what.resources.get(resources.cpu_of(what.account)) == 0 || what.listed >= shm::kMaxWorkersPerClass ||
          !resources.fits(what.resources) || !resources.would_fit(what.resources, {}, kept)) {
        continue;
      }
      if (Worker* worker = idle_worker(what.job, what.language)) {
        grant(*worker, what, index);
        lender.worker->credit = false;
      } else {
        GroupKey group{what.job, what.language};
        needs[group] += 1;
        if (launchable(group)) {
          add_to(kept, what.resources);
        }
      }
      break;
    }
  }
}

// --- S3: the rest

uint64_t Scheduler::State::wanted_leases(Class& what) {
  if (!what.waits() || jobs.at(what.job).over) {
    what.one_spare_since_ns.reset();
    return 0;
  }
  int64_t now = clock->now_ns();
  uint64_t drawing = 0;
  uint64_t helpers = 0;
  for (const auto& [slot, worker] : workers) {
    if (worker.lease != what.index) {
      continue;
    }
    if (worker.drawing()) {
      drawing += 1;
      int64_t idle_since = std::max(worker.idle_since_ns, what.waiting_since_ns);
      helpers += !worker.running && now - idle_since < options.help_ns ? 1 : 0;
    }
  }
  if (what.waiting <= helpers) {
    what.one_spare_since_ns.reset();
    return 0;
  }
  uint64_t spare = what.waiting - helpers;
  if (spare == 1 && drawing > 0) {
    if (!what.one_spare_since_ns) {
      what.one_spare_since_ns = now;
    }
    if (now - *what.one_spare_since_ns < options.grow_delay_ns) {
      return 0;  // S8
    }
  } else {
    what.one_spare_since_ns.reset();
  }
  // Not of all leases: those of blocked workers are no help, and when all are blocked one more is needed (L4).
  uint64_t most = shm::kMaxWorkersPerClass - std::min(what.listed, shm::kMaxWorkersPerClass);
  uint64_t unblocked = unblocked_leases(what);
  most = std::min(most, what.allowed - std::min(what.allowed, unblocked));  // S12
  if (what.resources.get(resources.cpu_of(what.account)) == 0) {            // S9
    most = std::min(most, options.max_cpuless_leases - std::min<uint64_t>(unblocked, options.max_cpuless_leases));
  }
  return std::min(spare, most);
}

void Scheduler::State::collect_waiters() {
  waiters.clear();
  for (shm::ActorIndex index : unplaced) {
    const Actor& actor = actors.at(index);
    if (!actor.held && actor.has_account && resources.infeasible(actor.resources).empty()) {
      jobs.try_emplace(actor.job, Job{.over = true});  // it outlives its job when it is detached
      waiters.push_back({index, 0, actor.job, 0, 1, &actor.resources});
    }
  }
  for (auto& [index, what] : classes) {
    if (uint64_t wanted = wanted_leases(what); wanted > 0) {
      waiters.push_back({{}, index, what.job, what.language, wanted, &what.resources});
    }
  }
  if (reserved) {
    auto same =
        std::find_if(waiters.begin(), waiters.end(), [&](const Waiter& waiter) { return waiter.same(*reserved); });
    // Whenever it returns: what others would get meanwhile is what a waiter for several leases needs together (S4).
    if (same != waiters.end() && resources.would_fit(*same->resources, returning(), kept)) {
      reserved = *same;
    } else {
      reserved.reset();
    }
  }
}

bool Scheduler::State::before(const Waiter& a, const Waiter& b) const {
  auto key = [&](const Waiter& waiter) {
    const Job& job = jobs.at(waiter.job);
    // What was placed in this decision counts as served for a quantum, else all that is free would go to one job.
    int64_t job_served = job.served_ns + job.placed * options.quantum_ns / job.weight;
    if (waiter.actor) {
      return std::tuple(job_served, int64_t{INT64_MIN}, actors.at(*waiter.actor).order);
    }
    const Class& what = classes.at(waiter.class_index);
    return std::tuple(job_served, what.served_ns + what.leases * options.quantum_ns, uint64_t{waiter.class_index});
  };
  return key(a) < key(b);
}

Scheduler::State::Waiter* Scheduler::State::next_waiter(const std::vector<bool>& skip) {
  Waiter* next = nullptr;
  for (size_t i = 0; i < waiters.size(); ++i) {
    if (!skip[i] && waiters[i].wanted > 0 && (next == nullptr || before(waiters[i], *next))) {
      next = &waiters[i];
    }
  }
  return next;
}

bool Scheduler::State::may_take(const Waiter& waiter) const {
  if (!resources.fits(*waiter.resources) || !resources.would_fit(*waiter.resources, {}, kept)) {
    return false;
  }
  if (!reserved || reserved->same(waiter)) {
    return true;
  }
  bool meets = std::any_of(waiter.resources->begin(), waiter.resources->end(),
                           [&](auto amount) { return reserved->resources->get(amount.id) > 0; });
  return !meets || resources.would_fit(*reserved->resources, returning_soon(), *waiter.resources);
}

void Scheduler::State::grant_fairly() {
  std::vector<bool> skip(waiters.size());
  ResourceSet starting = kept;  // with what the workers asked for in this loop would take
  while (Waiter* waiter = next_waiter(skip)) {
    auto at = static_cast<size_t>(waiter - waiters.data());
    if (!may_take(*waiter)) {
      skip[at] = true;
      continue;
    }
    if (waiter->actor) {
      Actor& actor = actors.at(*waiter->actor);
      actor.allocation = resources.take(actor.resources, actor.account);
      actor.placed = true;
      unplaced.erase(*waiter->actor);
      jobs.at(actor.job).placed += 1;
      out->push_back(ActorPlaced{*waiter->actor, actor.allocation.gpu_mask});
      waiter->wanted = 0;
    } else if (Worker* worker = idle_worker(waiter->job, waiter->language)) {
      Class& what = classes.at(waiter->class_index);
      grant(*worker, what, choose_first_queue(what));
      choose_account(what, what.place.placement(), starting);  // another bundle may have room
      waiter->wanted -= 1;
    } else if (resources.would_fit(*waiter->resources, {}, starting)) {
      // Others may still take it: whoever has a worker now need not wait for one that starts.
      needs[{waiter->job, waiter->language}] += 1;
      add_to(starting, *waiter->resources);
      waiter->wanted -= 1;
      Class& what = classes.at(waiter->class_index);
      choose_account(what, what.place.placement(), starting);
      continue;
    } else {
      skip[at] = true;
      continue;
    }
    if (reserved && reserved->same(*waiter)) {
      reserved.reset();
    }
  }
}

// --- S5, S4: what others hold

void Scheduler::State::take_from_idle() {
  std::sort(waiters.begin(), waiters.end(), [&](const Waiter& a, const Waiter& b) { return before(a, b); });
  ResourceSet back = returning_soon();
  ResourceSet promised = kept;
  std::vector<Worker*> candidates;
  for (auto& [slot, worker] : workers) {
    if (worker.drawing() && surplus(worker)) {
      candidates.push_back(&worker);
    }
  }
  // First those that run nothing: the others come back nobody knows when.
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Worker* a, const Worker* b) { return !a->running && b->running; });
  for (Waiter& waiter : waiters) {
    if (waiter.wanted == 0) {
      continue;
    }
    for (Worker* worker : candidates) {
      if (resources.would_fit(*waiter.resources, back, promised)) {
        break;
      }
      if (worker->drawing() && holds_some_of(*worker, *waiter.resources)) {
        add_to(back, worker->allocation.amounts);
        withdraw(*worker);
        if (!waiter.actor && idle_worker(waiter.job, waiter.language) == nullptr) {
          auto& need = needs[{waiter.job, waiter.language}];
          need = std::max(need, 1u);
        }
      }
    }
    if (resources.would_fit(*waiter.resources, back, promised)) {
      add_to(promised, *waiter.resources);
      waiter.wanted = 0;  // it waits for what comes back, not for a turn
    }
  }
  std::erase_if(waiters, [](const Waiter& waiter) { return waiter.wanted == 0; });
}

bool Scheduler::State::better_served(const Worker& victim, const Waiter& waiter) const {
  const Class& what = classes.at(*victim.lease);
  if (what.job != waiter.job) {
    return jobs.at(what.job).served_ns - jobs.at(waiter.job).served_ns >= options.quantum_ns;
  }
  if (waiter.actor) {
    return true;
  }
  return what.index != waiter.class_index &&
         what.served_ns - classes.at(waiter.class_index).served_ns >= options.quantum_ns;
}

void Scheduler::State::rotate() {
  int64_t now = clock->now_ns();
  bool due = now - last_rotation_ns >= options.quantum_ns;
  ResourceSet back = returning_soon();
  for (const Waiter& waiter : waiters) {
    std::vector<Worker*> victims;
    for (auto& [slot, worker] : workers) {
      if (worker.drawing() && better_served(worker, waiter) && holds_some_of(worker, *waiter.resources)) {
        victims.push_back(&worker);
      }
    }
    auto key = [&](const Worker* worker) {
      const Class& what = classes.at(*worker->lease);
      return std::tuple(jobs.at(what.job).served_ns, what.served_ns, !worker->running);
    };
    std::sort(victims.begin(), victims.end(), [&](const Worker* a, const Worker* b) { return key(a) > key(b); });
    ResourceSet freed = back;
    size_t count = 0;
    while (count < victims.size() && !resources.would_fit(*waiter.resources, freed, kept)) {
      add_to(freed, victims[count]->allocation.amounts);
      count += 1;
    }
    if (count == 0 || !resources.would_fit(*waiter.resources, freed, kept)) {
      continue;  // nobody to take it from, or even all of it would not do
    }
    if (!waiter.actor && idle_worker(waiter.job, waiter.language) == nullptr) {
      auto& need = needs[{waiter.job, waiter.language}];
      need = std::max(need, 1u);
      continue;  // nothing is taken before there is a worker to use it
    }
    if (due) {
      for (size_t i = 0; i < count; ++i) {
        withdraw(*victims[i]);
      }
      last_rotation_ns = now;
      reserved = waiter;
    }
    return;
  }
}

// --- S10

bool Scheduler::State::all_blocked() const {
  for (const auto& [slot, worker] : workers) {
    if (worker.lease && !worker.lent) {
      return false;
    }
  }
  return std::none_of(actors.begin(), actors.end(), [](const auto& entry) {
    const Actor& actor = entry.second;
    return actor.placed && !actor.allocation.cpu_lent && (actor.running || !actor.slot);
  });
}

void Scheduler::State::fail_if_stuck() {
  std::erase_if(full, [&](const auto& entry) { return !needs.contains(entry.first); });
  if (full.empty() || !all_blocked()) {
    stuck_since_ns.reset();
  } else if (!stuck_since_ns) {
    stuck_since_ns = clock->now_ns();
  }
  bool stuck = stuck_since_ns && clock->now_ns() - *stuck_since_ns >= options.stuck_ns;
  for (const auto& [group, error] : full) {
    for (auto& [slot, worker] : workers) {
      // Room for another kind of worker: the pool ends it once it has no lease.
      if (GroupKey{worker.job, worker.language} != group && worker.drawing() && idle_lease(worker)) {
        withdraw(worker);
      }
    }
  }
  if (!stuck) {
    return;
  }
  for (auto& [index, what] : classes) {
    auto pool = full.find({what.job, what.language});
    if (pool != full.end() && what.waits()) {
      fail_class(what, pool->second);
    }
  }
  stuck_since_ns.reset();
}

void Scheduler::State::fail_class(Class& what, const Error& error) {
  out->push_back(FailClass{what.index, error});
  for (shm::QueueIndex queue : what.queues) {
    queues.at(queue).waiting = 0;  // until the next look
  }
  what.waiting = 0;
}

void Scheduler::State::announce_needs() {
  for (auto& [group, told] : told_needs) {
    needs.try_emplace(group, 0);
  }
  for (const auto& [group, count] : needs) {
    auto told = told_needs.find(group);
    if (told == told_needs.end() ? count > 0 : told->second != count) {
      out->push_back(NeedWorkers{group.first, group.second, count});
    }
    if (count > 0) {
      told_needs[group] = count;
    } else if (told != told_needs.end()) {
      told_needs.erase(told);
    }
  }
}

// --- S11

void Scheduler::State::ring_idle() {
  int64_t now = clock->now_ns();
  for (auto& [slot, worker] : workers) {
    if (!worker.drawing() || worker.running || classes.at(*worker.lease).waiting == 0) {
      continue;
    }
    int64_t since = std::max({worker.idle_since_ns, classes.at(*worker.lease).waiting_since_ns, worker.rung_ns});
    if (now - since >= options.quantum_ns) {
      worker.rung_ns = now;
      out->push_back(RingWorker{slot});
    }
  }
}

}  // namespace sabir::node
