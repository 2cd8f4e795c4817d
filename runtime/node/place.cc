// Strategies: what a class's user asks for, and where its calls run.
#include <limits>

#include "runtime/node/cluster/read_strategy.h"
#include "runtime/node/node_manager.h"

namespace sabir::node {

Result<ClassPlace> NodeManager::place_of(const Process& process, const Scheduling& words) const {
  ClassPlace place;
  if (is_gateway(process.pid)) {
    place.here_only = true;  // its node has decided: no call is sent on
    if (words.kind == Scheduling::Kind::kGroup) {
      SABIR_ASSIGN_OR_RETURN(place.strategy, cluster::read_strategy(words));
    }
    return place;
  }
  SABIR_ASSIGN_OR_RETURN(place.strategy, cluster::read_strategy(words));
  place.elsewhere_only = cluster_ && cluster_->is_visiting();
  return place;
}

Result<void> NodeManager::check_actor_place(const Scheduling& words, bool detached) const {
  if (cluster_ && cluster_->is_visiting() && detached) {
    return unsupported_error(
        "a detached actor lives on its creator's node, and this driver's ends with it: make it from a driver on a node "
        "of the cluster, or in a task");
  }
  SABIR_ASSIGN_OR_RETURN(cluster::Strategy strategy, cluster::read_strategy(words));
  AlonePlan plan = place_alone(strategy, cluster::NodeId(node_id_), labels_);
  bool elsewhere_perhaps = cluster_ && strategy.placement.in_group();
  if ((plan.here && !elsewhere_perhaps) || (cluster_ && !detached)) {
    return {};
  }
  std::string wanted = cluster::describe(strategy);
  return cluster_ ? unsupported_error("a detached actor lives on its creator's node, and this one wants: " + wanted)
                  : Error(ErrorKind::kUnschedulable, "no node of this session is: " + wanted);
}

cluster::Amounts NodeManager::amounts_of(const ResourceSet& resources) const {
  cluster::Amounts amounts;
  for (const ResourceSet::Amount& amount : resources) {
    amounts.push_back({coordinator_.scheduler().resources().name(amount.id), amount.units});
  }
  return amounts;
}

ClassStory NodeManager::story_of(const Scheduler::ClassView& view) const {
  ClassStory story;
  const cluster::Strategy& strategy = view.place->strategy;
  cluster::Amounts amounts = amounts_of(*view.resources);
  if (strategy.placement.in_group()) {
    story.reason = view.waiting != 0 ? group_story(strategy.placement) : "";
    return story;
  }
  if (cluster_ && !view.place->here_only) {
    story.infeasible = cluster_->explain_infeasible(amounts, strategy);
    story.reason = view.waiting != 0 ? cluster_->explain(amounts, strategy) : "";
    return story;
  }
  AlonePlan plan = place_alone(strategy, cluster::NodeId(node_id_), labels_);
  story.infeasible = plan.failure ? plan.failure->message() : plan.reason;
  if (story.infeasible.empty() && view.infeasible) {
    story.infeasible = coordinator_.scheduler().resources().infeasible(*view.resources);
  }
  story.reason = view.waiting != 0 ? story.infeasible : "";
  return story;
}

std::string NodeManager::group_story(const cluster::Placement& placement) const {
  const cluster::GroupState* group = groups_ ? groups_->known(placement.group) : nullptr;
  if (group == nullptr) {
    return "nothing is known of its placement group yet";
  }
  if (group->stage == cluster::GroupStage::kReady) {
    return "its bundles are in use";
  }
  return "its placement group is " + std::string(cluster::group_stage_name(group->stage)) +
         (group->reason.empty() ? "" : ": " + group->reason);
}

std::string NodeManager::infeasible(shm::ClassIndex class_index) const {
  for (const Scheduler::ClassView& view : coordinator_.scheduler().classes()) {
    if (view.class_index == class_index) {
      return story_of(view).infeasible;
    }
  }
  return {};
}

void NodeManager::place_calls() {
  if (cluster_) {
    cluster_->place_calls();
  } else if (coordinator_.scheduler().has_strategies()) {
    place_alone_calls();
  }
}

void NodeManager::place_alone_calls() {
  for (const Scheduler::ClassView& view : coordinator_.scheduler().classes()) {
    if (!view.place->decided_outside() || view.place->placement().in_group()) {
      continue;
    }
    AlonePlan plan = place_alone(view.place->strategy, cluster::NodeId(node_id_), labels_);
    coordinator_.allow(view.class_index, plan.here ? std::numeric_limits<uint64_t>::max() : 0);
    if (view.waiting == 0) {
      continue;
    }
    if (plan.failure) {
      coordinator_.fail_class(view.class_index, *plan.failure);
    } else if (!plan.reason.empty() && warned_.insert(view.class_index).second) {
      warn_job(view.job, "calls wait, and no node can run them: " + plan.reason);
    }
  }
}

}  // namespace sabir::node
