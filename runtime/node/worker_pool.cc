#include "runtime/node/worker_pool.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace sabir::node {

WorkerPool::WorkerPool(WorkerPoolOptions options, const Clock* clock, Instructions* out)
    : options_(options), clock_(clock), out_(out) {}

void WorkerPool::add_job(JobNumber job) { jobs_.insert(job); }

void WorkerPool::end_job(JobNumber job) {
  if (jobs_.erase(job) == 0) {
    return;
  }
  for (auto& [slot, worker] : workers_) {
    if (worker.view.job == job && !worker.detached && worker.view.state != WorkerState::kDying) {
      kill_worker(slot, shm::DeathReason::kJobEnded, "its job ended");
    }
  }
  for (auto& [id, launch] : launches_) {
    if (launch.view.job == job && !launch.detached && !launch.view.aborted) {
      launch.view.aborted = true;
      out_->push_back(AbortLaunch{id});
    }
  }
  std::erase_if(waiting_actors_, [&](const LaunchActor& actor) { return actor.job == job && !actor.detached; });
  std::erase_if(groups_, [&](const auto& entry) { return entry.first.first == job; });
}

void WorkerPool::set_slots_per_process(JobNumber job, Language language, uint32_t slots) {
  if (jobs_.contains(job)) {
    groups_[{job, language}].slots_per_process = std::max(slots, 1U);
  }
}

// --- Demand

void WorkerPool::need_workers(JobNumber job, Language language, uint32_t count) {
  if (jobs_.contains(job)) {
    Group& group = groups_[{job, language}];
    group.needed = count;
    group.told_full = group.told_full && count > 0;
  }
}

void WorkerPool::prestart(JobNumber job, Language language, uint32_t count) {
  if (jobs_.contains(job)) {
    groups_[{job, language}].prestart = count;
  }
}

void WorkerPool::launch_actor(const LaunchActor& launch) { waiting_actors_.push_back(launch); }

void WorkerPool::abort_actor_launch(shm::ActorIndex actor) {
  std::erase_if(waiting_actors_, [&](const LaunchActor& waiting) { return waiting.actor == actor; });
  for (auto& [id, launch] : launches_) {
    if (launch.view.actor == actor && !launch.view.aborted) {
      launch.view.aborted = true;
      out_->push_back(AbortLaunch{id});
    }
  }
}

void WorkerPool::worker_leased(shm::SlotIndex slot) {
  auto found = workers_.find(slot);
  if (found != workers_.end() && found->second.view.state == WorkerState::kIdle) {
    set_state(found->second, WorkerState::kLeased);
  }
}

void WorkerPool::worker_idle(shm::SlotIndex slot) {
  auto found = workers_.find(slot);
  if (found != workers_.end() && found->second.view.state == WorkerState::kLeased) {
    set_state(found->second, WorkerState::kIdle);
  }
}

// --- Processes

bool WorkerPool::worker_ready(LaunchId id, shm::SlotIndex slot) {
  auto found = launches_.find(id);
  if (found == launches_.end()) {
    return false;
  }
  Launch launch = std::move(found->second);
  launches_.erase(found);
  if (launch.view.aborted || (!launch.detached && !jobs_.contains(launch.view.job))) {
    return false;
  }
  Worker worker{
      {slot, launch.view.job, launch.view.language, launch.view.actor ? WorkerState::kActor : WorkerState::kIdle,
       launch.view.actor, launch.view.incarnation, launch.view.process},
      launch.detached,
      clock_->now_ns()};
  auto [at, added] = workers_.try_emplace(slot, std::move(worker));
  SABIR_CHECK(added, "slot=", slot);
  auto group = groups_.find({launch.view.job, launch.view.language});
  bool whole = std::none_of(launches_.begin(), launches_.end(),
                            [&](const auto& entry) { return entry.second.view.process == launch.view.process; });
  if (group != groups_.end() && whole) {
    group->second.failures = 0;
    group->second.next_launch_ns = 0;
  }
  return true;
}

void WorkerPool::launch_failed(LaunchId id, const std::string& text) {
  auto found = launches_.find(id);
  if (found == launches_.end()) {
    return;
  }
  Launch launch = std::move(found->second);
  launches_.erase(found);
  if (!launch.view.aborted) {  // else as it was asked to, or told for all of its process
    give_up_launches(launch.view.process);
    failed(launch.view, text);
  }
}

void WorkerPool::give_up_launches(LaunchId process) {
  for (auto& [id, launch] : launches_) {
    if (launch.view.process == process) {
      launch.view.aborted = true;
    }
  }
}

void WorkerPool::retire_all_of(LaunchId process) {
  for (auto& [slot, worker] : workers_) {
    if (worker.view.process == process && worker.view.state != WorkerState::kDying) {
      set_state(worker, WorkerState::kDying);
      out_->push_back(RetireWorker{slot});
    }
  }
}

void WorkerPool::failed(const LaunchView& launch, const std::string& text) {
  if (launch.actor) {
    out_->push_back(ActorLaunchFailed{*launch.actor, launch.incarnation, Error(ErrorKind::kSystem, text)});
  } else {
    count_failure({launch.job, launch.language}, text);
  }
}

void WorkerPool::count_failure(const GroupKey& key, const std::string& text) {
  auto found = groups_.find(key);
  if (found == groups_.end()) {
    return;
  }
  Group& group = found->second;
  group.failures += 1;
  int64_t pause_ns = options_.first_pause_ns;
  for (uint32_t i = 1; i < group.failures && pause_ns < options_.max_pause_ns; ++i) {
    pause_ns *= 2;
  }
  group.next_launch_ns = clock_->now_ns() + std::min(pause_ns, options_.max_pause_ns);
  if (group.failures >= options_.max_launch_failures) {
    out_->push_back(
        WorkersUnavailable{key.first, key.second,
                           Error(ErrorKind::kSystem, "workers cannot be started, " + std::to_string(group.failures) +
                                                         " attempts in a row failed; the last one: " + text)});
  }
}

void WorkerPool::worker_gone(shm::SlotIndex slot) {
  if (workers_.erase(slot) != 0) {
    for (auto& [key, group] : groups_) {
      group.told_full = false;  // there is room again
    }
  }
}

void WorkerPool::worker_leaving(shm::SlotIndex slot) {
  auto found = workers_.find(slot);
  if (found != workers_.end() && found->second.view.state != WorkerState::kDying) {
    set_state(found->second, WorkerState::kLeaving);
  }
}

void WorkerPool::kill_worker(shm::SlotIndex slot, shm::DeathReason reason, std::string text) {
  auto found = workers_.find(slot);
  if (found == workers_.end() || found->second.view.state == WorkerState::kDying) {
    return;
  }
  retire_all_of(found->second.view.process);
  give_up_launches(found->second.view.process);
  out_->push_back(KillWorker{slot, reason, std::move(text)});
}

void WorkerPool::set_state(Worker& worker, WorkerState state) {
  worker.view.state = state;
  worker.since_ns = clock_->now_ns();
}

// --- Decisions

void WorkerPool::tick() {
  int64_t now = clock_->now_ns();
  for (auto& [id, launch] : launches_) {
    if (!launch.view.aborted && now - launch.started_ns >= options_.launch_timeout_ns) {
      give_up_launches(launch.view.process);  // W6
      retire_all_of(launch.view.process);
      out_->push_back(AbortLaunch{id});
      failed(launch.view, "it took too long to start");
    }
  }
  for (auto& [slot, worker] : workers_) {
    if (worker.view.state == WorkerState::kLeaving && !worker.view.actor &&
        now - worker.since_ns >= options_.leave_timeout_ns) {
      kill_worker(slot, shm::DeathReason::kKilledByNode, "it did not leave when told to");
    }
  }
  while (!waiting_actors_.empty()) {
    const LaunchActor& actor = waiting_actors_.front();
    if (!may_launch({actor.job, actor.language}, 1)) {
      break;
    }
    start({actor.job, actor.language}, &actor, 1);
    waiting_actors_.pop_front();
  }
  for (auto& [key, group] : groups_) {
    uint32_t wanted = group.needed;
    if (group.prestart > 0) {
      auto existing =
          static_cast<uint32_t>(std::count_if(workers_.begin(), workers_.end(), [&, k = key](const auto& entry) {
            const WorkerView& view = entry.second.view;
            return GroupKey{view.job, view.language} == k && !view.actor;
          }));
      if (existing >= group.prestart) {
        group.prestart = 0;  // once: what leaves later is not replaced
      } else {
        wanted = std::max(wanted, group.prestart - existing);
      }
    }
    for (uint32_t i = launching(key); i < wanted && now >= group.next_launch_ns;) {
      uint32_t slots = std::clamp(room(), 1U, group.slots_per_process);
      if (!may_launch(key, slots)) {
        break;
      }
      start(key, nullptr, slots);
      i += slots;
    }
  }
  end_surplus();
}

bool WorkerPool::may_launch(const GroupKey& key, uint32_t slots) {
  if (process_count() + slots > options_.max_processes) {
    if (!make_room(key)) {
      Group& group = groups_[key];
      if (!group.told_full) {
        group.told_full = true;
        out_->push_back(PoolFull{key.first, key.second,
                                 exhausted_error("all " + std::to_string(process_count()) +
                                                 " worker processes that may exist wait for results of others: the "
                                                 "calls are nested too deeply for this limit")});
      }
    }
    return false;
  }
  return starting_now() < options_.max_parallel_launches;
}

void WorkerPool::start(const GroupKey& key, const LaunchActor* actor, uint32_t slots) {
  LaunchWorker instruction{next_launch_++, key.first, key.second};
  Launch launch{{key.first, key.second, std::nullopt, 0, instruction.launch, false}, false, clock_->now_ns()};
  if (actor != nullptr) {
    launch.view.actor = instruction.actor = actor->actor;
    launch.view.incarnation = instruction.incarnation = actor->incarnation;
    launch.detached = actor->detached;
    instruction.gpu_mask = actor->gpu_mask;
  }
  for (uint32_t i = 1; i < slots; ++i) {
    instruction.more.push_back(next_launch_++);
    launches_.emplace(instruction.more.back(), launch);
  }
  launches_.emplace(instruction.launch, std::move(launch));
  out_->push_back(instruction);
}

bool WorkerPool::make_room(const GroupKey& wanted) {
  for (const auto& [slot, worker] : workers_) {
    if (worker.view.state == WorkerState::kLeaving || worker.view.state == WorkerState::kDying) {
      return true;
    }
  }
  std::vector<IdleProcess> idle = idle_processes();
  sort_longest_idle_first(idle);
  for (const IdleProcess& process : idle) {
    if (process.group != wanted) {
      tell_to_leave(process, "its place is needed");
      return true;
    }
  }
  return false;
}

// Asked on each settle: groups are few, and neighbours in the table are mostly of one.
class WorkerPool::Alive {
 public:
  uint32_t& of(const GroupKey& group) {
    if (last_ >= counts_.size() || counts_[last_].first != group) {
      auto found = std::find_if(counts_.begin(), counts_.end(), [&](const auto& one) { return one.first == group; });
      last_ = static_cast<size_t>(found - counts_.begin());
      if (found == counts_.end()) {
        counts_.emplace_back(group, 0);
      }
    }
    return counts_[last_].second;
  }
  bool any_above(uint32_t count) const {
    return std::any_of(counts_.begin(), counts_.end(), [&](const auto& one) { return one.second > count; });
  }

 private:
  std::vector<std::pair<GroupKey, uint32_t>> counts_;
  size_t last_ = 0;
};

WorkerPool::Alive WorkerPool::alive() const {
  Alive count;
  for (const auto& [slot, worker] : workers_) {
    if (worker.view.state == WorkerState::kIdle || worker.view.state == WorkerState::kLeased) {
      count.of({worker.view.job, worker.view.language}) += 1;
    }
  }
  return count;
}

void WorkerPool::end_surplus() {
  Alive left = alive();
  if (!left.any_above(options_.warm_workers)) {
    return;
  }
  std::vector<IdleProcess> idle = idle_processes();
  std::erase_if(idle, [&, now = clock_->now_ns()](const IdleProcess& process) {
    return now - process.since_ns < options_.surplus_idle_ns;
  });
  sort_longest_idle_first(idle);
  for (const IdleProcess& process : idle) {
    uint32_t& count = left.of(process.group);
    if (count >= options_.warm_workers + process.workers) {
      count -= process.workers;
      tell_to_leave(process, "it was idle");
    }
  }
}

void WorkerPool::tell_to_leave(const IdleProcess& process, const char* why) {
  for (auto& [slot, worker] : workers_) {
    if (worker.view.process == process.process) {
      set_state(worker, WorkerState::kLeaving);
      out_->push_back(RetireWorker{slot});
      out_->push_back(ExitWorker{slot, why});
    }
  }
}

std::vector<WorkerPool::IdleProcess> WorkerPool::idle_processes() const {
  std::vector<std::pair<LaunchId, const Worker*>> workers;
  bool any_idle = false;
  workers.reserve(workers_.size());
  for (const auto& [slot, worker] : workers_) {
    workers.emplace_back(worker.view.process, &worker);
    any_idle |= worker.view.state == WorkerState::kIdle;
  }
  std::vector<IdleProcess> idle;
  if (!any_idle) {
    return idle;
  }
  std::sort(workers.begin(), workers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto at = workers.begin(); at != workers.end();) {
    IdleProcess process{at->first, {at->second->view.job, at->second->view.language}, 0, at->second->since_ns};
    bool is_idle = true;
    for (; at != workers.end() && at->first == process.process; ++at) {
      is_idle &= at->second->view.state == WorkerState::kIdle;
      process.workers += 1;
      process.since_ns = std::max(process.since_ns, at->second->since_ns);
    }
    if (is_idle) {
      idle.push_back(process);
    }
  }
  for (const auto& [id, launch] : launches_) {  // not all of its workers have joined
    std::erase_if(idle, [&](const IdleProcess& process) { return process.process == launch.view.process; });
  }
  return idle;
}

void WorkerPool::sort_longest_idle_first(std::vector<IdleProcess>& processes) {
  std::stable_sort(processes.begin(), processes.end(),
                   [](const IdleProcess& a, const IdleProcess& b) { return a.since_ns < b.since_ns; });
}

std::optional<int64_t> WorkerPool::next_wake_ns() const {
  std::optional<int64_t> wake;
  auto earlier = [&](int64_t at) { wake = std::min(wake.value_or(at), at); };
  for (const auto& [id, launch] : launches_) {
    if (!launch.view.aborted) {
      earlier(launch.started_ns + options_.launch_timeout_ns);
    }
  }
  if (Alive count = alive(); count.any_above(options_.warm_workers)) {
    for (const IdleProcess& process : idle_processes()) {
      if (count.of(process.group) >= options_.warm_workers + process.workers) {
        earlier(process.since_ns + options_.surplus_idle_ns);
      }
    }
  }
  for (const auto& [slot, worker] : workers_) {
    if (worker.view.state == WorkerState::kLeaving && !worker.view.actor) {
      earlier(worker.since_ns + options_.leave_timeout_ns);
    }
  }
  for (const auto& [key, group] : groups_) {
    if ((group.needed > 0 || group.prestart > 0) && group.next_launch_ns > clock_->now_ns()) {
      earlier(group.next_launch_ns);
    }
  }
  return wake;
}

// --- Questions

uint32_t WorkerPool::launching(const GroupKey& key) const {
  return static_cast<uint32_t>(std::count_if(launches_.begin(), launches_.end(), [&](const auto& entry) {
    const LaunchView& view = entry.second.view;
    return !view.aborted && !view.actor && GroupKey{view.job, view.language} == key;
  }));
}

uint32_t WorkerPool::room() const {
  return options_.max_processes - static_cast<uint32_t>(std::min<size_t>(process_count(), options_.max_processes));
}

uint32_t WorkerPool::starting_now() const {
  return static_cast<uint32_t>(std::count_if(launches_.begin(), launches_.end(), [](const auto& entry) {
    return !entry.second.view.aborted && entry.first == entry.second.view.process;  // W1 counts processes
  }));
}

std::optional<WorkerPool::WorkerView> WorkerPool::worker(shm::SlotIndex slot) const {
  auto found = workers_.find(slot);
  return found == workers_.end() ? std::nullopt : std::optional(found->second.view);
}

std::vector<WorkerPool::WorkerView> WorkerPool::workers() const {
  std::vector<WorkerView> views;
  for (const auto& [slot, worker] : workers_) {
    views.push_back(worker.view);
  }
  return views;
}

std::optional<WorkerPool::LaunchView> WorkerPool::launch(LaunchId id) const {
  auto found = launches_.find(id);
  return found == launches_.end() ? std::nullopt : std::optional(found->second.view);
}

}  // namespace sabir::node
