#include "runtime/node/cluster/remote_lease_server.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::cluster {

RemoteLeaseServer::RemoteLeaseServer(NodeKey self, LeaseServerOptions options, const ResourceView* view,
                                     NodeLedger* ledger, const Clock* clock, std::vector<LeaseServerInstruction>* out)
    : self_(self), options_(options), view_(view), ledger_(ledger), clock_(clock), out_(out) {}

// --- Requests

void RemoteLeaseServer::refuse(const LeaseRequest& request, std::string reason) {
  out_->emplace_back(LeaseAnswer{.client = request.client,
                                 .server = self_,
                                 .number = request.number,
                                 .outcome = LeaseOutcome::kRefused,
                                 .reason = std::move(reason)});
}

void RemoteLeaseServer::answer(const Key& key, const Lease& lease) {
  out_->emplace_back(LeaseAnswer{.client = key.first,
                                 .server = self_,
                                 .number = key.second,
                                 .outcome = lease.granted ? LeaseOutcome::kGranted : LeaseOutcome::kWaiting,
                                 .slots = lease.keep,
                                 .valid_ns = options_.valid_ns});
}

void RemoteLeaseServer::on_request(const LeaseRequest& request) {
  if (request.server != self_) {
    return;
  }
  if (!view_->is_member(request.client)) {  // E6; or this node is a little behind
    refuse(request, "the asking node is not known here");
    return;
  }
  Key key{request.client, request.number};
  Client& client = clients_[request.client];
  if (request.number < client.next_lease && !client.open.contains(request.number)) {
    return;  // E3: given up meanwhile
  }
  if (auto found = leases_.find(key); found != leases_.end()) {  // E1
    if (found->second.over) {
      refuse(request, "the lease is over");
    } else {
      answer(key, found->second);
    }
    return;
  }
  if (request.slots == 0 || request.slots > kMaxSlotsOfLease || client.leases.size() >= kMaxLeasesOfClient) {
    refuse(request, "too many slots or leases are asked for");
    return;
  }
  if (draining_ && !request.what.placement.in_group()) {
    refuse(request, describe(self_) + " is draining: it takes nothing new");
    return;
  }
  Result<ResourceSet> set = ledger_->resources().resolve(request.what.resources);
  if (!set.ok()) {
    refuse(request, set.error().message());
    return;
  }
  Lease lease{.what = request.what, .set = *std::move(set), .asked = request.slots, .since_ns = clock_->now_ns()};
  bool others_first =
      yields_to_local(lease) || (!request.what.placement.in_group() && goes_first(lease.set, INT64_MAX));
  if (others_first || !try_grant(key, lease)) {
    if (request.wait_ns <= 0 || waiting_.size() >= kMaxWaitingRequests) {
      refuse(request, describe(request.what.resources) + " is not free now");
      return;
    }
    if (ledger_->fit(lease.set, lease.what.placement) == NodeLedger::Fit::kNever) {
      refuse(request, describe(request.what.resources) + " is more than there is here");
      return;
    }
    lease.until_ns = lease.since_ns + request.wait_ns;
    lease.order = ++last_order_;
    waiting_[lease.order] = key;
  }
  client.leases.insert(request.number);
  answer(key, leases_.emplace(key, std::move(lease)).first->second);
}

// --- E7

bool RemoteLeaseServer::in_the_way(const ResourceSet& wanted, const ResourceSet& waiting) const {
  if (!ledger_->attainable(waiting)) {
    return false;
  }
  const node::NodeResources& resources = ledger_->resources();
  bool served_next = resources.fits(waiting);
  return std::any_of(waiting.begin(), waiting.end(), [&](const auto& amount) {
    return wanted.get(amount.id) > 0 && (served_next || resources.lacks(amount));
  });
}

bool RemoteLeaseServer::yields_to_local(const Lease& lease) const {
  return !lease.what.placement.in_group() &&
         std::any_of(local_waiting_.begin(), local_waiting_.end(), [&](const LocalWaiter& waiter) {
           return waiter.since_ns <= lease.since_ns && in_the_way(lease.set, waiter.resources);
         });
}

bool RemoteLeaseServer::goes_first(const ResourceSet& wanted, int64_t since_ns) const {
  for (const auto& [order, key] : waiting_) {
    const Lease& lease = leases_.at(key);
    if (lease.since_ns >= since_ns) {
      break;
    }
    if (!lease.what.placement.in_group() && in_the_way(wanted, lease.set)) {
      return true;
    }
  }
  return false;
}

bool RemoteLeaseServer::try_grant(const Key& key, Lease& lease) {
  for (uint32_t i = 0; i < lease.asked; ++i) {
    std::optional<Claim> claim = ledger_->claim(lease.set, lease.what.placement);
    if (!claim) {
      break;
    }
    slots_.emplace(++last_slot_, SlotState{key, *std::move(claim)});
    lease.unused.insert(last_slot_);
  }
  lease.keep = static_cast<uint32_t>(lease.unused.size());
  lease.granted = lease.keep > 0;
  lease.until_ns = clock_->now_ns() + options_.valid_ns;
  return lease.granted;
}

// --- The ends of leases

void RemoteLeaseServer::release(SlotId slot) {
  ledger_->release(slots_.at(slot).claim);
  slots_.erase(slot);
}

void RemoteLeaseServer::trim(const Key& key, Lease& lease) {
  while (lease.unused.size() + lease.used.size() - lease.doomed > lease.keep && !lease.unused.empty()) {
    SlotId slot = *lease.unused.begin();
    lease.unused.erase(lease.unused.begin());
    release(slot);
  }
  if (lease.over && lease.used.empty()) {
    auto client = clients_.find(key.first);
    client->second.leases.erase(key.second);
    if (client->second.leases.empty() && !view_->is_member(key.first)) {
      clients_.erase(client);
    }
    leases_.erase(Key(key));
  }
}

void RemoteLeaseServer::stop_waiting(Lease& lease) {
  if (lease.order != 0) {
    waiting_.erase(lease.order);
    lease.order = 0;
  }
}

void RemoteLeaseServer::finish(const Key& key) {
  auto found = leases_.find(key);
  if (found != leases_.end() && !found->second.over) {
    stop_waiting(found->second);
    found->second.over = true;
    found->second.keep = 0;
    trim(key, found->second);
  }
}

void RemoteLeaseServer::on_status(const LeaseStatus& status) {
  if (status.server != self_ || !view_->is_member(status.client) || status.open.size() > kMaxLeasesOfClient) {
    return;
  }
  Client& client = clients_[status.client];
  if (status.sequence < client.sequence) {
    return;
  }
  client.sequence = status.sequence;
  client.next_lease = status.next_lease;
  client.open.clear();
  LeaseStatusAnswer answer{
      .client = status.client, .server = self_, .sequence = status.sequence, .valid_ns = options_.valid_ns};
  for (const LeaseStatus::Open& one : status.open) {
    client.open.insert(one.number);
    Key key{status.client, one.number};
    auto found = leases_.find(key);
    if (found == leases_.end() || found->second.over) {
      continue;
    }
    Lease& lease = found->second;
    if (lease.granted) {
      lease.until_ns = clock_->now_ns() + options_.valid_ns;
      if (one.slots == 0) {
        finish(key);
        continue;
      }
      lease.keep = std::min(lease.keep, one.slots);
      answer.held.push_back({one.number, lease.keep});
      trim(key, lease);
    }
  }
  std::vector<LeaseNumber> given_up;
  for (LeaseNumber number : client.leases) {
    if (number < status.next_lease && !client.open.contains(number)) {
      given_up.push_back(number);
    }
  }
  for (LeaseNumber number : given_up) {
    finish({status.client, number});
  }
  out_->emplace_back(std::move(answer));
}

void RemoteLeaseServer::client_gone(const NodeKey& client) {
  auto found = clients_.find(client);
  if (found == clients_.end()) {
    return;
  }
  if (found->second.leases.empty()) {
    clients_.erase(found);
    return;
  }
  for (LeaseNumber number : std::set<LeaseNumber>(found->second.leases)) {
    Key key{client, number};
    for (SlotId slot : leases_.at(key).used) {
      out_->emplace_back(StopSlot{slot, client, number});
    }
    finish(key);
  }
}

void RemoteLeaseServer::end_bundle(BundleNumber bundle) {
  std::set<Key> touched;
  std::vector<SlotId> unused;
  for (auto& [id, slot] : slots_) {
    if (slot.claim.bundle != bundle || slot.doomed) {
      continue;
    }
    touched.insert(slot.lease);
    if (slot.busy) {
      slot.doomed = true;
      leases_.at(slot.lease).doomed += 1;
      out_->emplace_back(StopSlot{id, slot.lease.first, slot.lease.second});
    } else {
      unused.push_back(id);
    }
  }
  for (SlotId id : unused) {
    leases_.at(slots_.at(id).lease).unused.erase(id);
    release(id);
  }
  for (const Key& key : touched) {
    Lease& lease = leases_.at(key);
    lease.keep = std::min(lease.keep, static_cast<uint32_t>(lease.unused.size() + lease.used.size()) - lease.doomed);
    out_->emplace_back(LeaseRecall{key.first, self_, key.second, lease.keep});
  }
}

uint32_t RemoteLeaseServer::recall(const ResourceSet& wanted, uint32_t slots) {
  auto holds_some = [&](const Lease& lease) {
    return std::any_of(lease.set.begin(), lease.set.end(),
                       [&](const auto& amount) { return amount.units > 0 && wanted.get(amount.id) > 0; });
  };
  uint32_t count = 0;
  while (count < slots) {
    const Key* best = nullptr;
    Lease* best_lease = nullptr;
    for (auto& [key, lease] : leases_) {
      // In a bundle it holds nothing of the node's own.
      if (lease.over || lease.keep == 0 || lease.what.placement.in_group() || !holds_some(lease)) {
        continue;
      }
      auto rank = [](const Lease& one) { return std::pair(!one.unused.empty(), one.keep); };
      if (best_lease == nullptr || rank(lease) > rank(*best_lease)) {
        best = &key;
        best_lease = &lease;
      }
    }
    if (best_lease == nullptr) {
      break;
    }
    best_lease->keep -= 1;
    count += 1;
    out_->emplace_back(LeaseRecall{best->first, self_, best->second, best_lease->keep});
    trim(*best, *best_lease);
  }
  return count;
}

// --- Use

std::optional<RemoteLeaseServer::Slot> RemoteLeaseServer::begin(const NodeKey& client, LeaseNumber number) {
  auto found = leases_.find({client, number});
  if (found == leases_.end() || found->second.unused.empty()) {
    return std::nullopt;
  }
  Lease& lease = found->second;
  SlotId id = *lease.unused.begin();
  lease.unused.erase(lease.unused.begin());
  lease.used.insert(id);
  SlotState& slot = slots_.at(id);
  slot.busy = true;
  return Slot{id, slot.claim.gpu_mask, slot.claim.bundle};
}

void RemoteLeaseServer::end(SlotId id) {
  auto found = slots_.find(id);
  SABIR_CHECK(found != slots_.end() && found->second.busy, "slot=", id);
  Key key = found->second.lease;
  Lease& lease = leases_.at(key);
  lease.used.erase(id);
  if (found->second.doomed) {
    lease.doomed -= 1;
    release(id);
  } else {
    found->second.busy = false;
    lease.unused.insert(id);
  }
  trim(key, lease);
}

// --- Time

void RemoteLeaseServer::tick() {
  int64_t now_ns = clock_->now_ns();
  if (members_seen_ != view_->change_count()) {  // E6
    members_seen_ = view_->change_count();
    std::vector<NodeKey> gone;
    for (const auto& [key, client] : clients_) {
      if (!view_->is_member(key)) {
        gone.push_back(key);
      }
    }
    for (const NodeKey& key : gone) {
      client_gone(key);
    }
  }
  std::vector<Key> over;
  for (auto& [key, lease] : leases_) {
    if (!lease.over && lease.until_ns <= now_ns) {
      over.push_back(key);
    }
  }
  for (const Key& key : over) {
    if (!leases_.at(key).granted) {
      out_->emplace_back(LeaseAnswer{.client = key.first,
                                     .server = self_,
                                     .number = key.second,
                                     .outcome = LeaseOutcome::kRefused,
                                     .reason = "nothing became free in time"});
    }
    finish(key);
  }
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto next = std::next(at);
    Key key = at->second;
    Lease& lease = leases_.at(key);
    if ((!draining_ || lease.what.placement.in_group()) && !yields_to_local(lease) && try_grant(key, lease)) {
      lease.order = 0;
      waiting_.erase(at);
      answer(key, lease);
    }
    at = next;
  }
}

std::optional<int64_t> RemoteLeaseServer::next_wake_ns() const {
  std::optional<int64_t> wake;
  for (const auto& [key, lease] : leases_) {
    if (!lease.over) {
      wake = std::min(wake.value_or(INT64_MAX), lease.until_ns);
    }
  }
  return wake;
}

std::vector<std::pair<Amounts, uint32_t>> RemoteLeaseServer::waiting_demand() const {
  std::vector<std::pair<Amounts, uint32_t>> demand;
  for (const auto& [order, key] : waiting_) {
    const Lease& lease = leases_.at(key);
    demand.emplace_back(lease.what.resources, lease.asked);
  }
  return demand;
}

}  // namespace sabir::cluster
