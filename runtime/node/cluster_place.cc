// Where calls and actors of this node run: decided here, carried out by its ClusterHost.
#include "runtime/node/cluster_agent.h"

namespace sabir::node {

using cluster::NodeKey;

namespace {

// Calls that no node can run: a node that can may be about to join.
constexpr int64_t kWarnAfterNs = kSecondNs;
constexpr int64_t kLocalPatienceNs = 60 * kMillisecondNs;  // of actors
// An actor that is sent to a node stays with it: it waits for any that has room, before it waits at a full one.
constexpr int64_t kAnyNodePatienceNs = 5 * kSecondNs;
// An actor that does not live after so long may wait at a full node; whether it does, the node is asked so often.
constexpr int64_t kHostPatienceNs = 2 * kSecondNs;
constexpr int64_t kReclaimPauseNs = kSecondNs;

}  // namespace

void ClusterAgent::place_calls(bool all) {
  if (!member_) {
    return;
  }
  view_->expire_debits();
  for (const ClassBacklog& backlog : host_.backlogs(all)) {
    PlacePlan plan = placer_.plan(backlog, *view_);
    if (plan.here) {
      host_.allow_here(backlog.class_index, *plan.here);
    }
    for (const auto& [node, share] : plan.elsewhere) {
      host_.send_calls(backlog, node, share);
    }
    if (plan.let_go) {
      host_.let_go(backlog.class_index);
    }
    if (plan.failure) {
      host_.fail_calls(backlog.class_index, *plan.failure);
    } else if (plan.infeasible) {
      warn_of(backlog);
    } else {
      warned_.erase(backlog.class_index);
    }
  }
}

void ClusterAgent::warn_of(const ClassBacklog& backlog) {
  std::optional<int64_t> since_ns = placer_.waits_since_ns(backlog.class_index);
  if (since_ns && clock_.now_ns() - *since_ns >= kWarnAfterNs && warned_.insert(backlog.class_index).second) {
    host_.warn_of_calls(backlog.job,
                        "calls wait, and no node can run them: " + explain(backlog.resources, backlog.place.strategy));
  }
}

cluster::Decision ClusterAgent::choose(const cluster::Amounts& resources, const cluster::Strategy& strategy) {
  return view_ ? placer_.choose(resources, strategy, *view_)
               : cluster::Decision{cluster::Decision::Outcome::kLater, self_};
}

std::optional<NodeKey> ClusterAgent::choose_elsewhere(const cluster::Amounts& resources, int64_t waited_ns) {
  cluster::Decision decision = choose(resources, {});
  bool elsewhere = decision.node.id != self_.id && !decision.node.id.is_nil();
  bool has_room = decision.outcome == cluster::Decision::Outcome::kNow;
  bool may_wait_there = decision.outcome == cluster::Decision::Outcome::kLater && waited_ns >= kAnyNodePatienceNs;
  return elsewhere && (has_room || may_wait_there) ? std::optional(decision.node) : std::nullopt;
}

bool ClusterAgent::place_by_strategy(const ActorBacklog& backlog, int64_t waited_ns) {
  cluster::Decision decision = choose(backlog.resources, backlog.strategy);
  if (decision.outcome == cluster::Decision::Outcome::kInfeasible) {
    if (placer_.is_over(backlog.strategy, *view_, waited_ns)) {
      host_.fail_actor(backlog.actor, "it may live on one node only, and that can never be: " +
                                          explain(backlog.resources, backlog.strategy));
      return true;
    }
    return false;
  }
  if (decision.node.id == self_.id) {
    host_.allow_actor(backlog.actor);
    return false;
  }
  if (decision.outcome == cluster::Decision::Outcome::kLater &&
      backlog.strategy.kind != cluster::Strategy::Kind::kAffinity && waited_ns < kAnyNodePatienceNs) {
    return false;
  }
  host_.place_actor(backlog.actor, decision.node);
  return true;
}

void ClusterAgent::spill_actors() {
  std::map<shm::ActorIndex, int64_t> since;
  for (const ActorBacklog& backlog : host_.waiting_actors()) {
    auto known = actors_waiting_since_ns_.find(backlog.actor);
    int64_t waiting_since = known != actors_waiting_since_ns_.end() ? known->second : clock_.now_ns();
    warn_of(backlog, clock_.now_ns() - waiting_since);
    if (backlog.strategy != cluster::Strategy{} || options_.visiting) {
      if (!place_by_strategy(backlog, clock_.now_ns() - waiting_since)) {
        since.emplace(backlog.actor, waiting_since);
      }
      continue;
    }
    std::optional<NodeKey> node;
    int64_t waited_ns = clock_.now_ns() - waiting_since;
    if (waited_ns >= kLocalPatienceNs || !placer_.fits_here(backlog.resources, *view_)) {
      node = choose_elsewhere(backlog.resources, waited_ns);
    }
    if (node) {
      host_.place_actor(backlog.actor, *node);
    } else {
      since.emplace(backlog.actor, waiting_since);
    }
  }
  std::erase_if(warned_actors_, [&](shm::ActorIndex actor) { return !since.contains(actor); });
  actors_waiting_since_ns_ = std::move(since);
}

// A11: two homes with old views may have sent two actors to one place, or the place went to a third.
void ClusterAgent::reclaim_actors() {
  int64_t now_ns = clock_.now_ns();
  if (now_ns - reclaimed_ns_ < kReclaimPauseNs) {
    return;
  }
  reclaimed_ns_ = now_ns;
  for (const ActorElsewhere& one : host_.actors_elsewhere()) {
    if (now_ns - one.since_ns < kHostPatienceNs) {
      continue;
    }
    cluster::Decision decision = placer_.look(one.actor.resources, one.actor.strategy, *view_);
    if (decision.outcome == cluster::Decision::Outcome::kNow && decision.node.id != one.host.id) {
      send(one.host, cluster::ReclaimActor{one.id, one.incarnation});
    }
  }
}

void ClusterAgent::warn_of(const ActorBacklog& backlog, int64_t waited_ns) {
  if (waited_ns >= kWarnAfterNs && placer_.is_infeasible(backlog.resources, backlog.strategy, *view_) &&
      warned_actors_.insert(backlog.actor).second) {
    host_.warn_of_calls(backlog.job, "an actor of class " + backlog.class_name + " waits, and no node can host it: " +
                                         explain(backlog.resources, backlog.strategy));
  }
}

std::string ClusterAgent::explain(const cluster::Amounts& resources, const cluster::Strategy& strategy) const {
  return view_ ? placer_.explain(resources, strategy, *view_) : std::string();
}

std::string ClusterAgent::explain_infeasible(const cluster::Amounts& resources,
                                             const cluster::Strategy& strategy) const {
  return view_ && placer_.is_infeasible(resources, strategy, *view_) ? explain(resources, strategy) : std::string();
}

}  // namespace sabir::node
