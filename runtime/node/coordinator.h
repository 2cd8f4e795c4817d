// The node manager's decisions in one place: scheduler, worker pool and actors, wired to each other. The shell calls an
// event method, then carries out what take() hands it, in order. No I/O, one thread, no clock reads but the given one.
//
// Decisions fall in take(): what one look observes (queue lengths, workers' pages) is decided upon together. After any
// other event call take() before the next one: its instructions name slots and launches as they are now.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/control/control_store.h"
#include "runtime/node/actors.h"
#include "runtime/node/instructions.h"
#include "runtime/node/resources.h"
#include "runtime/node/scheduler.h"
#include "runtime/node/worker_pool.h"

namespace sabir::node {

struct CoordinatorOptions {
  SchedulerOptions scheduler;
  WorkerPoolOptions pool;
  ActorOptions actors;
};

class Coordinator {
 public:
  // `control` and `clock` must outlive it.
  Coordinator(NodeResources resources, CoordinatorOptions options, control::ControlStore* control, const Clock* clock);

  // --- Jobs. `languages`: those it has workers for (JobConfig.language_envs).
  void add_job(JobNumber job, std::vector<Language> languages);
  // W8. Before its first call.
  void set_slots_per_process(JobNumber job, Language language, uint32_t slots);
  // Its driver is gone. Its workers are killed, its actors end, its classes go when their queues are closed.
  void end_job(JobNumber job);

  // --- Classes and queues. kInvalid: the job has no workers of that language. Else as Scheduler.
  Result<Scheduler::Declared> declare_class(JobNumber job, Language language,
                                            const std::vector<ResourceRequest>& resources, ClassPlace place = {});
  void allow(shm::ClassIndex class_index, uint64_t leases) { scheduler_.allow(class_index, leases); }
  void fail_class(shm::ClassIndex class_index, const Error& error) { scheduler_.fail_class(class_index, error); }
  // --- Placement groups (S13)
  NodeResources& resources() { return scheduler_.resources(); }
  void set_bundles(Scheduler::Bundles bundles) { scheduler_.set_bundles(std::move(bundles)); }
  bool make_room(const ResourceSet& wanted) { return scheduler_.make_room(wanted); }
  void withdraw_lease(shm::SlotIndex slot) { scheduler_.withdraw_lease(slot); }
  // An actor of a group waits for a place since the last time this was asked.
  bool take_group_actors_wait() { return std::exchange(group_actors_wait_, false); }

  void open_queue(shm::QueueIndex queue, shm::ClassIndex class_index, shm::SlotIndex owner);
  // When its ring is read to its end or its memory is given out again (D5).
  void close_queue(shm::QueueIndex queue);

  // --- One look
  void observe_queue(shm::QueueIndex queue, uint64_t waiting);
  void observe_worker(shm::SlotIndex slot, const WorkerSample& sample);  // unknown slots (drivers) are ignored

  // --- Processes
  void prestart(JobNumber job, Language language, uint32_t count);
  // `lease_epoch`: what the slot's lease record says. False: not wanted any more; refuse the hello.
  bool worker_ready(LaunchId launch, shm::SlotIndex slot, uint32_t lease_epoch);
  void launch_failed(LaunchId launch, const std::string& text);
  void worker_leaving(shm::SlotIndex slot);
  // Dead: between steps (3) and (4) of D2. `text` for people: "exit code 1", "killed by signal 11".
  void worker_gone(shm::SlotIndex slot, const std::string& text);
  // A violation (T4), a forced cancel (R4), unresponsive (D4).
  void kill_worker(shm::SlotIndex slot, shm::DeathReason reason, std::string text);

  // --- Actors: as Actors. The resources are resolved here.
  Result<Actors::Created> create_actor(control::ActorSpec spec);
  void bind_actor_entry(shm::ActorIndex actor, uint32_t entry, uint64_t generation);
  Result<void> start_actor(shm::ActorIndex actor, std::string args, std::vector<shm::EntryRef> refs);
  Result<void> fail_actor(shm::ActorIndex actor, std::string message, std::string error_value);
  Result<void> actor_started(shm::ActorIndex actor, uint32_t incarnation, shm::SlotIndex slot);
  Result<void> kill_actor(shm::ActorIndex actor, bool no_restart);
  void actor_handles_gone(shm::ActorIndex actor);
  bool place_elsewhere(shm::ActorIndex actor);
  bool reclaim_actor(shm::ActorIndex actor, uint32_t incarnation) { return actors_.reclaim(actor, incarnation); }
  bool hold_actor_back(shm::ActorIndex actor);
  // From now on those with a strategy, or all of this node's, wait until somebody allows them to live here (S12), or
  // places them elsewhere.
  void hold_actors(bool all) { (all ? holds_all_actors_ : holds_actors_) = true; }
  void allow_actor(shm::ActorIndex actor) { scheduler_.allow_actor(actor); }
  bool is_held(const control::ActorSpec& spec) const {
    bool own = spec.role == control::ActorSpec::Role::kOwn && !spec.detached;
    return own && (holds_all_actors_ || (holds_actors_ && !spec.scheduling.is_default()));
  }
  void end_actor(shm::ActorIndex actor, const std::string& reason);
  // Of one that the gateway makes: its hello, false if nobody waits for it; or it will say none.
  bool stand_in_ready(shm::ActorIndex actor, uint32_t incarnation, shm::SlotIndex slot);
  void stand_in_failed(shm::ActorIndex actor, uint32_t incarnation, const Error& error);

  // Decides, and returns what is to be done, in order. Only instructions for the shell.
  Instructions take();
  // When to call take() though nothing happened. Earlier is harmless.
  std::optional<int64_t> next_wake_ns() const;
  // Calls wait or run, or something is owed: keep looking (L3).
  bool busy() const;

  const Scheduler& scheduler() const { return scheduler_; }
  const WorkerPool& pool() const { return pool_; }
  const Actors& actors() const { return actors_; }

 private:
  struct Router;

  Result<void> check_language(JobNumber job, Language language) const;

  // Carries out what one machine asks of another, at the end of each event, so that no machine is behind the others
  // when the next one comes; the rest goes to ready_. True: the scheduler has something new.
  bool route();
  Result<void> routed(Result<void> outcome);

  const Clock* const clock_;
  bool holds_actors_ = false;
  bool holds_all_actors_ = false;
  bool group_actors_wait_ = false;
  Instructions pending_;  // the machines' output, not yet routed
  Instructions ready_;    // for the shell
  std::map<JobNumber, std::vector<Language>> jobs_;
  Scheduler scheduler_;
  WorkerPool pool_;
  Actors actors_;
};

}  // namespace sabir::node
