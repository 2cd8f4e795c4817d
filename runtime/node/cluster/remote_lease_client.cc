#include "runtime/node/cluster/remote_lease_client.h"

#include <algorithm>

namespace sabir::cluster {
namespace {

constexpr size_t kMaxChoices = 8;         // of one class in one tick
constexpr uint32_t kMaxWaitingSlots = 4;  // that a request asks for which waits
constexpr uint32_t kQuickRetries = 3;
constexpr int64_t kViewPauseNs = 20 * kMillisecondNs;
constexpr int64_t kStatusPauseNs = 10 * kMillisecondNs;

}  // namespace

RemoteLeaseClient::RemoteLeaseClient(NodeKey self, LeaseClientOptions options, ResourceView* view, const Clock* clock,
                                     Random* random, std::vector<LeaseClientInstruction>* out)
    : self_(self), options_(options), view_(view), clock_(clock), random_(random), out_(out) {}

// --- Classes

void RemoteLeaseClient::add_class(const LeaseClass& what, Strategy strategy) {
  Class& made = classes_[what.token];
  made.what = what;
  made.what.placement = strategy.placement;
  made.strategy = std::move(strategy);
  made.removed = false;
}

void RemoteLeaseClient::remove_class(ClassToken token) {
  auto found = classes_.find(token);
  if (found == classes_.end()) {
    return;
  }
  found->second.removed = true;
  found->second.backlog = 0;
  for (LeaseNumber number : std::set<LeaseNumber>(found->second.leases)) {
    Lease& lease = leases_.at(number);
    if (lease.state == State::kHeld) {
      set_slots(number, lease, lease.in_flight);
    } else {
      forget(number);
    }
  }
  found = classes_.find(token);  // with its last lease it may be gone
  if (found != classes_.end() && found->second.leases.empty()) {
    classes_.erase(found);
  }
}

void RemoteLeaseClient::set_backlog(ClassToken token, uint32_t calls, std::vector<ArgumentBytes> arguments) {
  auto found = classes_.find(token);
  if (found != classes_.end() && !found->second.removed) {
    found->second.backlog = calls;
    found->second.arguments = std::move(arguments);
  }
}

void RemoteLeaseClient::set_group(const GroupId& group, std::vector<BundleLocation> bundles) {
  if (bundles.empty()) {
    groups_.erase(group);
  } else {
    groups_[group] = std::move(bundles);
  }
  for (auto& [token, what] : classes_) {
    if (what.strategy.placement.group == group) {
      what.retry_ns = 0;
      what.failures = 0;
    }
  }
}

uint32_t RemoteLeaseClient::wanted(const Class& what) const {
  int64_t wanted = what.backlog;
  for (LeaseNumber number : what.leases) {
    const Lease& lease = leases_.at(number);
    if (lease.state == State::kHeld) {
      wanted -= std::max<int64_t>(int64_t{lease.slots} - lease.in_flight, 0);
    } else {
      wanted -= lease.request.slots;
    }
  }
  return static_cast<uint32_t>(std::max<int64_t>(wanted, 0));
}

PlacementQuery RemoteLeaseClient::query_of(const Class& what, const std::vector<NodeId>& refused) const {
  auto bundles = groups_.find(what.strategy.placement.group);
  return {.resources = &what.what.resources,
          .strategy = &what.strategy,
          .local = self_.id,
          .arguments = what.arguments,
          .refused = refused,
          .bundles = bundles == groups_.end() ? nullptr : &bundles->second};
}

Decision::Outcome RemoteLeaseClient::outcome(ClassToken token) const {
  auto found = classes_.find(token);
  return found == classes_.end() ? Decision::Outcome::kNow : found->second.outcome;
}

std::string RemoteLeaseClient::explain(ClassToken token) const {
  auto found = classes_.find(token);
  return found == classes_.end() ? "" : explain_placement(query_of(found->second, {}), *view_);
}

// --- Asking

void RemoteLeaseClient::pause(Class& what) {
  int64_t pause_ns = std::min(options_.first_retry_ns << std::min(what.failures, 10u), options_.max_retry_ns);
  what.failures += 1;
  // Half of it is chance: nodes that were refused together do not come back together.
  what.retry_ns =
      clock_->now_ns() + pause_ns / 2 + static_cast<int64_t>((*random_)() % static_cast<uint64_t>(pause_ns / 2 + 1));
}

void RemoteLeaseClient::decide(Class& what) {
  what.decided_ns = clock_->now_ns();
  what.view_seen = view_->change_count();
  std::erase_if(what.refused, [&](const auto& entry) { return entry.second <= clock_->now_ns(); });
  std::vector<NodeId> refused;
  for (const auto& [id, until_ns] : what.refused) {
    refused.push_back(id);
  }
  uint32_t left = wanted(what);
  bool waits = std::any_of(what.leases.begin(), what.leases.end(), [&](LeaseNumber number) {
    return leases_.at(number).request.wait_ns > 0 && leases_.at(number).state != State::kHeld;
  });
  for (size_t i = 0; i < kMaxChoices && left > 0; ++i) {
    PlacementQuery query = query_of(what, refused);
    Decision decision = choose_node(query, *view_, *random_);
    what.outcome = decision.outcome;
    bool local = decision.node.id == self_.id;
    if (decision.outcome == Decision::Outcome::kInfeasible || decision.node.id.is_nil() ||
        (decision.outcome == Decision::Outcome::kLater && (local || waits))) {
      break;
    }
    uint32_t count = std::min(left, options_.max_slots_per_request);
    bool may_wait = decision.outcome == Decision::Outcome::kLater;
    if (may_wait) {
      count = std::min(count, kMaxWaitingSlots);
    } else if (what.strategy.kind == Strategy::Kind::kSpread) {
      count = std::min<uint32_t>(count, 1 + left / static_cast<uint32_t>(view_->nodes().size()));
    }
    if (!what.what.placement.in_group() && !may_wait) {
      std::optional<ResourceSet> set = view_->resolve(what.what.resources);
      count = std::max(view_->find(decision.node.id)->capacity.count_fitting(*set, count), 1u);
      if (local) {
        view_->debit(decision.node, *set, count);
      }
    }
    if (local) {
      out_->emplace_back(RunHere{what.what.token, count});
    }
    left -= count;
    if (!local) {
      if (leases_.size() >= kMaxLeasesOfClient) {
        break;
      }
      ask(what, decision.node, count, may_wait);
    } else if (what.what.placement.in_group()) {
      break;
    }
    waits = waits || may_wait;
    if (what.what.placement.in_group()) {
      refused.push_back(decision.node.id);  // asked just now: the next one
    }
  }
  if (left > 0) {
    pause(what);
  }
}

void RemoteLeaseClient::ask(Class& what, const NodeKey& node, uint32_t slots, bool may_wait) {
  LeaseNumber number = next_lease_++;
  Lease& lease = leases_[number];
  lease.request = {.client = self_, .server = node, .number = number, .what = what.what, .slots = slots};
  lease.request.wait_ns = may_wait ? options_.wait_ns : 0;
  if (!what.what.placement.in_group()) {
    lease.debit = view_->debit(node, *view_->resolve(what.what.resources), slots);  // V6
  }
  lease.sent_ns = clock_->now_ns();
  lease.deadline_ns = clock_->now_ns() + options_.answer_timeout_ns;
  what.leases.insert(number);
  servers_.try_emplace(node, Server{.sent_ns = clock_->now_ns()}).first->second.leases.insert(number);
  out_->emplace_back(lease.request);
}

// --- Leases

void RemoteLeaseClient::set_slots(LeaseNumber number, Lease& lease, uint32_t slots) {
  if (slots < lease.slots) {
    lease.slots = slots;
    servers_.at(lease.request.server).dirty = true;
    out_->emplace_back(UseSlots{lease.request.what.token, lease.request.server, number, slots});
  }
  if (lease.state == State::kHeld && lease.slots == 0 && lease.in_flight == 0) {
    forget(number);
  }
}

void RemoteLeaseClient::forget(LeaseNumber number) {
  auto found = leases_.find(number);
  view_->settle(found->second.debit);
  if (auto server = servers_.find(found->second.request.server); server != servers_.end()) {
    server->second.leases.erase(number);
    server->second.dirty = true;
  }
  if (auto what = classes_.find(found->second.request.what.token); what != classes_.end()) {
    what->second.leases.erase(number);
    if (what->second.removed && what->second.leases.empty()) {
      classes_.erase(what);
    }
  }
  leases_.erase(found);
}

void RemoteLeaseClient::set_in_flight(LeaseNumber number, uint32_t calls) {
  auto found = leases_.find(number);
  if (found == leases_.end()) {
    return;
  }
  found->second.in_flight = calls;
  set_slots(number, found->second, found->second.slots);
}

void RemoteLeaseClient::on_answer(const LeaseAnswer& answer) {
  if (answer.client != self_) {
    return;
  }
  if (answer.report) {
    view_->apply_report(*answer.report);
  }
  auto found = leases_.find(answer.number);
  if (found == leases_.end() || found->second.request.server != answer.server) {
    // Given up meanwhile: the next status says so (E3).
    if (answer.outcome != LeaseOutcome::kRefused && view_->is_member(answer.server)) {
      servers_.try_emplace(answer.server, Server{.sent_ns = clock_->now_ns()}).first->second.dirty = true;
    }
    return;
  }
  Lease& lease = found->second;
  if (lease.state == State::kHeld) {
    return;
  }
  auto what = classes_.find(lease.request.what.token);
  switch (answer.outcome) {
    case LeaseOutcome::kGranted:
      if (answer.slots == 0) {
        forget(answer.number);  // recalled before it was here
        return;
      }
      view_->settle(lease.debit);
      lease.state = State::kHeld;
      lease.slots = std::min(answer.slots, kMaxSlotsOfLease);
      valid_ns_ = std::clamp<int64_t>(answer.valid_ns, kSecondNs, 3600 * kSecondNs);
      lease.deadline_ns = lease.sent_ns + valid_ns_;
      what->second.failures = 0;
      out_->emplace_back(UseSlots{lease.request.what.token, answer.server, answer.number, lease.slots});
      break;
    case LeaseOutcome::kWaiting:
      view_->settle(lease.debit);
      if (lease.state == State::kAsked) {
        lease.state = State::kWaiting;
        lease.deadline_ns = clock_->now_ns() + lease.request.wait_ns + options_.answer_timeout_ns;
      }
      break;
    case LeaseOutcome::kRefused:
      what->second.refused[answer.server.id] = clock_->now_ns() + options_.refusal_ns;
      if (lease.request.wait_ns == 0 && what->second.failures < kQuickRetries) {
        what->second.failures += 1;  // it brought news: choose again at once
        what->second.retry_ns = clock_->now_ns();
      } else {
        pause(what->second);
      }
      forget(answer.number);
      break;
  }
}

void RemoteLeaseClient::on_recall(const LeaseRecall& recall) {
  auto found = leases_.find(recall.number);
  if (recall.client == self_ && found != leases_.end() && found->second.request.server == recall.server &&
      found->second.state == State::kHeld) {
    set_slots(recall.number, found->second, recall.slots);
  }
}

void RemoteLeaseClient::on_status_answer(const LeaseStatusAnswer& answer) {
  auto found = servers_.find(answer.server);
  if (answer.client != self_ || found == servers_.end() || found->second.sequence != answer.sequence) {
    return;
  }
  Server& server = found->second;
  server.answered = true;
  std::map<LeaseNumber, uint32_t> held;
  for (const LeaseStatusAnswer::Held& one : answer.held) {
    held[one.number] = one.slots;
  }
  for (LeaseNumber number : std::set<LeaseNumber>(server.leases)) {
    Lease& lease = leases_.at(number);
    if (lease.state != State::kHeld || lease.listed_in == 0 || lease.listed_in > answer.sequence) {
      continue;
    }
    auto there = held.find(number);
    if (there != held.end()) {
      lease.deadline_ns = server.sent_ns + valid_ns_;
    }
    set_slots(number, lease, there == held.end() ? 0 : there->second);
  }
}

void RemoteLeaseClient::node_gone(const NodeKey& node) {
  auto found = servers_.find(node);
  if (found == servers_.end()) {
    return;
  }
  std::set<LeaseNumber> over = std::move(found->second.leases);
  servers_.erase(found);
  for (LeaseNumber number : over) {
    Lease& lease = leases_.at(number);
    if (lease.slots > 0) {
      out_->emplace_back(UseSlots{lease.request.what.token, node, number, 0});
    }
    classes_.at(lease.request.what.token).retry_ns = 0;
    forget(number);
  }
}

// --- Time

std::optional<int64_t> RemoteLeaseClient::due_ns(const Class& what) const {
  if (wanted(what) == 0) {
    return std::nullopt;
  }
  // News of the cluster are worth a look, but not each of them.
  bool news = what.view_seen != view_->change_count();
  return news ? std::min(what.retry_ns, what.decided_ns + kViewPauseNs) : what.retry_ns;
}

std::optional<int64_t> RemoteLeaseClient::due_ns(const Lease& lease) const {
  if (lease.state != State::kHeld) {
    // A request that waits is repeated to learn that its answer was lost.
    int64_t pause_ns = lease.state == State::kAsked ? options_.resend_ns : 3 * options_.resend_ns;
    return std::min(lease.deadline_ns, lease.sent_ns + pause_ns);
  }
  if (lease.slots == 0) {
    return std::nullopt;
  }
  return lease.unused_since_ns ? std::min(lease.deadline_ns, *lease.unused_since_ns + options_.idle_ns)
                               : lease.deadline_ns;
}

std::optional<int64_t> RemoteLeaseClient::due_ns(const Server& server) const {
  if (!server.answered) {
    return server.sent_ns + options_.resend_ns;
  }
  if (server.dirty) {
    return server.sent_ns + kStatusPauseNs;
  }
  bool held = std::any_of(server.leases.begin(), server.leases.end(),
                          [&](LeaseNumber number) { return leases_.at(number).state == State::kHeld; });
  return held ? std::optional<int64_t>(server.sent_ns + valid_ns_ / 3) : std::nullopt;
}

void RemoteLeaseClient::check_lease(LeaseNumber number, Lease& lease) {
  int64_t now_ns = clock_->now_ns();
  if (lease.state == State::kHeld) {
    const Class& what = classes_.at(lease.request.what.token);
    bool unused = lease.in_flight < lease.slots && what.backlog == 0;
    if (!unused) {
      lease.unused_since_ns.reset();
    } else if (!lease.unused_since_ns) {
      lease.unused_since_ns = now_ns;
    }
    if (lease.deadline_ns <= now_ns) {
      set_slots(number, lease, 0);  // E4
    } else if (unused && *lease.unused_since_ns + options_.idle_ns <= now_ns) {
      lease.unused_since_ns.reset();
      set_slots(number, lease, lease.in_flight);  // E5
    }
  } else if (lease.deadline_ns <= now_ns) {
    Class& what = classes_.at(lease.request.what.token);
    what.refused[lease.request.server.id] = now_ns + options_.refusal_ns;
    forget(number);
  } else if (*due_ns(lease) <= now_ns) {
    lease.sent_ns = now_ns;
    out_->emplace_back(lease.request);
  }
}

void RemoteLeaseClient::check_server(const NodeKey& key, Server& server) {
  std::optional<int64_t> due = due_ns(server);
  if (!due || *due > clock_->now_ns()) {
    return;
  }
  server.sequence = ++last_sequence_;
  server.sent_ns = clock_->now_ns();
  server.answered = false;
  server.dirty = false;
  LeaseStatus status{.client = self_, .server = key, .sequence = server.sequence, .next_lease = next_lease_};
  for (LeaseNumber number : server.leases) {
    Lease& lease = leases_.at(number);
    bool held = lease.state == State::kHeld;
    status.open.push_back({number, held ? lease.slots : LeaseStatus::kAsked});
    if (held && lease.listed_in == 0) {
      lease.listed_in = server.sequence;
    }
  }
  out_->emplace_back(std::move(status));
}

void RemoteLeaseClient::tick() {
  view_->expire_debits();
  if (members_seen_ != view_->change_count()) {  // E6
    members_seen_ = view_->change_count();
    std::vector<NodeKey> gone;
    for (const auto& [key, server] : servers_) {
      if (!view_->is_member(key)) {
        gone.push_back(key);
      }
    }
    for (const NodeKey& key : gone) {
      node_gone(key);
    }
  }
  for (auto at = leases_.begin(); at != leases_.end();) {
    auto next = std::next(at);
    check_lease(at->first, at->second);
    at = next;
  }
  for (auto& [token, what] : classes_) {
    std::optional<int64_t> due = due_ns(what);
    if (due && *due <= clock_->now_ns()) {
      decide(what);
    }
  }
  for (auto at = servers_.begin(); at != servers_.end();) {
    auto next = std::next(at);
    check_server(at->first, at->second);
    if (at->second.leases.empty() && at->second.answered && !at->second.dirty) {
      servers_.erase(at);  // it has nothing of ours, and knows it
    }
    at = next;
  }
}

std::optional<int64_t> RemoteLeaseClient::next_wake_ns() const {
  std::optional<int64_t> wake;
  auto sooner = [&](std::optional<int64_t> due) {
    if (due) {
      wake = std::min(wake.value_or(INT64_MAX), *due);
    }
  };
  for (const auto& [number, lease] : leases_) {
    sooner(due_ns(lease));
  }
  for (const auto& [key, server] : servers_) {
    sooner(due_ns(server));
  }
  for (const auto& [token, what] : classes_) {
    sooner(due_ns(what));
  }
  return wake;
}

uint32_t RemoteLeaseClient::slot_count() const {
  uint32_t count = 0;
  for (const auto& [number, lease] : leases_) {
    count += lease.slots;
  }
  return count;
}

}  // namespace sabir::cluster
