// Actors of this node that live on others (A8), those of others that live here, and stand-ins for actors of other nodes
// (A9). A stand-in is a worker that the gateway makes: it has the actor's inbox, and what comes in goes to the peer.
#include <algorithm>

#include "runtime/base/ids.h"
#include "runtime/node/cluster/read_strategy.h"
#include "runtime/node/node_manager.h"
#include "runtime/shm/stack.h"

namespace sabir::node {

using Role = control::ActorSpec::Role;

namespace {

std::string random_id() { return std::string(IdBits::random().view()); }

// One per actor and job: a stand-in ends with the job whose handles it is for (A7).
std::string stand_in_id(std::string actor_id, const std::string& job_id) {
  for (size_t i = 0; i < actor_id.size() && i < job_id.size(); ++i) {
    actor_id[i] = static_cast<char>(actor_id[i] ^ job_id[i]);
  }
  return actor_id;
}

std::optional<cluster::NodeKey> key_of(const control::NodeRef& node) {
  std::optional<IdBits> bits = IdBits::from_bytes(node.id);
  return bits ? std::optional(cluster::NodeKey{cluster::NodeId(*bits), node.incarnation}) : std::nullopt;
}

}  // namespace

Result<control::ActorSpec> NodeManager::spec_for(const Process& creator, rpc::ActorSpec spec, bool trusted) const {
  if (spec.name.size() > cluster::kMaxActorNameBytes || spec.name_space.size() > cluster::kMaxActorNameBytes ||
      spec.class_info.size() > cluster::kMaxClassInfoBytes) {
    return invalid_error("an actor's name and namespace have at most " + std::to_string(cluster::kMaxActorNameBytes) +
                         " bytes each, what its class says of itself at most " +
                         std::to_string(cluster::kMaxClassInfoBytes));
  }
  auto job = jobs_.find(creator.job);
  control::ActorSpec result;
  result.id = random_id();
  result.job = creator.job;
  result.class_function = spec.class_function;
  result.name = std::move(spec.name);
  if (!spec.name_space.empty()) {
    result.name_space = std::move(spec.name_space);
  } else if (job != jobs_.end()) {
    result.name_space = job->second.config.name_space;
  }
  for (rpc::ResourceAmount& amount : spec.resources) {
    result.resources.push_back({std::move(amount.name), amount.units});
  }
  result.max_restarts = spec.max_restarts;
  result.max_task_retries = spec.max_task_retries;
  result.max_concurrency = spec.max_concurrency;
  result.detached = spec.detached;
  result.get_if_exists = spec.get_if_exists;
  result.class_info = std::move(spec.class_info);
  result.language = spec.language;
  result.class_name = std::move(spec.class_name);
  if (spec.origin.role == rpc::ActorRole::kOwn) {
    SABIR_RETURN_IF_ERROR(check_actor_place(spec.scheduling, spec.detached));
    result.scheduling = std::move(spec.scheduling);
    return result;
  }
  if (!trusted || job == jobs_.end() || spec.origin.actor_id.size() != IdBits::kSizeBytes) {
    return invalid_error("an actor's origin is the gateway's to say");
  }
  result.public_id = std::move(spec.origin.actor_id);
  result.public_name = std::exchange(result.name, "");
  result.home = {std::move(spec.origin.node), spec.origin.incarnation};
  result.role = Role::kHosted;
  if (spec.origin.role == rpc::ActorRole::kImported) {
    result.role = Role::kImported;
    result.id = stand_in_id(result.public_id, job->second.id);
    result.resources.clear();
  } else if (spec.scheduling.kind == Scheduling::Kind::kGroup) {
    result.scheduling = std::move(spec.scheduling);  // its home has decided, and this node has the bundle
  }
  return result;
}

bool NodeManager::is_own(const rpc::ActorOrigin& origin) const {
  return origin.role == rpc::ActorRole::kImported && origin.node == node_id_.view();
}

// A handle that came back to the actor's home, or one of another node that wants to open it.
void NodeManager::create_known(rpc::ProcessKey key, const rpc::ActorOrigin& origin,
                               const rpc::Reply<rpc::ActorInfo>& reply) {
  Process* process = caller(key, reply);
  // Another node may have found its name before this one has heard that it was given.
  auto again = [this, key, origin, reply] { create_known(key, origin, reply); };
  if (process == nullptr || wait_for_name(origin.actor_id, again)) {
    return;
  }
  if (const control::ActorEntry* known = control_.actors().find(origin.actor_id)) {
    reply(actor_info_for(*process, known->index));
    return;
  }
  for (const Actors::View& view : coordinator_.actors().views()) {
    if (view.spec->id == origin.actor_id) {  // dead, but somebody has a handle
      reply(actor_info_for(*process, view.actor));
      return;
    }
  }
  if (origin.role == rpc::ActorRole::kKnown) {
    reply(not_found_error("the actor is dead"));
    return;
  }
  // A handle is needed all the same: of a dead actor.
  control::ActorSpec spec;
  spec.id = random_id();
  spec.job = process->job;
  spec.role = Role::kImported;
  spec.public_id = origin.actor_id;
  spec.home = {origin.node, origin.incarnation};
  Result<Actors::Created> created = coordinator_.create_actor(std::move(spec));
  if (!created.ok()) {
    reply(std::move(created).error());
    return;
  }
  if (Result<void> bound = bind_new_actor(created->actor, *process); !bound.ok()) {
    reply(std::move(bound).error());
    return;
  }
  coordinator_.end_actor(created->actor, "it is dead");
  settle();
  reply(actor_info(created->actor));
}

rpc::HostedActor NodeManager::hosted_actor(const Actors::View& view) const {
  return {.present = true,
          .actor = view.actor,
          .incarnation = view.incarnation,
          .actor_id = view.spec->shown_id(),
          .class_function = view.spec->class_function,
          .args = *view.args,
          .max_concurrency = view.spec->max_concurrency,
          .name = view.spec->shown_name(),
          .class_info = view.spec->class_info,
          .class_name = view.spec->class_name,
          .imported = view.spec->role == Role::kImported,
          .scheduling = view.spec->scheduling.kind == Scheduling::Kind::kGroup ? view.spec->scheduling : Scheduling()};
}

// --- Where they live

ActorBacklog NodeManager::backlog_of(const Actors::View& view) const {
  ActorBacklog backlog;
  backlog.actor = view.actor;
  backlog.job = view.spec->job;
  backlog.class_name = view.spec->class_name;
  if (Result<cluster::Strategy> strategy = cluster::read_strategy(view.spec->scheduling); strategy.ok()) {
    backlog.strategy = *std::move(strategy);
  }
  backlog.resources = amounts_of(*view.resources);
  return backlog;
}

std::vector<ActorBacklog> NodeManager::waiting_actors() {
  std::vector<ActorBacklog> list;
  for (const Actors::View& view : coordinator_.actors().views()) {
    // Detached ones stay: on the other node they would end with their job.
    bool in_group = view.spec->scheduling.kind == Scheduling::Kind::kGroup;  // place_groups.cc
    if (view.phase == ActorPhase::kWaitingResources && view.spec->role == Role::kOwn && !view.spec->detached &&
        !in_group) {
      list.push_back(backlog_of(view));
    }
  }
  return list;
}

// Those of placement groups have no other place.
std::vector<ActorElsewhere> NodeManager::actors_elsewhere() {
  std::vector<ActorElsewhere> list;
  for (const auto& [launch, relay] : relay_launches_) {
    std::optional<Actors::View> view =
        relay.actor && relay.slot ? coordinator_.actors().view(*relay.actor) : std::optional<Actors::View>();
    if (view && view->phase == ActorPhase::kConstructing && view->incarnation == relay.incarnation &&
        view->spec->role == Role::kOwn && view->spec->scheduling.kind != Scheduling::Kind::kGroup) {
      list.push_back({backlog_of(*view), view->spec->id, view->incarnation, relay.peer, relay.started_ns});
    }
  }
  return list;
}

bool NodeManager::hold_actor_back(const cluster::NodeKey& home, const std::string& actor_id) {
  bool held = false;
  for (const Actors::View& view : coordinator_.actors().views()) {
    if (view.phase != ActorPhase::kDead && view.spec->public_id == actor_id && key_of(view.spec->home) == home) {
      held = coordinator_.hold_actor_back(view.actor);
      break;  // views do not outlive an event
    }
  }
  settle();
  return held;
}

void NodeManager::actor_reclaimed(const std::string& actor_id, uint32_t incarnation) {
  const control::ActorEntry* known = control_.actors().find(actor_id);
  std::optional<Actors::View> view =
      known == nullptr ? std::optional<Actors::View>() : coordinator_.actors().view(known->index);
  if (!view || !view->slot || !coordinator_.reclaim_actor(view->actor, incarnation)) {
    return;
  }
  logger_.info("an actor of class ", view->spec->class_name, " is placed anew: its node had no room for it");
  if (Process* stand_in = processes_.at(*view->slot)) {
    kill(*stand_in, shm::DeathReason::kKilledByNode, "its actor goes to another node");
  }
  settle();
}

void NodeManager::place_actor(shm::ActorIndex actor, const cluster::NodeKey& peer) {
  if (coordinator_.place_elsewhere(actor)) {
    host_stand_in(actor, coordinator_.actors().view(actor)->incarnation, peer);
    settle();
  }
}

void NodeManager::allow_actor(shm::ActorIndex actor) {
  coordinator_.allow_actor(actor);
  settle();
}

void NodeManager::fail_actor(shm::ActorIndex actor, const std::string& why) {
  static_cast<void>(coordinator_.fail_actor(actor, why, ""));  // it may have ended meanwhile
  settle();
}

void NodeManager::open_stand_in(const OpenStandIn& order) {
  std::optional<Actors::View> view = coordinator_.actors().view(order.actor);
  if (!view || view->incarnation != order.incarnation || view->phase != ActorPhase::kLaunching) {
    return;
  }
  std::optional<cluster::NodeKey> home = key_of(view->spec->home);
  if (!home || !cluster_ || !cluster_->is_member(*home)) {
    coordinator_.end_actor(order.actor, "its node is gone");
    return;
  }
  host_stand_in(order.actor, order.incarnation, *home);
}

void NodeManager::host_stand_in(shm::ActorIndex actor, uint32_t incarnation, const cluster::NodeKey& peer) {
  std::optional<Actors::View> view = coordinator_.actors().view(actor);
  LaunchId launch = next_relay_launch_++;
  Relay& relay = relay_launches_[launch];
  relay.job = view->spec->job;
  relay.peer = peer;
  relay.actor = actor;
  relay.incarnation = incarnation;
  cluster::Amounts resources;
  for (const control::ActorResource& amount : view->spec->resources) {
    resources.push_back({amount.name, amount.units});
  }
  bool own = view->spec->role == Role::kOwn;
  begin_relay(launch, relay, 1, resources, own ? placement_of(view->spec->scheduling) : cluster::Placement());
}

Result<rpc::WelcomeInfo> NodeManager::welcome_stand_in(std::map<LaunchId, Relay>::iterator entry,
                                                       rpc::PeerCredentials peer) {
  Relay& relay = entry->second;
  std::optional<Actors::View> view = coordinator_.actors().view(*relay.actor);
  if (!view || view->phase != ActorPhase::kLaunching || view->incarnation != relay.incarnation) {
    refuse_relay(entry, "its actor does not wait for it any more");
    return cancelled_error("this worker is not needed any more");
  }
  SABIR_ASSIGN_OR_RETURN(Process * process, admit(shm::ProcessKind::kWorker, std::move(peer)));
  launcher_->forget(entry->first);
  shm::SlotIndex slot = process->key.slot;
  process->job = relay.job;
  process->language = view->spec->language;
  process->actor = relay.actor;
  process->relay = true;
  shm::inbox(segments_.calls, slot).open();
  deaths_->welcome(slot);
  processes_.publish(*process);
  process->watcher->watch(loop::kReadable);
  relay.slot = slot;
  SABIR_CHECK(coordinator_.stand_in_ready(*relay.actor, relay.incarnation, slot), "actor=", *relay.actor);
  rpc::WelcomeInfo welcome = welcome_to(*process);
  welcome.actor = hosted_actor(*view);
  carry_out_kills(*process);
  logger_.debug("a worker that stands in for actor ", *relay.actor, " at ", cluster::describe(relay.peer), " joined");
  settle();
  return welcome;
}

bool NodeManager::kill_at_home(const Actors::View& view, bool no_restart, rpc::Reply<void>& reply) {
  if (view.spec->role != Role::kImported || view.phase == ActorPhase::kDead) {
    return false;
  }
  if (!view.slot) {
    // Its home is being asked for it for the first time, or again: whoever kills it waits until it can be reached.
    kills_waiting_[view.actor].push_back({no_restart, std::move(reply)});
    return true;
  }
  kill_in_gateway(*processes_.at(*view.slot), no_restart, false);
  reply({});
  return true;
}

void NodeManager::carry_out_kills(const Process& stand_in) {
  auto waiting = kills_waiting_.extract(*stand_in.actor);
  if (!waiting) {
    return;
  }
  for (WaitingKill& kill : waiting.mapped()) {
    kill_in_gateway(stand_in, kill.no_restart, false);
    kill.reply({});
  }
}

void NodeManager::end_kills_of_the_dead() {
  for (auto entry = kills_waiting_.begin(); entry != kills_waiting_.end();) {
    std::optional<Actors::View> view = coordinator_.actors().view(entry->first);
    if (view && view->phase != ActorPhase::kDead) {
      ++entry;
      continue;
    }
    for (WaitingKill& kill : std::exchange(entry->second, {})) {
      kill.reply({});
    }
    entry = kills_waiting_.erase(entry);
  }
}

void NodeManager::kill_in_gateway(const Process& relay, bool no_restart, bool abandon) {
  for (const auto& [launch, entry] : relay_launches_) {
    if (entry.slot == relay.key.slot) {
      cluster_->kill_remote_actor(entry.peer, relay.key, no_restart, abandon);
    }
  }
}

void NodeManager::stand_ins_lost(const cluster::NodeKey& home) {
  std::vector<shm::ActorIndex> lost;
  for (const Actors::View& view : coordinator_.actors().views()) {
    if (view.spec->role != Role::kOwn && view.phase != ActorPhase::kDead && key_of(view.spec->home) == home) {
      lost.push_back(view.actor);
    }
  }
  for (shm::ActorIndex actor : lost) {  // views do not outlive an event
    coordinator_.end_actor(actor, "its node is gone");
  }
  settle();
}

}  // namespace sabir::node
