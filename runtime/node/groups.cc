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

Groups::Groups(NodeKey self, NodeKey coordinator, GroupsOptions options, cluster::NodeLedger* ledger,
               const Clock* clock, Hooks hooks)
    : self_(self),
      coordinator_node_(coordinator),
      options_(options),
      ledger_(ledger),
      clock_(clock),
      hooks_(std::move(hooks)),
      bundles_(self, {}, ledger, clock, &ends_) {}

void Groups::lead(uint64_t epoch, cluster::ResourceView* view, cluster::GroupStorage* storage,
                  std::vector<cluster::GroupRecord> records) {
  coordinator_ = std::make_unique<cluster::GroupCoordinator>(
      epoch, cluster::GroupOptions{}, view, clock_, epoch ^ self_.incarnation, storage,
      [this](const NodeKey& to, cluster::GroupMessage message) { send(to, std::move(message)); });
  coordinator_->load(std::move(records));
  pump();
}

void Groups::coordinator_changed(const NodeKey& coordinator) {
  coordinator_node_ = coordinator;
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
  send(coordinator_node_, std::move(request));
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
  // Without an end: a coordinator that does not answer now has the job's groups until it does.
  ask({.kind = Kind::kEndJob, .job = job}, std::nullopt, nullptr);
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

void Groups::send(const NodeKey& to, cluster::GroupMessage message) {
  if (to == self_) {
    inbox_.push_back({self_, std::move(message)});
  } else {
    hooks_.send(to, message);
  }
}

void Groups::on_message(const NodeKey& from, const cluster::GroupMessage& message) {
  inbox_.push_back({from, message});
  pump();
}

void Groups::pump() {
  if (pumping_) {
    return;
  }
  pumping_ = true;
  while (!inbox_.empty()) {
    Letter letter = std::move(inbox_.front());
    inbox_.pop_front();
    receive(letter);
  }
  pumping_ = false;
}

void Groups::receive(const Letter& letter) {
  auto answer_to = [&](auto answer) {
    take_ends();
    if (answer) {
      hooks_.report();
      send(letter.from, *std::move(answer));
    }
    changed_ = true;
  };
  std::visit(
      Overloaded{
          [&](const cluster::PrepareBundles& what) { prepare(letter.from, what, clock_->now_ns() + options_.room_ns); },
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
            if (coordinator_) {
              if (std::holds_alternative<GroupRequest>(letter.message)) {
                hooks_.report();
              }
              coordinator_->on_message(letter.from, letter.message);
            }
          },
      },
      letter.message);
}

void Groups::prepare(const NodeKey& from, const cluster::PrepareBundles& message, int64_t until_ns) {
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
    preparing_.push_back({from, message, until_ns});
    return;
  }
  std::optional<cluster::PrepareAnswer> answer = bundles_.prepare(message);
  take_ends();
  if (answer) {
    hooks_.report();
    send(from, *std::move(answer));
  }
}

void Groups::take_ends() {
  for (const cluster::EndBundleUsers& end : std::exchange(ends_, {})) {
    closing_.insert(end.bundle);
    changed_ = true;
  }
}

void Groups::node_added() {
  if (coordinator_) {
    coordinator_->node_added();
    pump();
  }
}

void Groups::node_gone(const NodeKey& node) {
  if (coordinator_) {
    coordinator_->node_gone(node);
    pump();
  }
}

// --- Time

void Groups::tick() {
  int64_t now_ns = clock_->now_ns();
  for (Preparing& one : std::exchange(preparing_, {})) {
    prepare(one.from, one.message, one.until_ns);
  }
  bundles_.tick();
  take_ends();
  if (now_ns >= inventory_due_ns_) {
    inventory_due_ns_ = now_ns + options_.inventory_ns;
    if (!bundles_.empty()) {
      send(coordinator_node_, bundles_.inventory());
    }
  }
  std::vector<uint64_t> late;
  for (auto& [number, question] : questions_) {
    if (question.deadline_ns && *question.deadline_ns <= now_ns) {
      late.push_back(number);
    } else if (question.resend_ns <= now_ns) {
      question.resend_ns = now_ns + options_.resend_ns;
      send(coordinator_node_, question.request);
    }
  }
  for (uint64_t number : late) {
    auto question = questions_.extract(number);
    if (!question.empty() && question.mapped().answered) {
      question.mapped().answered(timeout_error("nobody answered who knows the placement groups"));
    }
  }
  if (coordinator_) {
    coordinator_->tick();
  }
  pump();
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
    if (coordinator_node_ != self_) {
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
