// Placement groups: which calls and actors run in which bundle, here or on other nodes, and the end of what runs in one
// that is removed (S13, G5).
#include <algorithm>
#include <limits>

#include "runtime/node/cluster/read_strategy.h"
#include "runtime/node/node_manager.h"

namespace sabir::node {

using cluster::GroupStage;
using cluster::GroupState;
using cluster::NodeKey;
using cluster::Placement;

namespace {

constexpr int64_t kLookAgainNs = 100 * kMillisecondNs;  // while something waits for a bundle
constexpr uint32_t kMostInBundle = 256;                 // of calls that need nothing
constexpr const char* kRemoved = "its placement group was removed";

// How many such requests the bundle holds at a time.
uint32_t count_in(const cluster::Amounts& bundle, const cluster::Amounts& request) {
  Units count = kMostInBundle;
  for (const ResourceRequest& wanted : request) {
    if (wanted.units == 0) {
      continue;
    }
    auto found =
        std::find_if(bundle.begin(), bundle.end(), [&](const ResourceRequest& one) { return one.name == wanted.name; });
    count = found == bundle.end() ? 0 : std::min(count, found->units / wanted.units);
  }
  return static_cast<uint32_t>(count);
}

bool is_in(size_t index, const Placement& placement) {
  return placement.bundle == Placement::kAnyBundle || index == static_cast<size_t>(placement.bundle);
}

// Of a placement: how many such requests each node that has bundles holds at a time.
std::map<NodeKey, uint32_t> room_by_node(const GroupState& group, const Placement& placement,
                                         const cluster::Amounts& request) {
  std::map<NodeKey, uint32_t> room;
  for (size_t i = 0; i < group.nodes.size(); ++i) {
    uint32_t count = is_in(i, placement) ? count_in(group.spec.bundles[i].resources, request) : 0;
    if (count != 0 && !group.nodes[i].id.is_nil()) {
      room[group.nodes[i]] += count;
    }
  }
  return room;
}

}  // namespace

Result<void> NodeManager::check_in_group(const GroupState& group, const Placement& placement,
                                         const cluster::Amounts& request) {
  if (placement.bundle >= static_cast<int32_t>(group.spec.bundles.size())) {
    return invalid_error("the placement group has " + std::to_string(group.spec.bundles.size()) +
                         " bundles: there is no bundle " + std::to_string(placement.bundle));
  }
  for (size_t i = 0; i < group.spec.bundles.size(); ++i) {
    if (is_in(i, placement) && count_in(group.spec.bundles[i].resources, request) != 0) {
      return {};
    }
  }
  if (placement.bundle != Placement::kAnyBundle) {
    return invalid_error("it needs " + cluster::describe(request) + ", and bundle " + std::to_string(placement.bundle) +
                         " of its placement group has " +
                         cluster::describe(group.spec.bundles[static_cast<size_t>(placement.bundle)].resources));
  }
  return invalid_error("it needs " + cluster::describe(request) + ", which no bundle of its placement group has");
}

void NodeManager::check_placement(const Placement& placement, cluster::Amounts request, Groups::Done checked) {
  if (!has_groups()) {
    checked(no_groups());
    return;
  }
  groups_->find(
      placement.group, "", "", kGroupQuestionNs,
      [placement, request = std::move(request),
       checked = std::move(checked)](const Result<std::vector<GroupState>>& found) {
        checked(!found.ok() ? Result<void>(found.error()) : check_in_group(found->front(), placement, request));
      });
}

bool NodeManager::has_groups() {
  if (groups_) {
    return true;
  }
  if (cluster_ && !cluster_->is_joined()) {
    return false;
  }
  ledger_ = std::make_unique<cluster::NodeLedger>(&coordinator_.resources());
  coordinator_.set_bundles([this](const Placement& placement) { return ledger_->open_bundles(placement); });
  NodeKey self = cluster_ ? cluster_->self() : NodeKey{cluster::NodeId(node_id_), 1};
  Groups::Hooks hooks;
  hooks.send = [this](const cluster::GroupMessage& message) { cluster_->send_group(message); };
  hooks.report = [this] { report_for_groups(); };
  hooks.make_room = [this](const ResourceSet& wanted) { return coordinator_.make_room(wanted); };
  uint64_t epoch = cluster_ ? cluster_->control_epoch() : static_cast<uint64_t>(started_unix_s_);
  groups_ = std::make_unique<Groups>(self, epoch, GroupsOptions{}, ledger_.get(), &clock_, std::move(hooks));
  if (!cluster_) {
    own_view_ = std::make_unique<cluster::ResourceView>(self, cluster::ViewOptions{}, &clock_);
    own_view_->add_node(self);
    publisher_ = std::make_unique<cluster::ReportPublisher>(self, cluster::PublisherOptions{}, &clock_);
    report_for_groups();
    groups_->lead(own_view_.get(), &group_storage_);
  }
  return true;
}

Error NodeManager::no_groups() { return disconnected_error("this node has not joined its cluster yet"); }

void NodeManager::report_for_groups() {
  if (cluster_) {
    cluster_->report_now();
    return;
  }
  publisher_->observe(node_state());
  own_view_->apply_report(publisher_->own());
}

void NodeManager::on_group_message(const cluster::GroupMessage& message) {
  if (has_groups()) {
    groups_->on_message(message);
    tend_groups();
  }
}

void NodeManager::control_store_changed() { tend_groups(); }

// After anything that may have changed a group, a bundle, or what waits for one.
void NodeManager::tend_groups() {
  if (!groups_ || tending_groups_ || stopping_) {
    return;
  }
  tending_groups_ = true;
  if (cluster_ && groups_->epoch() != cluster_->control_epoch()) {
    groups_->coordinator_changed(cluster_->control_epoch());
  }
  groups_->tick();
  if (groups_->take_changed()) {
    place_groups();
    end_actors_of_gone_groups();
  }
  end_bundle_users();
  settle();
  tending_groups_ = false;
  plan_groups();
}

void NodeManager::plan_groups() {
  int64_t now_ns = clock_.now_ns();
  std::optional<int64_t> wake_ns = groups_->next_wake_ns();
  if (!groups_->closing().empty()) {
    wake_ns = std::min(wake_ns.value_or(INT64_MAX), now_ns + kMillisecondNs);
  }
  if (actors_wait_for_groups_) {
    wake_ns = std::min(wake_ns.value_or(INT64_MAX), now_ns + kLookAgainNs);
  }
  if (wake_ns) {
    groups_timer_.start_once(std::max(kMinWakeNs, *wake_ns - now_ns));
  } else {
    groups_timer_.stop();
  }
}

void NodeManager::on_groups_timer() {
  if (actors_wait_for_groups_ && has_groups()) {
    place_group_actors();
  }
  tend_groups();
}

// --- Calls

void NodeManager::place_groups() {
  if (!groups_) {
    return;
  }
  for (const Scheduler::ClassView& view : coordinator_.scheduler().classes()) {
    const Placement& placement = view.place->placement();
    auto job = jobs_.find(view.job);
    if (!placement.in_group() || job == jobs_.end() || job->second.over) {
      continue;
    }
    const GroupState* group = groups_->known(placement.group);
    if (group == nullptr) {
      continue;
    }
    if (group->stage == GroupStage::kGone) {
      if (view.waiting != 0) {
        coordinator_.fail_class(view.class_index, Error(ErrorKind::kGroupRemoved, kRemoved));
      }
    } else if (!view.place->here_only) {
      place_group_class(view, *group);
    }
  }
  actors_wait_for_groups_ = coordinator_.take_group_actors_wait() || actors_wait_for_groups_;
  if (actors_wait_for_groups_) {
    place_group_actors();
  }
}

void NodeManager::place_group_class(const Scheduler::ClassView& view, const GroupState& group) {
  const Placement& placement = view.place->placement();
  ClassBacklog backlog;
  backlog.class_index = view.class_index;
  backlog.job = view.job;
  backlog.place = *view.place;
  backlog.resources = amounts_of(*view.resources);
  std::map<NodeKey, uint32_t> room = room_by_node(group, placement, backlog.resources);
  auto here = room.extract(groups_->self());
  coordinator_.allow(view.class_index, here.empty() ? 0 : std::numeric_limits<uint64_t>::max());
  if (!cluster_ || room.empty() || view.waiting == 0) {
    return;
  }
  // What waits, less what begins here as soon as anywhere, and what others were promised.
  // What others hold in the bundles here may stay for long.
  bool fits_now = !here.empty() && fits_here(placement, *view.resources);
  uint64_t soon_here = !fits_now ? 0 : here.mapped() - std::min<uint64_t>(here.mapped(), view.leases_here);
  uint64_t rest = view.waiting - std::min(view.waiting, soon_here);
  std::map<NodeKey, uint32_t> taken;
  for (const auto& [launch, relay] : relay_launches_) {
    if (relay.class_index == view.class_index && !relay.ending && !relay.actor) {
      rest -= std::min<uint64_t>(rest, relay.width - std::min(relay.width, under_way_of(relay)));
      taken[relay.peer] += relay.width;
    }
  }
  std::map<NodeKey, uint32_t> more;
  while (rest > 0) {
    const std::pair<const NodeKey, uint32_t>* best = nullptr;
    double best_use = 1;
    for (const auto& entry : room) {
      double use = static_cast<double>(taken[entry.first]) / entry.second;
      if (cluster_->is_member(entry.first) && use < best_use) {
        best = &entry;
        best_use = use;
      }
    }
    if (best == nullptr) {
      break;  // all bundles are taken; the calls wait
    }
    taken[best->first] += 1;
    more[best->first] += 1;
    rest -= 1;
  }
  for (const auto& [peer, calls] : more) {
    send_calls(backlog, peer, {.calls = calls, .most = room.at(peer)});
  }
}

// --- Actors

void NodeManager::place_group_actors() {
  struct Choice {
    shm::ActorIndex actor = 0;
    std::optional<NodeKey> node;  // none: it is over
  };
  std::vector<Choice> choices;
  actors_wait_for_groups_ = false;
  std::map<std::pair<cluster::GroupId, NodeKey>, uint32_t> taken;
  for (const auto& [launch, relay] : relay_launches_) {
    std::optional<Actors::View> view = relay.actor ? coordinator_.actors().view(*relay.actor) : std::nullopt;
    if (view && view->spec->role == control::ActorSpec::Role::kOwn) {
      taken[{placement_of(view->spec->scheduling).group, relay.peer}] += 1;
    }
  }
  for (const Actors::View& view : coordinator_.actors().views()) {
    Placement placement = placement_of(view.spec->scheduling);
    if (view.phase != ActorPhase::kWaitingResources || !placement.in_group()) {
      continue;
    }
    actors_wait_for_groups_ = true;
    const GroupState* group = groups_->known(placement.group);
    if (group == nullptr) {
      continue;
    }
    if (group->stage == GroupStage::kGone) {
      choices.push_back({view.actor, std::nullopt});
      continue;
    }
    if (!cluster_ || !coordinator_.is_held(*view.spec)) {
      continue;  // the scheduler has it
    }
    std::map<NodeKey, uint32_t> room = room_by_node(*group, placement, amounts_of(*view.resources));
    const NodeKey& self = groups_->self();
    if (room.contains(self) && (room.size() == 1 || fits_here(placement, *view.resources))) {
      choices.push_back({view.actor, self});
      continue;
    }
    std::optional<NodeKey> best;
    double best_use = 1;
    for (const auto& [node, count] : room) {
      double use = static_cast<double>(taken[{placement.group, node}]) / count;
      if (node != self && cluster_->is_member(node) && use < best_use) {
        best = node;
        best_use = use;
      }
    }
    if (best) {
      taken[{placement.group, *best}] += 1;
      choices.push_back({view.actor, best});
    }
  }
  for (const Choice& choice : choices) {
    if (!choice.node) {
      fail_actor(choice.actor, kRemoved);
    } else if (*choice.node == groups_->self()) {
      allow_actor(choice.actor);
    } else {
      place_actor(choice.actor, *choice.node);
    }
  }
}

bool NodeManager::fits_here(const Placement& placement, const ResourceSet& request) const {
  return ledger_->fit(request, placement) == cluster::NodeLedger::Fit::kNow;
}

Placement NodeManager::placement_of(const Scheduling& words) {
  if (words.kind != Scheduling::Kind::kGroup) {
    return {};
  }
  Result<cluster::Strategy> strategy = cluster::read_strategy(words);
  return strategy.ok() ? strategy->placement : Placement();
}

// --- The end

void NodeManager::end_bundle_users() {
  std::vector<AccountId> over;
  for (AccountId account : groups_->closing()) {
    Scheduler::Users users = coordinator_.scheduler().users(account);
    if (users.workers.empty() && users.actors.empty()) {
      over.push_back(account);
      continue;
    }
    for (const Scheduler::Users::Worker& worker : users.workers) {
      Process* process = processes_.at(worker.slot);
      if (worker.running && process != nullptr) {
        kill(*process, shm::DeathReason::kGroupRemoved, kRemoved);
      } else if (!worker.withdrawn) {
        coordinator_.withdraw_lease(worker.slot);
      }
    }
    for (shm::ActorIndex actor : users.actors) {
      end_group_actor(actor);
    }
  }
  for (AccountId account : over) {
    groups_->closing().erase(account);
  }
}

// Wherever they live: who has heard that a group is removed gets no answer of its actors any more.
void NodeManager::end_actors_of_gone_groups() {
  std::vector<shm::ActorIndex> over;
  for (const Actors::View& view : coordinator_.actors().views()) {
    Placement placement = placement_of(view.spec->scheduling);
    if (view.phase == ActorPhase::kDead || view.spec->role != control::ActorSpec::Role::kOwn || !placement.in_group()) {
      continue;
    }
    const GroupState* group = groups_->known(placement.group);
    if (group != nullptr && group->stage == GroupStage::kGone) {
      over.push_back(view.actor);
    }
  }
  for (shm::ActorIndex actor : over) {  // views do not outlive an event
    coordinator_.end_actor(actor, kRemoved);
  }
}

// Of a group that is there still, and has lost the bundle, it restarts; the home of one that another node made decides.
void NodeManager::end_group_actor(shm::ActorIndex actor) {
  std::optional<Actors::View> view = coordinator_.actors().view(actor);
  if (!view) {
    return;
  }
  const GroupState* group = groups_->known(placement_of(view->spec->scheduling).group);
  bool own = view->spec->role == control::ActorSpec::Role::kOwn;
  if (group == nullptr) {
    return;  // not known yet: the next time
  }
  if (own && group->stage == GroupStage::kGone) {
    coordinator_.end_actor(actor, kRemoved);
  } else if (view->slot) {
    coordinator_.kill_worker(*view->slot, shm::DeathReason::kGroupRemoved, kRemoved);
  }  // else it starts just now: the next time
}

}  // namespace sabir::node
