#include "runtime/node/groups.h"

#include <algorithm>

#include "runtime/base/overloaded.h"

namespace sabir::node {

using cluster::GroupId;
using cluster::GroupRequest;
using cluster::GroupStage;
using cluster::GroupState;
using cluster::NodeKey;
using Kind = GroupRequest::Kind;

namespace {

constexpr int64_t kLookAgainNs = kMillisecondNs;  // for room

Error is_gone() {
  return {ErrorKind::kGroupRemoved, "there is no such placement group: it was removed, or ended with its job"};
}

GroupState gone_state(const GroupId& group) {
  GroupState state;
  state.spec.id = group;
  state.stage = GroupStage::kGone;
  return state;
}

}  // namespace

Groups::Groups(NodeKey self, uint64_t epoch, GroupsOptions options, cluster::NodeLedger* ledger, const Clock* clock,
               Hooks hooks)
    : self_(self),
      epoch_(epoch),
      options_(options),
      ledger_(ledger),
      clock_(clock),
      hooks_(std::move(hooks)),
      bundles_(self, {}, ledger, clock, &ends_) {}

void Groups::lead(cluster::ResourceView* view, cluster::GroupStorage* storage) {
  coordinator_ = std::make_unique<cluster::GroupCoordinator>(
      epoch_, cluster::GroupOptions{}, view, clock_, epoch_, storage,
      [this](const NodeKey&, cluster::GroupMessage message) { inbox_.push_back(std::move(message)); });
}

void Groups::coordinator_changed(uint64_t epoch) {
  epoch_ = epoch;
  inventory_due_ns_ = 0;
  for (auto& [number, question] : questions_) {
    question.resend_ns = 0;
  }
  std::vector<GroupId> to_ask;  // an answer, which may come at once, changes what is known
  for (const auto& [id, state] : known_) {
    to_ask.push_back(id);
  }
  for (const GroupId& id : to_ask) {
    if (asked_.insert(id).second) {
      ask({.kind = Kind::kFind, .group = id}, std::nullopt, [this, id](const Result<std::vector<GroupState>>& found) {
        asked_.erase(id);
        if (found.ok() && !found->empty()) {
          learn(found->front());
        } else if (found.ok() || found.error().kind() == ErrorKind::kGroupRemoved) {
          learn(gone_state(id));
        }
      });
    }
  }
  tick();
}

// --- Questions

void Groups::ask(GroupRequest request, std::optional<int64_t> timeout_ns, Answered answered) {
  if (questions_.size() >= options_.max_questions) {
    if (answered) {
      answered(exhausted_error("too many questions about placement groups wait for an answer"));
    }
    return;
  }
  request.number = ++last_number_;
  Question& question = questions_[request.number];
  question.request = request;
  question.answered = std::move(answered);
  question.resend_ns = clock_->now_ns() + options_.resend_ns;
  if (timeout_ns) {
    question.deadline_ns = clock_->now_ns() + *timeout_ns;
  }
  send(request);
  pump();
}

void Groups::create(cluster::GroupSpec spec, int64_t timeout_ns, Done answered) {
  GroupState made;
  made.spec = spec;
  made.nodes.resize(spec.bundles.size());
  GroupId id = spec.id;
  ask({.kind = Kind::kCreate, .spec = std::move(spec)}, timeout_ns,
      [this, id, made = std::move(made), answered = std::move(answered)](Result<std::vector<GroupState>> result) {
        if (!result.ok()) {
          answered(std::move(result).error());
          return;
        }
        if (!known_.contains(id) && !gone_.contains(id)) {
          learn(made);
        }
        answered({});
      });
}

void Groups::remove(const GroupId& group, int64_t timeout_ns, Done answered) {
  ask({.kind = Kind::kRemove, .group = group}, timeout_ns,
      [this, group, answered = std::move(answered)](Result<std::vector<GroupState>> result) {
        if (!result.ok()) {
          answered(std::move(result).error());
          return;
        }
        learn(gone_state(group));
        answered({});
      });
}

void Groups::find(const GroupId& group, const std::string& name, const std::string& name_space, int64_t timeout_ns,
                  Found answered) {
  bool one = !group.is_nil() || !name.empty();
  ask({.kind = Kind::kFind, .group = group, .name = name, .name_space = name_space}, timeout_ns,
      [this, one, answered = std::move(answered)](Result<std::vector<GroupState>> found) {
        if (one && found.ok() && !found->empty()) {
          learn(found->front());
        }
        answered(std::move(found));
      });
}

void Groups::end_job(const cluster::JobKey& job) {
  // One that is repeated later would make a group that nothing ends.
  std::vector<Answered> over;
  for (auto at = questions_.begin(); at != questions_.end();) {
    const GroupRequest& request = at->second.request;
    bool is_over = request.kind == Kind::kCreate && request.spec.job == job;
    if (is_over) {
      over.push_back(std::move(at->second.answered));
    }
    at = is_over ? questions_.erase(at) : std::next(at);
  }
  // Without an end: a coordinator that does not answer now has the job's groups until it does.
  ask({.kind = Kind::kEndJob, .job = job}, std::nullopt, nullptr);
  for (const Answered& answered : over) {
    answered(Error(ErrorKind::kGroupRemoved, "its job has ended"));
  }
}

bool Groups::watch(const GroupId& group, Done settled) {
  if (gone_.contains(group)) {
    settled(is_gone());
    return false;
  }
  if (auto found = known_.find(group); found != known_.end() && found->second.stage == GroupStage::kReady) {
    return true;
  }
  auto [at, added] = watched_.try_emplace(group);
  at->second.push_back(std::move(settled));
  if (added) {
    ask({.kind = Kind::kWait, .group = group}, std::nullopt,
        [this, group](const Result<std::vector<GroupState>>& result) {
          auto waiting = watched_.extract(group);
          for (const Done& done : waiting.empty() ? std::vector<Done>() : waiting.mapped()) {
            done(result.ok() ? Result<void>() : Result<void>(result.error()));
          }
        });
  }
  return false;
}

const GroupState* Groups::known(const GroupId& group) {
  auto found = known_.find(group);
  if (found != known_.end()) {
    return &found->second;
  }
  static const GroupState kGone = gone_state({});
  if (gone_.contains(group)) {
    return &kGone;
  }
  if (asked_.insert(group).second) {
    find(group, "", "", INT64_MAX / 2, [this, group](const Result<std::vector<GroupState>>& answer) {
      asked_.erase(group);
      if (!answer.ok() && answer.error().kind() == ErrorKind::kGroupRemoved) {
        learn(gone_state(group));
      }
    });
    // The coordinator may be here.
    found = known_.find(group);
    return found != known_.end() ? &found->second : gone_.contains(group) ? &kGone : nullptr;
  }
  return nullptr;
}

void Groups::learn(const GroupState& state) {
  const GroupId& id = state.spec.id;
  if (gone_.contains(id)) {
    return;  // ids are used once
  }
  if (state.stage == GroupStage::kGone) {
    known_.erase(id);
    remember_gone(id);
    changed_ = true;
    return;
  }
  auto [at, added] = known_.try_emplace(id, state);
  if (!added && at->second.version <= state.version) {
    at->second = state;
  }
  changed_ = true;
}

void Groups::remember_gone(const GroupId& group) {
  if (gone_.insert(group).second) {
    gone_order_.push_back(group);
  }
  while (gone_.size() > options_.max_remembered) {
    gone_.erase(gone_order_.front());
    gone_order_.pop_front();
  }
}

// --- Messages

void Groups::send(cluster::GroupMessage message) {
  if (coordinator_) {
    inbox_.push_back(std::move(message));
  } else {
    hooks_.send(message);
  }
}

void Groups::send(const GroupRequest& request) {
  GroupRequest sent = request;
  sent.epoch = epoch_;
  send(cluster::GroupMessage(std::move(sent)));
}

void Groups::on_message(const cluster::GroupMessage& message) {
  inbox_.push_back(message);
  pump();
}

void Groups::pump() {
  if (pumping_) {
    return;
  }
  pumping_ = true;
  while (!inbox_.empty()) {
    cluster::GroupMessage message = std::move(inbox_.front());
    inbox_.pop_front();
    receive(message);
  }
  pumping_ = false;
}

void Groups::receive(const cluster::GroupMessage& message) {
  auto answer_to = [&](auto answer) {
    take_ends();
    if (answer) {
      hooks_.report();
      send(cluster::GroupMessage(*std::move(answer)));
    }
    changed_ = true;
  };
  std::visit(Overloaded{
                 [&](const cluster::PrepareBundles& what) { prepare(what, clock_->now_ns() + options_.room_ns); },
                 [&](const cluster::CommitBundles& what) { answer_to(bundles_.commit(what)); },
                 [&](const cluster::DropBundles& what) {
                   std::erase_if(preparing_, [&](const Preparing& one) { return one.message.group == what.group; });
                   answer_to(bundles_.drop(what));
                 },
                 [&](const cluster::GroupAnswer& what) {
                   auto question = questions_.extract(what.number);
                   if (!question.empty() && question.mapped().answered) {
                     question.mapped().answered(what.failure ? Result<std::vector<GroupState>>(*what.failure)
                                                             : Result<std::vector<GroupState>>(what.groups));
                   }
                 },
                 [&](const GroupState& what) { learn(what); },
                 [&](const auto&) {
                   if (coordinator_) {  // else it is of somebody who does not know whom he talks to
                     if (std::holds_alternative<GroupRequest>(message)) {
                       hooks_.report();
                     }
                     coordinator_->on_message(self_, message);
                   }
                 },
             },
             message);
}

void Groups::prepare(const cluster::PrepareBundles& message, int64_t until_ns) {
  ResourceSet wanted;
  for (const cluster::PrepareBundles::Bundle& bundle : message.bundles) {
    if (Result<ResourceSet> set = ledger_->resources().resolve(bundle.resources); set.ok()) {
      for (const auto& amount : *set) {
        wanted.set(amount.id, wanted.get(amount.id) + amount.units);
      }
    }
  }
  std::vector<cluster::BundleManager::View> there = bundles_.views();
  bool known = std::any_of(there.begin(), there.end(), [&](const auto& one) {
    return one.group == message.group && one.attempt == message.attempt;
  });
  if (!known && clock_->now_ns() < until_ns && !hooks_.make_room(wanted)) {
    std::erase_if(preparing_, [&](const Preparing& one) {
      return one.message.group == message.group && one.message.attempt <= message.attempt;
    });
    preparing_.push_back({message, until_ns});
    return;
  }
  std::optional<cluster::PrepareAnswer> answer = bundles_.prepare(message);
  take_ends();
  if (answer) {
    hooks_.report();
    send(cluster::GroupMessage(*std::move(answer)));
  }
}

void Groups::take_ends() {
  for (const cluster::EndBundleUsers& end : std::exchange(ends_, {})) {
    closing_.insert(end.bundle);
    changed_ = true;
  }
}

// --- Time

void Groups::tick() {
  int64_t now_ns = clock_->now_ns();
  for (Preparing& one : std::exchange(preparing_, {})) {
    prepare(one.message, one.until_ns);
  }
  bundles_.tick();
  take_ends();
  if (now_ns >= inventory_due_ns_) {
    inventory_due_ns_ = now_ns + options_.inventory_ns;
    if (!bundles_.empty()) {
      send(cluster::GroupMessage(bundles_.inventory()));
    }
  }
  answer_late_questions();
  if (coordinator_) {
    coordinator_->tick();
  }
  pump();
}

void Groups::answer_late_questions() {
  int64_t now_ns = clock_->now_ns();
  std::vector<uint64_t> late;
  for (auto& [number, question] : questions_) {
    if (question.deadline_ns && *question.deadline_ns <= now_ns) {
      late.push_back(number);
    } else if (question.resend_ns <= now_ns) {
      question.resend_ns = now_ns + options_.resend_ns;
      send(question.request);
    }
  }
  for (uint64_t number : late) {
    auto question = questions_.extract(number);
    if (question.empty()) {
      continue;
    }
    if (question.mapped().request.kind == Kind::kCreate) {
      // It may have been made, and nobody would know of it.
      ask({.kind = Kind::kRemove, .group = question.mapped().request.spec.id}, std::nullopt, nullptr);
    }
    if (question.mapped().answered) {
      question.mapped().answered(timeout_error("nobody answered who knows the placement groups"));
    }
  }
}

std::optional<int64_t> Groups::next_wake_ns() const {
  std::optional<int64_t> wake;
  auto sooner = [&](std::optional<int64_t> at) {
    if (at) {
      wake = std::min(wake.value_or(*at), *at);
    }
  };
  if (!preparing_.empty()) {
    sooner(clock_->now_ns() + kLookAgainNs);
  }
  sooner(bundles_.next_wake_ns());
  for (const auto& [number, question] : questions_) {
    if (!coordinator_) {
      sooner(question.resend_ns);
    }
    sooner(question.deadline_ns);
  }
  if (coordinator_) {
    sooner(coordinator_->next_wake_ns());
  } else if (!bundles_.empty()) {
    sooner(inventory_due_ns_);
  }
  return wake;
}

}  // namespace sabir::node
