// What a node's shell does: slots, launches, and the carrying out of instructions.
#include <algorithm>

#include "runtime/base/check.h"
#include "tests/simulation/node/world_parts.h"

namespace sabir::simulation {

using namespace node;

SlotIndex World::take_slot() {
  SlotIndex slot = 1;
  while (processes_.contains(slot)) {
    slot += 1;
  }
  return slot;
}

// --- Jobs and actors

JobNumber World::add_job() {
  JobNumber job = *control_.jobs().add({0, "job-" + std::to_string(next_order_++), "", "", 1, true});
  auto driver = std::make_unique<Process>();
  driver->slot = take_slot();
  driver->incarnation = slot_history_[driver->slot].first + 1;
  driver->job = job;
  driver->driver = true;
  drivers_[job] = driver->slot;
  processes_[driver->slot] = std::move(driver);
  coordinator_->add_job(job, {1});
  coordinator_->set_slots_per_process(job, 1, options_.slots_per_process);
  return job;
}

ClassIndex World::declare(JobNumber job, const std::vector<ResourceRequest>& resources) {
  return coordinator_->declare_class(job, 1, resources)->class_index;
}

void World::end_job(JobNumber job) {
  SlotIndex driver = drivers_.at(job);
  dies(driver, processes_.at(driver)->incarnation, "exited");
  drivers_.erase(job);
  coordinator_->end_job(job);
  SABIR_CHECK(control_.jobs().end(job).ok());
  act();
}

Result<shm::ActorIndex> World::create_actor(control::ActorSpec spec) {
  spec.id = "actor-" + std::to_string(next_actor_id_++);
  spec.language = 1;
  SABIR_ASSIGN_OR_RETURN(Actors::Created made, coordinator_->create_actor(std::move(spec)));
  if (!made.existed) {
    SABIR_CHECK(coordinator_->start_actor(made.actor, "args", {{made.actor, 1}}).ok());
  }
  act();
  return made.actor;
}

void World::kill_actor(shm::ActorIndex actor, bool no_restart) {
  (void)coordinator_->kill_actor(actor, no_restart);
  act();
}

void World::drop_handles(shm::ActorIndex actor) {
  coordinator_->actor_handles_gone(actor);
  act();
}

// --- Processes

void World::process_over(LaunchId process, const std::string& text) {
  std::vector<LaunchId> owed;
  for (const auto& [id, launch] : launches_) {
    if (launch.process == process) {
      owed.push_back(id);
    }
  }
  for (LaunchId id : owed) {
    launches_.erase(id);
    coordinator_->launch_failed(id, "it did not start");
    act();
  }
  std::vector<std::pair<SlotIndex, uint32_t>> workers;
  for (const auto& [slot, worker] : processes_) {
    if (!worker->driver && worker->process == process) {
      workers.emplace_back(slot, worker->incarnation);
    }
  }
  for (auto [slot, incarnation] : workers) {
    dies(slot, incarnation, text);
  }
}

void World::launched(const LaunchWorker& launch, LaunchId id) {
  auto owed = launches_.find(id);
  if (owed == launches_.end()) {
    return;  // its process is over
  }
  if (owed->second.aborted || chance(options_.launch_failure)) {
    process_over(launch.launch, "killed by its node");
    return;
  }
  auto worker = std::make_unique<Process>();
  worker->slot = take_slot();
  auto& [incarnation, epoch] = slot_history_[worker->slot];
  worker->incarnation = ++incarnation;
  worker->epoch = epoch;
  worker->page.lease_epoch_done = epoch;
  worker->job = launch.job;
  worker->actor = launch.actor;
  worker->actor_incarnation = launch.incarnation;
  worker->process = launch.launch;
  launches_.erase(owed);
  Process& made = *worker;
  processes_[made.slot] = std::move(worker);
  bool wanted = coordinator_->worker_ready(id, made.slot, made.epoch);
  if (!wanted) {
    processes_.erase(made.slot);
  } else if (made.actor) {
    // Its constructor returns, or raises.
    at(latency(),
       [this, slot = made.slot, life = made.incarnation, actor = *made.actor, incarnation = launch.incarnation] {
         auto found = processes_.find(slot);
         if (found == processes_.end() || found->second->incarnation != life) {
           return;
         }
         if (chance(0.1)) {
           (void)coordinator_->fail_actor(actor, "the constructor raised", "error");
         } else {
           (void)coordinator_->actor_started(actor, incarnation, slot);
         }
         act();
       });
  }
  act();
}

// --- Instructions

void World::carry_out_lease(Instruction& instruction) {
  if (auto* grant = std::get_if<GrantLease>(&instruction)) {
    Process& worker = *processes_.at(grant->slot);
    SABIR_CHECK(!worker.lease_class || worker.page.lease_epoch_done == worker.epoch, "S2");
    SABIR_CHECK(grant->epoch == worker.epoch + 1, "L2");
    SABIR_CHECK(worker.call == nullptr && !worker.leaving);
    worker.epoch = grant->epoch;
    worker.lease_class = grant->class_index;
    worker.first_queue = grant->first_queue;
    worker.gpu_mask = grant->gpu_mask;
    worker.word_granted = true;
    worker.blocked_in_lease = false;
    SABIR_CHECK(queues_.contains(*grant->first_queue));
    listed_[grant->class_index].push_back(grant->slot);
    wake(grant->slot);
  } else if (auto* withdraw = std::get_if<WithdrawLease>(&instruction)) {
    Process& worker = *processes_.at(withdraw->slot);
    SABIR_CHECK(worker.epoch == withdraw->epoch && worker.word_granted);
    worker.word_granted = false;
    wake(withdraw->slot);
  } else if (auto* unlist = std::get_if<UnlistWorker>(&instruction)) {
    SABIR_CHECK(std::erase(listed_[unlist->class_index], unlist->slot) == 1, "once per grant");
  } else if (auto* clear = std::get_if<ClearLease>(&instruction)) {
    auto found = processes_.find(clear->slot);
    if (found != processes_.end() && found->second->epoch == clear->epoch) {
      found->second->word_granted = false;
      found->second->lease_class.reset();
    }
  }
}

void World::carry_out(Instruction& instruction) {
  if (auto* launch = std::get_if<LaunchWorker>(&instruction)) {
    std::vector<LaunchId> ids = launch->more;
    ids.insert(ids.begin(), launch->launch);
    for (LaunchId id : ids) {
      launches_[id] = {launch->launch};
      int64_t delay_ns =
          options_.launch_ns / 2 + static_cast<int64_t>(random(static_cast<uint64_t>(options_.launch_ns)));
      at(delay_ns, [this, launch = *launch, id] { launched(launch, id); });
    }
  } else if (auto* abort = std::get_if<AbortLaunch>(&instruction)) {
    if (auto found = launches_.find(abort->launch); found != launches_.end()) {
      found->second.aborted = true;
    }
  } else if (auto* kill = std::get_if<KillWorker>(&instruction)) {
    auto found = processes_.find(kill->slot);
    if (found != processes_.end()) {
      at(latency(), [this, slot = kill->slot, life = found->second->incarnation] {
        auto victim = processes_.find(slot);
        if (victim != processes_.end() && victim->second->incarnation == life) {
          process_over(victim->second->process, "killed by its node");
        }
      });
    }
  } else if (auto* exit = std::get_if<ExitWorker>(&instruction)) {
    auto found = processes_.find(exit->slot);
    if (found != processes_.end()) {
      SABIR_CHECK(found->second->call == nullptr, "only idle workers are told to leave");
      found->second->leaving = true;
      at(latency(), [this, slot = exit->slot, life = found->second->incarnation] {
        coordinator_->worker_leaving(slot);
        dies(slot, life, "exit code 0");
      });
    }
  } else if (auto* fail = std::get_if<FailClass>(&instruction)) {
    failures.insert_or_assign(fail->class_index, fail->error);
    for (auto& [index, queue] : queues_) {
      if (queue->class_index == fail->class_index) {
        for (Call* call : std::exchange(queue->calls, {})) {
          settle(call, false);
        }
      }
    }
  } else if (auto* word = std::get_if<WriteActorWord>(&instruction)) {
    shm::ActorWord& known = actor_words[word->actor];
    SABIR_CHECK(word->word.incarnation >= known.incarnation, "A2");
    SABIR_CHECK(known.state != shm::ActorState::kDead || word->word.incarnation > known.incarnation,
                "A3: dead once and for all");
    SABIR_CHECK((word->word.state == shm::ActorState::kDead) == !word->death_reason.empty());
    if (word->word.state == shm::ActorState::kAlive) {
      const Process& host = *processes_.at(word->word.slot);
      SABIR_CHECK(host.actor == word->actor && host.actor_incarnation == word->word.incarnation, "A3");
    }
    SABIR_CHECK(word->word.state != shm::ActorState::kRestarting || word->word.incarnation > known.incarnation,
                "A2: a restart is a new incarnation");
    known = word->word;
  } else if (auto* hold = std::get_if<HoldActorArgs>(&instruction)) {
    args_held[hold->actor] += 1;
    SABIR_CHECK(args_held[hold->actor] == 1 && hold->refs.size() == 1, "A5");
  } else if (auto* release = std::get_if<ReleaseActorArgs>(&instruction)) {
    args_held[release->actor] -= 1;
    SABIR_CHECK(args_held[release->actor] == 0 && release->refs.size() == 1, "A5");
  } else {
    carry_out_lease(instruction);
  }
}

}  // namespace sabir::simulation
