#include "runtime/node/actors.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace sabir::node {

std::string_view actor_phase_name(ActorPhase phase) {
  switch (phase) {
    case ActorPhase::kWaitingArgs:
      return "waiting for arguments";
    case ActorPhase::kWaitingResources:
      return "waiting for resources";
    case ActorPhase::kLaunching:
      return "starting";
    case ActorPhase::kConstructing:
      return "constructing";
    case ActorPhase::kAlive:
      return "alive";
    case ActorPhase::kLeaving:
      return "leaving";
    case ActorPhase::kPausing:
      return "restarting";
    case ActorPhase::kDead:
      return "dead";
  }
  return "?";
}

bool Actors::is_stand_in(const Actor& actor) { return actor.spec.role == control::ActorSpec::Role::kImported; }

Actors::Actors(ActorOptions options, control::ActorRegistry* registry, const Clock* clock, Instructions* out)
    : options_(options), registry_(registry), clock_(clock), out_(out) {}

// --- Registration

Result<Actors::Created> Actors::create(control::ActorSpec spec, const ResourceSet& resources) {
  if (const control::ActorEntry* known = registry_->find(spec.id)) {
    Actor& actor = actors_.at(known->index);
    bool revived = is_stand_in(actor) && std::exchange(actor.no_handles, false);
    if (revived) {
      // Its home forgets this node when it leaves, and counts it again when the next one has opened the actor: until
      // then whoever sent the handle is to keep its own.
      write_word(actor, shm::ActorState::kRestarting);
    }
    return Created{known->index, !revived, revived};
  }
  if (spec.name.empty() && (spec.get_if_exists || spec.detached)) {
    return invalid_error("get_if_exists and detached need a name");
  }
  if (spec.max_restarts < -1 || spec.max_task_retries < -1) {
    return invalid_error("max_restarts and max_task_retries are -1 (for ever) or more");
  }
  if (!spec.name.empty() && spec.get_if_exists) {
    if (const auto* known = registry_->find_by_name(spec.name_space, spec.name)) {
      return Created{known->index, true};
    }
  }
  // An index that was never used, else the one that has rested longest.
  bool fresh = next_index_ < shm::kMaxActors;
  if (!fresh && free_.empty()) {
    return exhausted_error("already " + std::to_string(shm::kMaxActors) + " actors");
  }
  Actor actor;
  actor.index = fresh ? next_index_ : free_.front().first;
  actor.incarnation = fresh ? 1 : free_.front().second + 1;
  actor.resources = resources;
  actor.spec = std::move(spec);
  SABIR_RETURN_IF_ERROR(registry_->add(actor.spec, actor.index));
  if (fresh) {
    next_index_ += 1;
  } else {
    free_.pop_front();
  }
  shm::ActorIndex index = actor.index;
  Actor& kept = actors_.emplace(index, std::move(actor)).first->second;
  write_word(kept, shm::ActorState::kPending);
  return Created{index, false};
}

void Actors::bind_entry(shm::ActorIndex index, uint32_t entry, uint64_t generation) {
  if (Actor* actor = find_actor(index)) {
    actor->entry = entry;
    actor->entry_generation = generation;
  }
}

Result<shm::ActorIndex> Actors::find(const std::string& name_space, const std::string& name) const {
  const control::ActorEntry* known = registry_->find_by_name(name_space, name);
  if (known == nullptr) {
    return not_found_error("no actor named " + name + " in namespace " + name_space);
  }
  return shm::ActorIndex{known->index};
}

// --- Requests

Result<void> Actors::start(shm::ActorIndex index, std::string args, std::vector<shm::EntryRef> refs) {
  Actor* actor = find_actor(index);
  if (actor == nullptr) {
    return not_found_error("no such actor");
  }
  if (actor->phase != ActorPhase::kWaitingArgs) {
    return {};
  }
  actor->args = std::move(args);
  actor->refs = std::move(refs);
  actor->holds_args = true;
  out_->push_back(HoldActorArgs{index, actor->refs});
  request_resources(*actor);
  return {};
}

Result<void> Actors::fail(shm::ActorIndex index, std::string message, std::string error_value) {
  Actor* actor = find_actor(index);
  if (actor == nullptr) {
    return not_found_error("no such actor");
  }
  if (actor->phase == ActorPhase::kDead) {
    return {};
  }
  bool was_alive = actor->phase == ActorPhase::kAlive || actor->phase == ActorPhase::kLeaving;
  if (was_alive && is_stand_in(*actor)) {
    die(*actor, std::move(message), std::move(error_value));  // A9: its home says so, and its worker leaves by itself
    return {};
  }
  if (was_alive) {
    return invalid_error("the actor's constructor has returned");
  }
  if (actor->slot) {
    // It raised: it has said so and may end in order.
    actor->kill_at_ns = clock_->now_ns() + options_.leave_timeout_ns;
    timed_.insert(index);
    out_->push_back(ExitWorker{*actor->slot, "its constructor failed"});
  }
  die(*actor, std::move(message), std::move(error_value));
  return {};
}

Result<void> Actors::started(shm::ActorIndex index, uint32_t incarnation, shm::SlotIndex slot) {
  Actor* actor = find_actor(index);
  if (actor == nullptr) {
    return not_found_error("no such actor");
  }
  if (actor->incarnation != incarnation || actor->slot != slot) {
    return invalid_error("not the process of this actor");
  }
  if (actor->phase == ActorPhase::kConstructing && !actor->reclaimed) {
    actor->phase = ActorPhase::kAlive;
    actor->launch_failures = 0;
    actor->alive_since_ns = clock_->now_ns();
    write_word(*actor, shm::ActorState::kAlive);
  }
  return {};
}

Result<void> Actors::kill(shm::ActorIndex index, bool no_restart) {
  Actor* actor = find_actor(index);
  if (actor == nullptr) {
    return not_found_error("no such actor");
  }
  if (actor->phase == ActorPhase::kDead) {
    return {};
  }
  if (no_restart) {
    kill_process(*actor, shm::DeathReason::kKilledByNode);
    die(*actor, "it was killed by kill()");
  } else if (actor->slot) {
    kill_process(*actor, shm::DeathReason::kKilledByNode);  // the rest follows from its death
  }
  return {};
}

void Actors::handles_gone(shm::ActorIndex index) {
  Actor* actor = find_actor(index);
  if (actor == nullptr) {
    return;
  }
  actor->no_handles = true;
  if (actor->phase == ActorPhase::kDead) {
    free_if_over(index);
  } else if (actor->spec.detached) {
    return;
  } else if (actor->phase == ActorPhase::kAlive) {
    actor->phase = ActorPhase::kLeaving;
    actor->leave_reason = "no handle of it was left";
    (void)registry_->release_name(actor->spec.id);
    out_->push_back(ExitWorker{*actor->slot, "no handle of its actor is left"});
  } else if (actor->phase != ActorPhase::kLeaving) {
    kill_process(*actor, shm::DeathReason::kKilledByNode);
    die(*actor, "no handle of it was left");
    free_if_over(index);
  }
}

void Actors::end_job(JobNumber job) {
  std::vector<shm::ActorIndex> its_actors;
  for (const auto& [index, actor] : actors_) {
    if (actor.spec.job == job && !actor.spec.detached && actor.phase != ActorPhase::kDead) {
      its_actors.push_back(index);
    }
  }
  for (shm::ActorIndex index : its_actors) {
    // Its process is the pool's to kill, like all of the job's.
    if (!actors_.at(index).slot) {
      out_->push_back(AbortActorLaunch{index});
    }
    die(actors_.at(index), "its job ended");
  }
}

bool Actors::place_elsewhere(shm::ActorIndex index) {
  Actor* actor = find_live(index);
  if (actor == nullptr || actor->phase != ActorPhase::kWaitingResources) {
    return false;
  }
  give_up_resources(*actor);
  actor->phase = ActorPhase::kLaunching;
  return true;
}

bool Actors::hold_back(shm::ActorIndex index) {
  Actor* actor = find_live(index);
  return actor != nullptr && actor->spec.role == control::ActorSpec::Role::kHosted && place_elsewhere(index);
}

bool Actors::reclaim(shm::ActorIndex index, uint32_t incarnation) {
  Actor* actor = find_live(index);
  // One that runs here has resources here.
  if (actor == nullptr || actor->phase != ActorPhase::kConstructing || actor->incarnation != incarnation ||
      actor->spec.role != control::ActorSpec::Role::kOwn || actor->holds_resources) {
    return false;
  }
  return !std::exchange(actor->reclaimed, true);
}

void Actors::end(shm::ActorIndex index, const std::string& reason) {
  Actor* actor = find_live(index);
  if (actor == nullptr) {
    return;
  }
  kill_process(*actor, shm::DeathReason::kKilledByNode);
  die(*actor, reason);
  free_if_over(index);
}

// --- Its process

void Actors::placed(shm::ActorIndex index, uint64_t gpu_mask) {
  Actor* actor = find_live(index);
  if (actor == nullptr || actor->phase != ActorPhase::kWaitingResources) {
    return;
  }
  actor->gpu_mask = gpu_mask;
  actor->phase = ActorPhase::kLaunching;
  out_->push_back(
      LaunchActor{index, actor->incarnation, actor->spec.job, actor->spec.language, actor->spec.detached, gpu_mask});
}

void Actors::worker_ready(shm::ActorIndex index, uint32_t incarnation, shm::SlotIndex slot) {
  Actor* actor = find_live(index);
  SABIR_CHECK(actor != nullptr && actor->phase == ActorPhase::kLaunching && actor->incarnation == incarnation,
              "actor=", index);
  actor->phase = ActorPhase::kConstructing;
  actor->slot = slot;
  by_slot_[slot] = index;
}

void Actors::launch_failed(shm::ActorIndex index, uint32_t incarnation, const Error& error) {
  Actor* actor = find_live(index);
  if (actor == nullptr || actor->phase != ActorPhase::kLaunching || actor->incarnation != incarnation) {
    return;
  }
  actor->launch_failures += 1;
  if (actor->launch_failures >= options_.max_launch_failures) {
    die(*actor, "its process could not be started: " + error.message());
    free_if_over(index);
    return;
  }
  give_up_resources(*actor);
  pause(*actor, options_.second_pause_ns << (actor->launch_failures - 1));
}

void Actors::worker_leaving(shm::SlotIndex slot) {
  auto found = by_slot_.find(slot);
  if (found == by_slot_.end()) {
    return;
  }
  Actor& actor = actors_.at(found->second);
  if (actor.phase == ActorPhase::kAlive || actor.phase == ActorPhase::kConstructing) {
    actor.phase = ActorPhase::kLeaving;
    actor.leave_reason = "it left by itself";
    (void)registry_->release_name(actor.spec.id);
  }
}

void Actors::worker_gone(shm::SlotIndex slot, const std::string& text) {
  auto found = by_slot_.find(slot);
  if (found == by_slot_.end()) {
    return;
  }
  shm::ActorIndex index = found->second;
  by_slot_.erase(found);
  Actor& actor = actors_.at(index);
  actor.slot.reset();
  actor.kill_at_ns.reset();
  give_up_resources(actor);
  bool wanted_again = is_stand_in(actor) && !actor.no_handles;
  if (std::exchange(actor.reclaimed, false) && actor.phase == ActorPhase::kConstructing) {
    actor.incarnation += 1;
    write_word(actor, actor.restarts == 0 ? shm::ActorState::kPending : shm::ActorState::kRestarting);
    request_resources(actor);
    return;
  }
  if (actor.phase == ActorPhase::kLeaving && !wanted_again) {
    die(actor, actor.leave_reason);
  } else if (actor.phase != ActorPhase::kDead) {
    restart_or_die(actor, "its process died: " + text);
  }
  free_if_over(index);
}

void Actors::restart_or_die(Actor& actor, const std::string& reason) {
  bool wanted = actor.spec.detached || !actor.no_handles;
  bool allowed = actor.spec.max_restarts == -1 || is_stand_in(actor) ||
                 actor.restarts < static_cast<uint32_t>(actor.spec.max_restarts);
  if (!wanted || !allowed) {
    std::string after = actor.restarts > 0 ? " (after " + std::to_string(actor.restarts) + " restarts)" : std::string();
    actor.crashed = true;
    die(actor, reason + after);
    return;
  }
  actor.restarts += 1;
  actor.incarnation += 1;
  write_word(actor, shm::ActorState::kRestarting);
  pause(actor, next_pause_ns(actor));
}

int64_t Actors::next_pause_ns(Actor& actor) const {
  if (actor.alive_since_ns != 0 && clock_->now_ns() - actor.alive_since_ns >= options_.healthy_ns) {
    actor.pauses = 0;
  }
  actor.alive_since_ns = 0;
  int64_t pause_ns = options_.first_pause_ns;
  if (actor.pauses > 0) {
    pause_ns = options_.second_pause_ns;
    for (uint32_t i = 1; i < actor.pauses && pause_ns < options_.max_pause_ns; ++i) {
      pause_ns *= 2;
    }
  }
  actor.pauses += 1;
  return std::min(pause_ns, options_.max_pause_ns);
}

void Actors::pause(Actor& actor, int64_t pause_ns) {
  if (pause_ns == 0) {
    request_resources(actor);
    return;
  }
  actor.phase = ActorPhase::kPausing;
  actor.wake_ns = clock_->now_ns() + pause_ns;
  timed_.insert(actor.index);
}

void Actors::kill_process(Actor& actor, shm::DeathReason reason) {
  if (actor.slot) {
    actor.kill_at_ns.reset();
    out_->push_back(KillWorker{*actor.slot, reason, "its actor was ended"});
  } else if (actor.phase == ActorPhase::kLaunching) {
    out_->push_back(AbortActorLaunch{actor.index});
  }
}

// --- Parts

void Actors::request_resources(Actor& actor) {
  if (is_stand_in(actor)) {
    actor.phase = ActorPhase::kLaunching;
    out_->push_back(OpenStandIn{actor.index, actor.incarnation});
    return;
  }
  actor.phase = ActorPhase::kWaitingResources;
  actor.holds_resources = true;
  out_->push_back(PlaceActor{actor.index, actor.spec.job});
}

void Actors::give_up_resources(Actor& actor) {
  if (actor.holds_resources) {
    actor.holds_resources = false;
    actor.gpu_mask = 0;
    out_->push_back(UnplaceActor{actor.index});
  }
}

void Actors::die(Actor& actor, std::string reason, std::string error_value) {
  actor.phase = ActorPhase::kDead;
  actor.death_reason = std::move(reason);
  actor.error_value = std::move(error_value);
  // Should the storage refuse, the entry names an actor without a process: found dead after a restart.
  (void)registry_->erase(actor.spec.id);
  write_word(actor, shm::ActorState::kDead);
  if (actor.holds_args) {
    actor.holds_args = false;
    out_->push_back(ReleaseActorArgs{actor.index, actor.refs});
    actor.refs.clear();
    actor.args.clear();
  }
  if (!actor.slot) {
    give_up_resources(actor);  // else they are used until its process is gone
  }
}

void Actors::write_word(const Actor& actor, shm::ActorState state) {
  bool hosted = state == shm::ActorState::kAlive;
  shm::ActorWord word{actor.incarnation, state, hosted ? *actor.slot : shm::SlotIndex{0}};
  std::string reason;
  if (state == shm::ActorState::kDead) {
    reason = actor.death_reason.substr(0, sizeof(shm::ActorRecord::death_reason));
  }
  out_->push_back(WriteActorWord{actor.index, word, std::move(reason)});
}

void Actors::free_if_over(shm::ActorIndex index) {
  auto found = actors_.find(index);
  if (found == actors_.end()) {
    return;
  }
  const Actor& actor = found->second;
  if (actor.phase == ActorPhase::kDead && actor.no_handles && !actor.slot) {
    free_.emplace_back(index, actor.incarnation);
    actors_.erase(found);
    out_->push_back(FreeActor{index});
  }
}

Actors::Actor* Actors::find_actor(shm::ActorIndex index) {
  auto found = actors_.find(index);
  return found == actors_.end() ? nullptr : &found->second;
}

Actors::Actor* Actors::find_live(shm::ActorIndex index) {
  Actor* actor = find_actor(index);
  return actor == nullptr || actor->phase == ActorPhase::kDead ? nullptr : actor;
}

// --- Time

void Actors::tick() {
  int64_t now = clock_->now_ns();
  for (auto at = timed_.begin(); at != timed_.end();) {
    Actor* actor = find_actor(*at);
    std::optional<int64_t> due = actor == nullptr ? std::nullopt : due_ns(*actor);
    if (due && now < *due) {
      ++at;
      continue;
    }
    at = timed_.erase(at);
    if (due && actor->phase == ActorPhase::kPausing) {
      request_resources(*actor);
    } else if (due) {
      kill_process(*actor, shm::DeathReason::kKilledByNode);
    }
  }
}

std::optional<int64_t> Actors::due_ns(const Actor& actor) const {
  return actor.phase == ActorPhase::kPausing ? actor.wake_ns : actor.kill_at_ns;
}

std::optional<int64_t> Actors::next_wake_ns() const {
  std::optional<int64_t> wake;
  for (shm::ActorIndex index : timed_) {
    auto found = actors_.find(index);
    if (found != actors_.end()) {
      if (std::optional<int64_t> due = due_ns(found->second)) {
        wake = std::min(wake.value_or(*due), *due);
      }
    }
  }
  return wake;
}

// --- Questions

Actors::View Actors::view_of(const Actor& actor) const {
  return {actor.index, actor.phase,         actor.incarnation,  actor.restarts,         actor.slot,
          &actor.spec, &actor.resources,    actor.entry,        actor.entry_generation, &actor.args,
          &actor.refs, &actor.death_reason, &actor.error_value, actor.gpu_mask,         actor.crashed};
}

std::optional<Actors::View> Actors::view(shm::ActorIndex index) const {
  auto found = actors_.find(index);
  return found == actors_.end() ? std::nullopt : std::optional(view_of(found->second));
}

std::vector<Actors::View> Actors::views() const {
  std::vector<View> views;
  for (const auto& [index, actor] : actors_) {
    views.push_back(view_of(actor));
  }
  return views;
}

}  // namespace sabir::node
