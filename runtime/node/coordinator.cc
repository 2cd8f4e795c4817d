#include "runtime/node/coordinator.h"

#include <algorithm>
#include <utility>

#include "runtime/base/language.h"
#include "runtime/node/cluster/read_strategy.h"

namespace sabir::node {

Coordinator::Coordinator(NodeResources resources, CoordinatorOptions options, control::ControlStore* control,
                         const Clock* clock)
    : clock_(clock),
      scheduler_(std::move(resources), options.scheduler, clock, &pending_),
      pool_(options.pool, clock, &pending_),
      actors_(options.actors, &control->actors(), clock, &pending_) {}

// --- Jobs, classes, observations

void Coordinator::add_job(JobNumber job, std::vector<Language> languages) {
  jobs_.insert_or_assign(job, std::move(languages));
  scheduler_.add_job(job);
  pool_.add_job(job);
}

void Coordinator::set_slots_per_process(JobNumber job, Language language, uint32_t slots) {
  pool_.set_slots_per_process(job, language, slots);
}

void Coordinator::end_job(JobNumber job) {
  if (jobs_.erase(job) != 0) {
    actors_.end_job(job);
    scheduler_.end_job(job);
    pool_.end_job(job);
    route();
  }
}

Result<void> Coordinator::check_language(JobNumber job, Language language) const {
  auto found = jobs_.find(job);
  if (found == jobs_.end()) {
    return not_found_error("no such job");
  }
  const std::vector<Language>& languages = found->second;
  if (std::find(languages.begin(), languages.end(), language) == languages.end()) {
    return invalid_error(
        "this job has no workers for " + language_name(language) +
        ": the driver's init() says how those of other languages are started "
        "(SABIR_PYTHON or python for Python, SABIR_JAVA_JAR or java_jar for Java, a worker program for C++)");
  }
  return {};
}

Result<Scheduler::Declared> Coordinator::declare_class(JobNumber job, Language language,
                                                       const std::vector<ResourceRequest>& resources,
                                                       ClassPlace place) {
  SABIR_RETURN_IF_ERROR(check_language(job, language));
  return scheduler_.declare_class(job, language, resources, std::move(place));
}

void Coordinator::open_queue(shm::QueueIndex queue, shm::ClassIndex class_index, shm::SlotIndex owner) {
  scheduler_.open_queue(queue, class_index, owner);
}

void Coordinator::close_queue(shm::QueueIndex queue) { scheduler_.close_queue(queue); }

void Coordinator::observe_queue(shm::QueueIndex queue, uint64_t waiting) { scheduler_.observe_queue(queue, waiting); }

void Coordinator::observe_worker(shm::SlotIndex slot, const WorkerSample& sample) {
  scheduler_.observe_worker(slot, sample);
}

// --- Processes

void Coordinator::prestart(JobNumber job, Language language, uint32_t count) { pool_.prestart(job, language, count); }

bool Coordinator::worker_ready(LaunchId launch, shm::SlotIndex slot, uint32_t lease_epoch) {
  std::optional<WorkerPool::LaunchView> started = pool_.launch(launch);
  if (!pool_.worker_ready(launch, slot)) {
    return false;
  }
  if (started->actor) {
    actors_.worker_ready(*started->actor, started->incarnation, slot);
    scheduler_.bind_actor(*started->actor, slot);
  } else {
    scheduler_.add_worker(slot, started->job, started->language, lease_epoch);
  }
  return true;
}

void Coordinator::launch_failed(LaunchId launch, const std::string& text) {
  pool_.launch_failed(launch, text);
  route();
}

void Coordinator::worker_leaving(shm::SlotIndex slot) {
  scheduler_.retire_worker(slot);
  actors_.worker_leaving(slot);
  pool_.worker_leaving(slot);
  route();
}

void Coordinator::worker_gone(shm::SlotIndex slot, const std::string& text) {
  scheduler_.remove_worker(slot);
  actors_.worker_gone(slot, text);
  pool_.worker_gone(slot);
  route();
}

void Coordinator::kill_worker(shm::SlotIndex slot, shm::DeathReason reason, std::string text) {
  pool_.kill_worker(slot, reason, std::move(text));
  route();
}

// --- Actors

Result<Actors::Created> Coordinator::create_actor(control::ActorSpec spec) {
  bool stand_in = spec.role == control::ActorSpec::Role::kImported;
  if (!stand_in) {
    SABIR_RETURN_IF_ERROR(check_language(spec.job, spec.language));
  }
  std::vector<ResourceRequest> request;
  for (const control::ActorResource& resource : spec.resources) {
    request.push_back({resource.name, resource.units});
  }
  SABIR_ASSIGN_OR_RETURN(ResourceSet resources, scheduler_.resources().resolve(request));
  bool in_group = spec.scheduling.kind == Scheduling::Kind::kGroup;  // what its bundle has was looked at
  std::string missing = in_group ? "" : scheduler_.resources().infeasible(resources);
  JobNumber job = spec.job;
  std::string title = spec.class_name.empty() ? "an actor" : "actor " + spec.class_name;
  SABIR_ASSIGN_OR_RETURN(Actors::Created created, actors_.create(std::move(spec), resources));
  if (!created.existed && !missing.empty()) {
    pending_.push_back(WarnJob{job, title + " cannot be placed and waits: it " + missing});
  }
  return created;
}

void Coordinator::bind_actor_entry(shm::ActorIndex actor, uint32_t entry, uint64_t generation) {
  actors_.bind_entry(actor, entry, generation);
}

Result<void> Coordinator::start_actor(shm::ActorIndex actor, std::string args, std::vector<shm::EntryRef> refs) {
  return routed(actors_.start(actor, std::move(args), std::move(refs)));
}

Result<void> Coordinator::fail_actor(shm::ActorIndex actor, std::string message, std::string error_value) {
  return routed(actors_.fail(actor, std::move(message), std::move(error_value)));
}

Result<void> Coordinator::actor_started(shm::ActorIndex actor, uint32_t incarnation, shm::SlotIndex slot) {
  return routed(actors_.started(actor, incarnation, slot));
}

Result<void> Coordinator::kill_actor(shm::ActorIndex actor, bool no_restart) {
  return routed(actors_.kill(actor, no_restart));
}

void Coordinator::actor_handles_gone(shm::ActorIndex actor) {
  actors_.handles_gone(actor);
  route();
}

bool Coordinator::place_elsewhere(shm::ActorIndex actor) {
  bool placed = actors_.place_elsewhere(actor);
  route();
  return placed;
}

bool Coordinator::hold_actor_back(shm::ActorIndex actor) {
  bool held = actors_.hold_back(actor);
  route();
  return held;
}

void Coordinator::end_actor(shm::ActorIndex actor, const std::string& reason) {
  actors_.end(actor, reason);
  route();
}

bool Coordinator::stand_in_ready(shm::ActorIndex actor, uint32_t incarnation, shm::SlotIndex slot) {
  std::optional<Actors::View> view = actors_.view(actor);
  if (!view || view->phase != ActorPhase::kLaunching || view->incarnation != incarnation) {
    return false;
  }
  actors_.worker_ready(actor, incarnation, slot);
  return true;
}

void Coordinator::stand_in_failed(shm::ActorIndex actor, uint32_t incarnation, const Error& error) {
  actors_.launch_failed(actor, incarnation, error);
  route();
}

Result<void> Coordinator::routed(Result<void> outcome) {
  route();
  return outcome;
}

// --- Decisions

// One overload per instruction between the machines, and those of the shell that a machine must know of.
struct Coordinator::Router {
  Coordinator& c;
  bool again = false;

  void operator()(NeedWorkers& i) { c.pool_.need_workers(i.job, i.language, i.count); }
  void operator()(ActorPlaced& i) { c.actors_.placed(i.actor, i.gpu_mask); }
  void operator()(WorkersUnavailable& i) { c.scheduler_.workers_unavailable(i.job, i.language, i.error); }
  void operator()(PoolFull& i) {
    c.scheduler_.pool_full(i.job, i.language, i.error);
    again = true;
  }
  void operator()(PlaceActor& i) {
    if (std::optional<Actors::View> actor = c.actors_.view(i.actor)) {
      Result<cluster::Strategy> strategy = cluster::read_strategy(actor->spec->scheduling);
      cluster::Placement placement = strategy.ok() ? strategy->placement : cluster::Placement();
      c.group_actors_wait_ = c.group_actors_wait_ || placement.in_group();
      c.scheduler_.place_actor(i.actor, i.job, *actor->resources, c.is_held(*actor->spec), placement);
      again = true;
    }
  }
  void operator()(UnplaceActor& i) {
    c.scheduler_.unplace_actor(i.actor);
    again = true;
  }
  void operator()(LaunchActor& i) { c.pool_.launch_actor(i); }
  void operator()(AbortActorLaunch& i) { c.pool_.abort_actor_launch(i.actor); }
  void operator()(ActorLaunchFailed& i) { c.actors_.launch_failed(i.actor, i.incarnation, i.error); }
  void operator()(RetireWorker& i) { c.scheduler_.retire_worker(i.slot); }

  void operator()(GrantLease& i) {
    c.pool_.worker_leased(i.slot);
    c.ready_.push_back(i);
  }
  void operator()(ClearLease& i) {
    c.pool_.worker_idle(i.slot);
    c.ready_.push_back(i);
  }
  template <typename ForTheShell>
  void operator()(ForTheShell& i) {
    c.ready_.push_back(std::move(i));
  }
};

bool Coordinator::route() {
  Router router{*this};
  // Routing appends: a machine that is told something may answer.
  for (size_t i = 0; i < pending_.size(); ++i) {
    Instruction instruction = std::move(pending_[i]);
    std::visit(router, instruction);
  }
  pending_.clear();
  return router.again;
}

Instructions Coordinator::take() {
  route();
  // An actor placed, a place given up: the scheduler looks once more. Each round settles something for good, and the
  // bound is only against a fault of ours: what is left is decided the next time.
  bool again = true;
  for (int round = 0; again && round < 8; ++round) {
    scheduler_.tick();
    again = route();
    actors_.tick();
    pool_.tick();
    again = route() || again;
  }
  return std::exchange(ready_, {});
}

std::optional<int64_t> Coordinator::next_wake_ns() const {
  std::optional<int64_t> wake;
  for (std::optional<int64_t> one : {scheduler_.next_wake_ns(), pool_.next_wake_ns(), actors_.next_wake_ns()}) {
    if (one) {
      wake = std::min(wake.value_or(*one), *one);
    }
  }
  return wake;
}

bool Coordinator::busy() const { return scheduler_.busy() || pool_.launch_count() > 0; }

}  // namespace sabir::node
