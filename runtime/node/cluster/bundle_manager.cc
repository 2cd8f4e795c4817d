#include "runtime/node/cluster/bundle_manager.h"

#include <algorithm>

namespace sabir::cluster {

BundleManager::BundleManager(NodeKey self, BundleOptions options, NodeLedger* ledger, const Clock* clock,
                             std::vector<EndBundleUsers>* out)
    : self_(self), options_(options), ledger_(ledger), clock_(clock), out_(out) {}

bool BundleManager::listens_to(uint64_t epoch, const NodeKey& node) {
  if (node != self_ || epoch < epoch_) {
    return false;
  }
  epoch_ = epoch;
  return true;
}

std::optional<PrepareAnswer> BundleManager::prepare(const PrepareBundles& message) {
  if (!listens_to(message.epoch, message.node)) {
    return std::nullopt;
  }
  PrepareAnswer answer{.node = self_, .group = message.group, .attempt = message.attempt};
  bool rising = true;
  for (size_t i = 0; i < message.bundles.size(); ++i) {
    rising = rising && message.bundles[i].index < kMaxBundles &&
             (i == 0 || message.bundles[i].index > message.bundles[i - 1].index);
  }
  if (message.bundles.empty() || !rising || reservations_.size() + message.bundles.size() > kMaxInventory) {
    answer.reason = "not a list of bundles, or too many";
    return answer;
  }
  size_t there = 0;
  for (const PrepareBundles::Bundle& bundle : message.bundles) {
    Key key{message.group, bundle.index};
    auto found = reservations_.find(key);
    auto mark = marks_.find(key);
    if ((mark != marks_.end() && mark->second.attempt >= message.attempt) ||
        (found != reservations_.end() && found->second.attempt > message.attempt)) {
      answer.reason = "the attempt is over";
      return answer;
    }
    there += found != reservations_.end() && found->second.attempt == message.attempt ? 1 : 0;
  }
  int64_t until_ns = clock_->now_ns() + options_.prepared_ns;
  if (there == message.bundles.size()) {  // heard twice
    for (const PrepareBundles::Bundle& bundle : message.bundles) {
      reservations_.at({message.group, bundle.index}).until_ns = until_ns;
    }
    answer.prepared = true;
    return answer;
  }
  if (draining_) {
    answer.reason = "it is draining";
    return answer;
  }
  // What earlier attempts left here is over (G1), and may be what this one needs.
  std::vector<std::pair<uint32_t, ResourceSet>> wanted;
  for (const PrepareBundles::Bundle& bundle : message.bundles) {
    if (auto found = reservations_.find({message.group, bundle.index}); found != reservations_.end()) {
      end(found);
    }
    auto set = ledger_->resources().resolve(bundle.resources);
    if (!set.ok()) {
      answer.reason = set.error().message();
      return answer;
    }
    wanted.emplace_back(bundle.index, *set);
  }
  auto numbers = ledger_->reserve(message.group, wanted);
  if (!numbers) {
    answer.reason = "not free any more";
    return answer;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    reservations_[{message.group, wanted[i].first}] = {message.attempt, (*numbers)[i], false, until_ns};
  }
  answer.prepared = true;
  return answer;
}

std::optional<CommitAnswer> BundleManager::commit(const CommitBundles& message) {
  if (!listens_to(message.epoch, message.node)) {
    return std::nullopt;
  }
  CommitAnswer answer{.node = self_, .group = message.group, .attempt = message.attempt};
  for (uint32_t index : message.bundles) {
    auto found = reservations_.find({message.group, index});
    if (found == reservations_.end() || found->second.attempt != message.attempt) {
      answer.unknown.push_back(index);
      continue;
    }
    if (!found->second.committed) {
      found->second.committed = true;
      ledger_->open(found->second.bundle);
    }
    answer.committed.push_back(index);
  }
  return answer;
}

std::optional<DropAnswer> BundleManager::drop(const DropBundles& message) {
  if (!listens_to(message.epoch, message.node)) {
    return std::nullopt;
  }
  for (const DropBundles::Bundle& bundle : message.bundles) {
    Key key{message.group, bundle.index};
    auto found = reservations_.find(key);
    if (found != reservations_.end() && found->second.attempt <= bundle.up_to_attempt) {
      end(found);
    }
    mark(key, bundle.up_to_attempt);
  }
  return DropAnswer{.node = self_, .group = message.group, .bundles = message.bundles};
}

void BundleManager::end(std::map<Key, Reservation>::iterator reservation) {
  const auto& [key, what] = *reservation;
  if (!ledger_->close(what.bundle)) {
    out_->push_back({key.first, key.second, what.bundle});
  }
  reservations_.erase(reservation);
}

void BundleManager::mark(const Key& key, uint64_t attempt) {
  auto [at, added] = marks_.try_emplace(key);
  at->second.attempt = std::max(at->second.attempt, attempt);
  at->second.until_ns = clock_->now_ns() + options_.mark_ns;
  if (added) {
    mark_order_.push_back(key);
  }
  while (marks_.size() > options_.max_marks) {
    marks_.erase(mark_order_.front());
    mark_order_.pop_front();
  }
}

BundleInventory BundleManager::inventory() const {
  BundleInventory inventory{.node = self_};
  for (const auto& [key, what] : reservations_) {
    inventory.bundles.push_back({key.first, key.second, what.attempt, what.committed});
  }
  return inventory;
}

void BundleManager::tick() {
  int64_t now_ns = clock_->now_ns();
  for (auto at = reservations_.begin(); at != reservations_.end();) {
    auto next = std::next(at);
    if (!at->second.committed && at->second.until_ns <= now_ns) {
      end(at);
    }
    at = next;
  }
  // Marks that were renewed go to the end.
  while (!mark_order_.empty()) {
    Key key = mark_order_.front();
    if (marks_.at(key).until_ns > now_ns) {
      break;
    }
    marks_.erase(key);
    mark_order_.pop_front();
  }
}

std::optional<int64_t> BundleManager::next_wake_ns() const {
  std::optional<int64_t> wake;
  for (const auto& [key, what] : reservations_) {
    if (!what.committed) {
      wake = std::min(wake.value_or(INT64_MAX), what.until_ns);
    }
  }
  return wake;
}

std::vector<BundleManager::View> BundleManager::views() const {
  std::vector<View> views;
  for (const auto& [key, what] : reservations_) {
    views.push_back({key.first, key.second, what.attempt, what.bundle, what.committed});
  }
  return views;
}

}  // namespace sabir::cluster
