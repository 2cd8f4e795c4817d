#include "runtime/node/cluster/placement_groups.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::cluster {

std::string_view group_phase_name(GroupPhase phase) {
  switch (phase) {
    case GroupPhase::kPending:
      return "pending";
    case GroupPhase::kPreparing:
      return "preparing";
    case GroupPhase::kCommitting:
      return "committing";
    case GroupPhase::kReady:
      return "ready";
  }
  return "?";
}

PlacementGroups::PlacementGroups(uint64_t epoch, GroupOptions options, ResourceView* view, const Clock* clock,
                                 Random* random, GroupInstructions* out)
    : epoch_(epoch),
      options_(options),
      view_(view),
      clock_(clock),
      random_(random),
      out_(out),
      last_attempt_(epoch << 32) {}

void PlacementGroups::clear() {
  for (const auto& [id, group] : groups_) {
    for (const auto& [key, round] : group.rounds) {
      for (DebitId debit : round.debits) {
        view_->settle(debit);
      }
    }
  }
  groups_.clear();
  names_.clear();
  due_.clear();
  pending_.clear();
  preparing_ = 0;
  drops_.clear();  // some of these belong to what was taken back; inventories show the others (G6)
  drops_due_.clear();
  waiters_.clear();
  waiters_due_.clear();
}

void PlacementGroups::load(std::vector<GroupRecord> records) {
  clear();
  std::vector<GroupId> over;
  for (GroupRecord& record : records) {
    if (!record.spec.detached && !record.spec.home.id.is_nil() && !view_->is_member(record.spec.home)) {
      over.push_back(record.spec.id);
    }
    Group& group = groups_[record.spec.id];
    group.record = std::move(record);
    last_order_ = std::max(last_order_, group.record.order);
    if (!group.record.spec.name.empty()) {
      names_[{group.record.spec.name_space, group.record.spec.name}] = group.record.spec.id;
    }
    bool lost = false;
    bool placed = false;
    for (GroupRecord::Bundle& bundle : group.record.bundles) {
      if (!bundle.node.id.is_nil() && !view_->is_member(bundle.node)) {
        bundle = {};
        lost = true;
      }
      placed = placed || !bundle.node.id.is_nil();
    }
    if (lost) {
      group.record.ready = false;
      store(group);
    }
    if (group.record.ready) {
      group.phase = GroupPhase::kReady;
    } else if (placed) {
      start_commit(group);  // G3: perhaps not all of them had heard it
    } else {
      pending_[group.record.order] = group.record.spec.id;
      set_due(group, clock_->now_ns());
    }
  }
  for (const GroupId& id : over) {  // their home died, and nobody had time to say so
    remove(id);
  }
}

// --- Groups

PlacementGroups::Group* PlacementGroups::find_group(const GroupId& id) {
  auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : &found->second;
}

void PlacementGroups::set_due(Group& group, std::optional<int64_t> due_ns) {
  if (group.due_ns) {
    due_.erase({*group.due_ns, group.record.spec.id});
  }
  group.due_ns = due_ns;
  if (due_ns) {
    due_.insert({*due_ns, group.record.spec.id});
  }
}

void PlacementGroups::store(const Group& group) { out_->push_back(StoreGroup{group.record}); }

Result<void> PlacementGroups::create(const GroupSpec& spec) {
  SABIR_RETURN_IF_ERROR(check_group(spec));
  if (const Group* known = find_group(spec.id)) {
    return known->record.spec == spec ? Result<void>()
                                      : already_exists_error("a placement group with this id is another one");
  }
  std::pair<std::string, std::string> name{spec.name_space, spec.name};
  if (!spec.name.empty() && names_.contains(name)) {
    return already_exists_error("there is a placement group " + spec.name + " in namespace " + spec.name_space);
  }
  if (groups_.size() >= kMaxGroups) {
    return exhausted_error("more than " + std::to_string(kMaxGroups) + " placement groups");
  }
  Group& group = groups_[spec.id];
  group.record.spec = spec;
  group.record.order = ++last_order_;
  group.record.bundles.resize(spec.bundles.size());
  if (!spec.name.empty()) {
    names_[name] = spec.id;
  }
  store(group);
  pending_[group.record.order] = spec.id;
  set_due(group, clock_->now_ns());
  return {};
}

void PlacementGroups::remove(const GroupId& id) {
  auto found = groups_.find(id);
  if (found == groups_.end()) {
    return;
  }
  Group& group = found->second;
  out_->push_back(EraseGroup{id});
  if (group.phase == GroupPhase::kPreparing) {
    abort(group, {});
  }
  for (uint32_t i = 0; i < group.record.bundles.size(); ++i) {
    const GroupRecord::Bundle& bundle = group.record.bundles[i];
    if (!bundle.node.id.is_nil()) {
      drop(bundle.node, id, i, bundle.attempt);
    }
  }
  answer_waiters(group, not_found_error("the placement group was removed"));
  set_due(group, std::nullopt);
  pending_.erase(group.record.order);
  if (!group.record.spec.name.empty()) {
    names_.erase({group.record.spec.name_space, group.record.spec.name});
  }
  groups_.erase(found);
  out_->push_back(GroupChanged{id});
  nudge();
}

void PlacementGroups::end_job(const JobKey& job) {
  std::vector<GroupId> over;
  for (const auto& [id, group] : groups_) {
    if (group.record.spec.job == job && !group.record.spec.detached) {
      over.push_back(id);
    }
  }
  for (const GroupId& id : over) {
    remove(id);
  }
}

// --- Waiting

Result<void> PlacementGroups::wait(const GroupId& id, WaiterId waiter, std::optional<int64_t> timeout_ns) {
  Group* group = find_group(id);
  if (group == nullptr) {
    return not_found_error("no such placement group");
  }
  if (group->phase == GroupPhase::kReady) {
    out_->push_back(AnswerWaiter{waiter, {}});
    return {};
  }
  if (group->waiters.size() >= options_.max_waiters && !group->waiters.contains(waiter)) {
    return exhausted_error("more than " + std::to_string(options_.max_waiters) + " wait for this placement group");
  }
  forget_waiter(waiter);
  Waiter& made = waiters_[waiter];
  made.group = id;
  group->waiters.insert(waiter);
  if (timeout_ns) {
    made.deadline_ns = clock_->now_ns() + *timeout_ns;
    waiters_due_.insert({*made.deadline_ns, waiter});
  }
  return {};
}

void PlacementGroups::cancel_wait(WaiterId waiter) { forget_waiter(waiter); }

void PlacementGroups::forget_waiter(WaiterId waiter) {
  auto found = waiters_.find(waiter);
  if (found == waiters_.end()) {
    return;
  }
  if (found->second.deadline_ns) {
    waiters_due_.erase({*found->second.deadline_ns, waiter});
  }
  if (Group* group = find_group(found->second.group)) {
    group->waiters.erase(waiter);
  }
  waiters_.erase(found);
}

void PlacementGroups::answer_waiters(Group& group, const Result<void>& result) {
  while (!group.waiters.empty()) {
    WaiterId waiter = *group.waiters.begin();
    forget_waiter(waiter);
    out_->push_back(AnswerWaiter{waiter, result});
  }
}

// --- Nodes

void PlacementGroups::node_added() { nudge(); }

void PlacementGroups::node_gone(const NodeKey& node) {
  for (auto at = drops_.lower_bound({node, GroupId()}); at != drops_.end() && at->first.first == node;) {
    drops_due_.erase({at->second.due_ns, at->first});
    at = drops_.erase(at);
  }
  std::vector<GroupId> over;
  for (auto& [id, group] : groups_) {
    if (group.record.spec.home == node && !group.record.spec.detached) {
      over.push_back(id);
    } else {
      lose_bundles(group, node);
    }
  }
  for (const GroupId& id : over) {
    remove(id);
  }
}

// G8
void PlacementGroups::lose_bundles(Group& group, const NodeKey& node) {
  bool lost = false;
  for (GroupRecord::Bundle& bundle : group.record.bundles) {
    if (bundle.node == node) {
      bundle = {};
      lost = true;
    }
  }
  bool in_round = std::any_of(group.rounds.begin(), group.rounds.end(),
                              [&](const auto& entry) { return entry.first.first == node; });
  if (!lost && !in_round) {
    return;
  }
  if (lost) {
    group.record.ready = false;
    store(group);
    out_->push_back(GroupChanged{group.record.spec.id});
  }
  switch (group.phase) {
    case GroupPhase::kPending:
      break;
    case GroupPhase::kPreparing:
      abort(group, describe(node) + " died");
      break;
    case GroupPhase::kCommitting:
      std::erase_if(group.rounds, [&](const auto& entry) { return entry.first.first == node; });
      finish_commit_if_answered(group);
      break;
    case GroupPhase::kReady:
      group.phase = GroupPhase::kPending;
      pending_[group.record.order] = group.record.spec.id;
      set_due(group, clock_->now_ns());
      break;
  }
}

void PlacementGroups::on_inventory(const BundleInventory& inventory) {
  if (!view_->is_member(inventory.node)) {
    return;
  }
  for (const BundleInventory::Bundle& one : inventory.bundles) {
    const Group* group = find_group(one.group);
    bool known = false;
    if (group != nullptr && one.index < group->record.bundles.size()) {
      const GroupRecord::Bundle& place = group->record.bundles[one.index];
      known = place.node == inventory.node && place.attempt == one.attempt;
      auto round = group->rounds.find({inventory.node, one.attempt});
      known = known || (round != group->rounds.end() &&
                        std::count(round->second.bundles.begin(), round->second.bundles.end(), one.index) > 0);
    }
    if (!known) {
      drop(inventory.node, one.group, one.index, one.attempt);
    }
  }
}

// --- Questions

std::optional<PlacementGroups::View> PlacementGroups::view(const GroupId& id) const {
  auto found = groups_.find(id);
  if (found == groups_.end()) {
    return std::nullopt;
  }
  return View{&found->second.record, found->second.phase, found->second.infeasible};
}

std::optional<GroupId> PlacementGroups::find(const std::string& name_space, const std::string& name) const {
  auto found = names_.find({name_space, name});
  return found == names_.end() ? std::nullopt : std::optional<GroupId>(found->second);
}

std::vector<PlacementGroups::View> PlacementGroups::views() const {
  std::vector<View> views;
  for (const auto& [id, group] : groups_) {
    views.push_back({&group.record, group.phase, group.infeasible});
  }
  return views;
}

BundleQuery PlacementGroups::query_of(const Group& group) const {
  BundleQuery query{.strategy = group.record.spec.strategy, .bundles = &group.record.spec.bundles};
  for (const GroupRecord::Bundle& bundle : group.record.bundles) {
    query.placed.push_back(bundle.node);
  }
  return query;
}

std::string PlacementGroups::explain(const GroupId& id) const {
  auto found = groups_.find(id);
  if (found == groups_.end()) {
    return "no such placement group";
  }
  const Group& group = found->second;
  switch (group.phase) {
    case GroupPhase::kReady:
      return {};
    case GroupPhase::kPreparing:
      return "its nodes are asked to reserve its bundles";
    case GroupPhase::kCommitting:
      return "its nodes are told that it is complete";
    case GroupPhase::kPending:
      break;
  }
  BundleQuery query = query_of(group);
  Random random(view_->change_count());  // which of equals does not matter here
  if (plan_bundles(query, *view_, random).outcome == Decision::Outcome::kNow) {
    return "there is room for it; it is tried again soon" + (group.refusal.empty() ? "" : ", after: " + group.refusal);
  }
  return explain_bundles(query, *view_);
}

std::vector<BundleLocation> PlacementGroups::locations(const GroupId& id) const {
  std::vector<BundleLocation> locations;
  auto found = groups_.find(id);
  if (found != groups_.end()) {
    const GroupRecord& record = found->second.record;
    for (size_t i = 0; i < record.bundles.size(); ++i) {
      locations.push_back({record.bundles[i].node, record.spec.bundles[i].resources});
    }
  }
  return locations;
}

bool PlacementGroups::quiet() const {
  return drops_.empty() && std::all_of(groups_.begin(), groups_.end(), [](const auto& entry) {
           return entry.second.phase == GroupPhase::kPending || entry.second.phase == GroupPhase::kReady;
         });
}

}  // namespace sabir::cluster
