#include "runtime/node/cluster/group_coordinator.h"

#include "runtime/base/overloaded.h"

namespace sabir::cluster {
namespace {

Error is_gone() {
  return {ErrorKind::kGroupRemoved, "there is no such placement group: it was removed, or ended with its job"};
}

}  // namespace

GroupCoordinator::GroupCoordinator(uint64_t epoch, GroupOptions options, ResourceView* view, const Clock* clock,
                                   uint64_t seed, GroupStorage* storage, Send send)
    : view_(view),
      random_(seed),
      groups_(epoch, options, view, clock, &random_, &instructions_),
      storage_(storage),
      send_(std::move(send)),
      version_(epoch << 32) {}

void GroupCoordinator::load(std::vector<GroupRecord> records) {
  instructions_.clear();
  waiters_.clear();
  waiter_of_.clear();
  held_.clear();
  durable_ = commits_;
  std::set<GroupId> stored;
  for (const GroupRecord& record : records) {
    stored.insert(record.spec.id);
  }
  // Nobody was told that the others are there.
  std::erase_if(listeners_, [&](const auto& entry) { return !stored.contains(entry.first); });
  groups_.load(std::move(records));
  carry_out();
  for (const PlacementGroups::View& view : groups_.views()) {
    tell(view.record->spec.id);
  }
}

void GroupCoordinator::on_message(const NodeKey& from, const GroupMessage& message) {
  if (!view_->is_member(from)) {
    return;  // K2
  }
  // A node speaks for itself.
  auto own = [&](const auto& what) { return what.node == from; };
  std::visit(Overloaded{
                 [&](const PrepareAnswer& what) { own(what) ? groups_.on_prepared(what) : void(); },
                 [&](const CommitAnswer& what) { own(what) ? groups_.on_committed(what) : void(); },
                 [&](const DropAnswer& what) { own(what) ? groups_.on_dropped(what) : void(); },
                 [&](const BundleInventory& what) { own(what) ? groups_.on_inventory(what) : void(); },
                 [&](const GroupRequest& what) { on_request(from, what); }, [](const auto&) {},  // for nodes
             },
             message);
  carry_out();
}

void GroupCoordinator::on_request(const NodeKey& from, const GroupRequest& request) {
  using Kind = GroupRequest::Kind;
  switch (request.kind) {
    case Kind::kCreate: {
      GroupAnswer told{.number = request.number};
      if (Result<void> made = create(request.spec); !made.ok()) {
        told.failure = made.error();
      } else {
        listeners_[request.spec.id].insert(from);
        groups_.tick();  // at once, if there is room
      }
      answer(from, std::move(told));
      return;
    }
    case Kind::kRemove:
      groups_.remove(request.group);
      groups_.tick();  // what it had is dropped at once
      answer(from, {.number = request.number});
      return;
    case Kind::kWait:
      wait(from, request);
      return;
    case Kind::kCancelWait:
      if (auto waiter = waiter_of_.find({from, request.wait_number}); waiter != waiter_of_.end()) {
        groups_.cancel_wait(waiter->second);
        waiters_.erase(waiter->second);
        waiter_of_.erase(waiter);
      }
      return;
    case Kind::kFind:
      find(from, request);
      return;
    case Kind::kEndJob:
      end_job(request.job);
      groups_.tick();
      answer(from, {.number = request.number});
      return;
  }
}

Result<void> GroupCoordinator::create(const GroupSpec& spec) {
  if (!spec.detached && ended_jobs_.contains(spec.job)) {
    return Error(ErrorKind::kGroupRemoved, "its job has ended");
  }
  if (Result<void> good = check_group(spec); !good.ok()) {
    return good;
  }
  GroupRecord record{.spec = spec, .bundles = std::vector<GroupRecord::Bundle>(spec.bundles.size())};
  if (encode_group(record).size() > kMaxGroupBytes) {
    return invalid_error("the bundles of a placement group, with their names and labels, have at most " +
                         std::to_string(kMaxGroupBytes) + " bytes");
  }
  return groups_.create(spec);
}

void GroupCoordinator::end_job(const JobKey& job) {
  groups_.end_job(job);
  if (ended_jobs_.insert(job).second) {
    ended_order_.push_back(job);
  }
  if (ended_order_.size() > kMaxEndedJobs) {
    ended_jobs_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
}

void GroupCoordinator::wait(const NodeKey& from, const GroupRequest& request) {
  std::pair<NodeKey, uint64_t> key{from, request.number};
  if (waiter_of_.contains(key)) {
    return;  // heard again
  }
  if (groups_.view(request.group)) {
    listeners_[request.group].insert(from);
  }
  WaiterId waiter = ++last_waiter_;
  waiters_[waiter] = {from, request.number};
  waiter_of_[key] = waiter;
  if (Result<void> waits = groups_.wait(request.group, waiter, std::nullopt); !waits.ok()) {
    waiters_.erase(waiter);
    waiter_of_.erase(key);
    bool gone = waits.error().kind() == ErrorKind::kNotFound;
    answer(from, {.number = request.number, .failure = gone ? is_gone() : waits.error()});
  }
}

void GroupCoordinator::find(const NodeKey& from, const GroupRequest& request) {
  GroupAnswer told{.number = request.number};
  if (request.group.is_nil() && request.name.empty()) {
    size_t bundles = 0;
    for (const PlacementGroups::View& view : groups_.views()) {
      bundles += view.record->bundles.size();
      if (told.groups.size() >= kMaxGroupsTold || bundles > kMaxBundlesTold) {
        break;
      }
      told.groups.push_back(state_of(view));
    }
    answer(from, std::move(told));
    return;
  }
  GroupId id = request.group;
  if (id.is_nil()) {
    id = groups_.find(request.name_space, request.name).value_or(GroupId());
  }
  if (std::optional<PlacementGroups::View> view = groups_.view(id)) {
    listeners_[id].insert(from);
    told.groups.push_back(state_of(*view));
  } else if (request.group.is_nil()) {
    told.failure = not_found_error("no placement group is called " + request.name);
  } else {
    told.failure = is_gone();
  }
  answer(from, std::move(told));
}

void GroupCoordinator::node_added() {
  groups_.node_added();
  carry_out();
}

void GroupCoordinator::node_gone(const NodeKey& node) {
  for (auto at = waiter_of_.lower_bound({node, 0}); at != waiter_of_.end() && at->first.first == node;) {
    groups_.cancel_wait(at->second);
    waiters_.erase(at->second);
    at = waiter_of_.erase(at);
  }
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    at->second.erase(node);
    at = at->second.empty() ? listeners_.erase(at) : std::next(at);
  }
  groups_.node_gone(node);
  carry_out();
}

void GroupCoordinator::tick() {
  groups_.tick();
  carry_out();
}

// --- What goes out

void GroupCoordinator::carry_out() {
  // In runs: changes of records, then what follows them (K1). Carrying out appends nothing.
  std::vector<GroupChange> changes;
  auto store = [&] {
    if (!changes.empty()) {
      uint64_t number = ++commits_;
      storage_->commit(std::exchange(changes, {}), [this, number] { committed(number); });
    }
  };
  for (GroupInstruction& instruction : std::exchange(instructions_, {})) {
    bool is_change = std::holds_alternative<StoreGroup>(instruction) || std::holds_alternative<EraseGroup>(instruction);
    if (!is_change) {
      store();
    }
    carry_out(instruction, changes);
  }
  store();
}

void GroupCoordinator::carry_out(GroupInstruction& instruction, std::vector<GroupChange>& changes) {
  std::visit(Overloaded{
                 [&](StoreGroup& what) {
                   GroupId id = what.record.spec.id;
                   changes.push_back({id, std::move(what.record)});
                 },
                 [&](EraseGroup& what) {
                   changes.push_back({what.group, std::nullopt});
                 },
                 [&](AnswerWaiter& what) {
                   auto waiter = waiters_.find(what.waiter);
                   if (waiter == waiters_.end()) {
                     return;
                   }
                   Waiter to = waiter->second;
                   waiter_of_.erase({to.node, to.number});
                   waiters_.erase(waiter);
                   GroupAnswer told{.number = to.number};
                   if (!what.result.ok()) {
                     bool gone = what.result.error().kind() == ErrorKind::kNotFound;
                     told.failure = gone ? is_gone() : what.result.error();
                   }
                   post(to.node, std::move(told));
                 },
                 [&](GroupChanged& what) { tell(what.group); },
                 [&](const PrepareBundles& what) { post(what.node, what); },
                 [&](const CommitBundles& what) { post(what.node, what); },
                 [&](const DropBundles& what) { post(what.node, what); },
             },
             instruction);
}

void GroupCoordinator::answer(const NodeKey& to, GroupAnswer told) {
  carry_out();  // what it stands behind comes first
  post(to, std::move(told));
}

void GroupCoordinator::post(const NodeKey& to, GroupMessage message) {
  if (durable_ == commits_ && held_.empty()) {
    send_(to, std::move(message));
  } else {
    held_.push_back({commits_, {to, std::move(message)}});
  }
}

void GroupCoordinator::committed(uint64_t number) {
  durable_ = number;
  while (!held_.empty() && held_.front().after <= durable_) {
    Message message = std::move(held_.front().message);
    held_.pop_front();
    send_(message.to, std::move(message.message));
  }
}

GroupState GroupCoordinator::state_of(const PlacementGroups::View& view) const {
  GroupState state{.spec = view.record->spec, .infeasible = view.infeasible, .version = version_};
  bool placed = false;
  for (const GroupRecord::Bundle& bundle : view.record->bundles) {
    state.nodes.push_back(bundle.node);
    placed = placed || !bundle.node.id.is_nil();
  }
  switch (view.phase) {
    case GroupPhase::kReady:
      state.stage = GroupStage::kReady;
      return state;
    case GroupPhase::kPreparing:
    case GroupPhase::kCommitting:
      state.stage = GroupStage::kPreparing;
      break;
    case GroupPhase::kPending:
      state.stage = placed ? GroupStage::kReplacing : GroupStage::kPending;
      break;
  }
  state.reason = groups_.explain(view.record->spec.id);
  return state;
}

void GroupCoordinator::tell(const GroupId& group) {
  version_ += 1;
  auto listeners = listeners_.find(group);
  if (listeners == listeners_.end()) {
    return;
  }
  std::optional<PlacementGroups::View> view = groups_.view(group);
  GroupState state{.spec = {.id = group}, .stage = GroupStage::kGone, .version = version_};
  if (view) {
    state = state_of(*view);
  }
  for (const NodeKey& node : listeners->second) {
    post(node, state);
  }
  if (!view) {
    listeners_.erase(listeners);
  }
}

std::vector<GroupState> GroupCoordinator::states() const {
  std::vector<GroupState> states;
  for (const PlacementGroups::View& view : groups_.views()) {
    states.push_back(state_of(view));
  }
  return states;
}

}  // namespace sabir::cluster
