// The rounds of messages with the nodes: prepare, commit, drop; and what is due.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/node/cluster/placement_groups.h"

namespace sabir::cluster {

namespace {

constexpr int64_t kPerPendingNs = 2 * kMillisecondNs;
constexpr size_t kMaxNudged = 8;

}  // namespace

// --- Prepare

void PlacementGroups::plan(Group& group) {
  if (group.view_seen == view_->change_count()) {
    retry_later(group);
    return;
  }
  group.view_seen = view_->change_count();
  BundleQuery query = query_of(group);
  BundlePlan plan = plan_bundles(query, *view_, *random_);
  group.infeasible = plan.outcome == Decision::Outcome::kInfeasible;
  if (plan.outcome != Decision::Outcome::kNow) {
    retry_later(group);
    return;
  }
  pending_.erase(group.record.order);
  group.phase = GroupPhase::kPreparing;
  preparing_ += 1;
  group.attempt = ++last_attempt_;
  group.deadline_ns = clock_->now_ns() + options_.prepare_timeout_ns;
  for (uint32_t i = 0; i < plan.nodes.size(); ++i) {
    if (group.record.bundles[i].node.id.is_nil()) {
      Round& round = group.rounds[{plan.nodes[i], group.attempt}];
      round.bundles.push_back(i);
      // V6
      round.debits.push_back(view_->debit(plan.nodes[i], *view_->resolve(group.record.spec.bundles[i].resources), 1));
    }
  }
  for (const auto& [key, round] : group.rounds) {
    send_prepare(group, key.first, round);
  }
  set_due(group, clock_->now_ns() + options_.resend_ns);
}

void PlacementGroups::retry_later(Group& group) {
  int64_t pause_ns = options_.first_retry_ns << std::min(group.failures, 10u);
  group.failures += 1;
  // Many that wait take turns: trying costs time, and mostly nothing has changed.
  pause_ns = std::min(pause_ns, options_.max_retry_ns) + kPerPendingNs * static_cast<int64_t>(pending_.size());
  // Half of it is chance, so that groups that failed together do not meet again.
  pause_ns = pause_ns / 2 + static_cast<int64_t>((*random_)() % static_cast<uint64_t>(pause_ns / 2 + 1));
  set_due(group, clock_->now_ns() + pause_ns);
}

void PlacementGroups::send_prepare(const Group& group, const NodeKey& node, const Round& round) {
  PrepareBundles message{.epoch = epoch_, .node = node, .group = group.record.spec.id, .attempt = group.attempt};
  for (uint32_t index : round.bundles) {
    message.bundles.push_back({index, group.record.spec.bundles[index].resources});
  }
  out_->push_back(std::move(message));
}

void PlacementGroups::on_prepared(const PrepareAnswer& answer) {
  Group* group = find_group(answer.group);
  if (group == nullptr || group->phase != GroupPhase::kPreparing || group->attempt != answer.attempt) {
    return;  // of an attempt that was aborted: its drop is under way
  }
  auto found = group->rounds.find({answer.node, answer.attempt});
  if (found == group->rounds.end() || found->second.answered) {
    return;
  }
  for (DebitId debit : found->second.debits) {
    view_->settle(debit);
  }
  found->second.debits.clear();
  if (!answer.prepared) {
    abort(*group, describe(answer.node) + ": " + answer.reason);
    return;
  }
  found->second.answered = true;
  bool all =
      std::all_of(group->rounds.begin(), group->rounds.end(), [](const auto& entry) { return entry.second.answered; });
  if (!all) {
    return;
  }
  // G3: from here on it is decided.
  for (const auto& [key, round] : group->rounds) {
    for (uint32_t index : round.bundles) {
      group->record.bundles[index] = {key.first, group->attempt};
    }
  }
  preparing_ -= 1;
  group->rounds.clear();
  store(*group);
  start_commit(*group);
}

// Every node of the attempt, also those that have not answered: the prepare may still be on its way to them.
void PlacementGroups::abort(Group& group, std::string reason) {
  SABIR_CHECK(group.phase == GroupPhase::kPreparing);
  for (const auto& [key, round] : std::exchange(group.rounds, {})) {
    for (DebitId debit : round.debits) {
      view_->settle(debit);
    }
    for (uint32_t index : round.bundles) {
      drop(key.first, group.record.spec.id, index, group.attempt);
    }
  }
  preparing_ -= 1;
  group.phase = GroupPhase::kPending;
  group.refusal = std::move(reason);
  pending_[group.record.order] = group.record.spec.id;
  retry_later(group);
}

// --- Commit

void PlacementGroups::start_commit(Group& group) {
  group.phase = GroupPhase::kCommitting;
  for (uint32_t i = 0; i < group.record.bundles.size(); ++i) {
    const GroupRecord::Bundle& bundle = group.record.bundles[i];
    if (!bundle.node.id.is_nil()) {
      group.rounds[{bundle.node, bundle.attempt}].bundles.push_back(i);
    }
  }
  for (const auto& [key, round] : group.rounds) {
    send_commit(group, key.first, key.second, round);
  }
  out_->push_back(GroupChanged{group.record.spec.id});
  set_due(group, clock_->now_ns() + options_.resend_ns);
}

void PlacementGroups::send_commit(const Group& group, const NodeKey& node, uint64_t attempt, const Round& round) {
  out_->push_back(CommitBundles{epoch_, node, group.record.spec.id, attempt, round.bundles});
}

void PlacementGroups::on_committed(const CommitAnswer& answer) {
  Group* group = find_group(answer.group);
  if (group == nullptr || group->phase != GroupPhase::kCommitting) {
    return;
  }
  auto found = group->rounds.find({answer.node, answer.attempt});
  if (found == group->rounds.end() || found->second.answered) {
    return;
  }
  for (uint32_t index : answer.unknown) {  // G4
    if (index < group->record.bundles.size() &&
        group->record.bundles[index] == GroupRecord::Bundle{answer.node, answer.attempt}) {
      group->record.bundles[index] = {};
    }
  }
  found->second.answered = true;
  finish_commit_if_answered(*group);
}

void PlacementGroups::finish_commit_if_answered(Group& group) {
  bool all =
      std::all_of(group.rounds.begin(), group.rounds.end(), [](const auto& entry) { return entry.second.answered; });
  if (!all) {
    return;
  }
  group.rounds.clear();
  group.record.ready = std::none_of(group.record.bundles.begin(), group.record.bundles.end(),
                                    [](const GroupRecord::Bundle& bundle) { return bundle.node.id.is_nil(); });
  store(group);
  if (group.record.ready) {
    group.phase = GroupPhase::kReady;
    group.failures = 0;
    group.refusal.clear();
    set_due(group, std::nullopt);
    answer_waiters(group, {});
  } else {
    group.phase = GroupPhase::kPending;
    pending_[group.record.order] = group.record.spec.id;
    set_due(group, clock_->now_ns());
  }
  out_->push_back(GroupChanged{group.record.spec.id});
}

// --- Drop

void PlacementGroups::drop(const NodeKey& node, const GroupId& group, uint32_t index, uint64_t attempt) {
  if (!view_->is_member(node)) {
    return;  // it is dead, and what it had reserved with it
  }
  DropKey key{node, group};
  auto [at, added] = drops_.try_emplace(key);
  uint64_t& up_to = at->second.bundles[index];
  up_to = std::max(up_to, attempt);
  // Several of one decision travel together: sent by the next tick.
  if (!added) {
    drops_due_.erase({at->second.due_ns, key});
  }
  at->second.due_ns = clock_->now_ns();
  drops_due_.insert({at->second.due_ns, key});
}

void PlacementGroups::send_drop(const DropKey& key, Drop& drop) {
  DropBundles message{.epoch = epoch_, .node = key.first, .group = key.second};
  for (const auto& [index, attempt] : drop.bundles) {
    message.bundles.push_back({index, attempt});
  }
  out_->push_back(std::move(message));
  drops_due_.erase({drop.due_ns, key});
  drop.due_ns = clock_->now_ns() + options_.resend_ns;
  drops_due_.insert({drop.due_ns, key});
}

void PlacementGroups::on_dropped(const DropAnswer& answer) {
  DropKey key{answer.node, answer.group};
  auto found = drops_.find(key);
  if (found == drops_.end()) {
    return;
  }
  for (const DropBundles::Bundle& bundle : answer.bundles) {
    auto one = found->second.bundles.find(bundle.index);
    if (one != found->second.bundles.end() && one->second <= bundle.up_to_attempt) {
      found->second.bundles.erase(one);
    }
  }
  if (found->second.bundles.empty()) {
    drops_due_.erase({found->second.due_ns, key});
    drops_.erase(found);
    nudge();  // there is room again
  }
}

// --- Time

void PlacementGroups::run_due(Group& group) {
  switch (group.phase) {
    case GroupPhase::kPreparing:
      if (group.deadline_ns <= clock_->now_ns()) {
        abort(group, "a node did not answer in time");
        return;
      }
      for (const auto& [key, round] : group.rounds) {
        if (!round.answered) {
          send_prepare(group, key.first, round);
        }
      }
      break;
    case GroupPhase::kCommitting:
      for (const auto& [key, round] : group.rounds) {
        if (!round.answered) {
          send_commit(group, key.first, key.second, round);
        }
      }
      break;
    case GroupPhase::kPending:
    case GroupPhase::kReady:
      set_due(group, std::nullopt);
      return;
  }
  set_due(group, clock_->now_ns() + options_.resend_ns);
}

// The oldest ones that wait are tried again.
void PlacementGroups::nudge() {
  size_t left = kMaxNudged;
  for (auto at = pending_.begin(); at != pending_.end() && left > 0; ++at, --left) {
    set_due(groups_.at(at->second), clock_->now_ns());
  }
}

void PlacementGroups::tick() {
  int64_t now_ns = clock_->now_ns();
  view_->expire_debits();
  std::vector<std::pair<uint64_t, GroupId>> to_plan;
  std::vector<GroupId> to_run;
  for (auto at = due_.begin(); at != due_.end() && at->first <= now_ns; ++at) {
    const Group& group = groups_.at(at->second);
    if (group.phase == GroupPhase::kPending) {
      to_plan.emplace_back(group.record.order, at->second);
    } else {
      to_run.push_back(at->second);
    }
  }
  for (const GroupId& id : to_run) {
    run_due(groups_.at(id));
  }
  // First who came first.
  std::sort(to_plan.begin(), to_plan.end());
  size_t plans = 0;
  for (const auto& [order, id] : to_plan) {
    if (plans == options_.max_plans_per_tick) {
      break;  // they stay due
    }
    if (preparing_ >= options_.max_preparing) {
      set_due(groups_.at(id), now_ns + options_.first_retry_ns);
      continue;
    }
    plans += 1;
    plan(groups_.at(id));
  }
  while (!drops_due_.empty() && drops_due_.begin()->first <= now_ns) {
    DropKey key = drops_due_.begin()->second;
    send_drop(key, drops_.at(key));
  }
  while (!waiters_due_.empty() && waiters_due_.begin()->first <= now_ns) {
    WaiterId waiter = waiters_due_.begin()->second;
    forget_waiter(waiter);
    out_->push_back(AnswerWaiter{waiter, timeout_error("the placement group is not ready yet")});
  }
}

std::optional<int64_t> PlacementGroups::next_wake_ns() const {
  std::optional<int64_t> wake;
  auto sooner = [&](const auto& set) {
    if (!set.empty()) {
      wake = std::min(wake.value_or(INT64_MAX), set.begin()->first);
    }
  };
  sooner(due_);
  sooner(drops_due_);
  sooner(waiters_due_);
  return wake;
}

}  // namespace sabir::cluster
