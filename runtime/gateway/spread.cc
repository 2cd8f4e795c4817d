#include "runtime/gateway/spread.h"

#include <algorithm>
#include <optional>

namespace sabir::gateway {

// Null: this node.
size_t Spread::served_by(const Copies& copies, const Node* source) {
  return static_cast<size_t>(std::count_if(copies.begin(), copies.end(), [&](const auto& entry) {
    const Copy& copy = entry.second;
    return !copy.complete &&
           (source == nullptr ? copy.from_self
                              : std::find(copy.from.begin(), copy.from.end(), *source) != copy.from.end());
  }));
}

// How many hops its bytes take. There are no circles: see locate().
size_t Spread::depth_of(const Copies& copies, const Node& node) {
  auto found = copies.find(node);
  if (found == copies.end() || found->second.complete) {
    return 0;
  }
  size_t depth = 0;
  for (const Node& source : found->second.from) {
    depth = std::max(depth, depth_of(copies, source));
  }
  return depth + 1;
}

Spread::Located Spread::locate(rpc::ObjectId id, const Node& node) {
  auto known = objects_.find(id);
  if (known == objects_.end()) {
    if (objects_.size() >= kMaxObjects) {
      return {true, {}};
    }
    known = objects_.try_emplace(id).first;
  }
  Copies& copies = known->second;
  Copy& asking = copies[node];
  asking.complete = false;
  asking.from_self = false;
  asking.from.clear();

  // Whoever gets it from `node`, by whatever way, must not be asked.
  std::set<Node> behind{node};
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [other, copy] : copies) {
      bool is_behind = !copy.complete && std::any_of(copy.from.begin(), copy.from.end(),
                                                     [&](const Node& source) { return behind.contains(source); });
      grew |= is_behind && behind.insert(other).second;
    }
  }

  // A complete copy before this node: it may be asked by many. This one before those that are still receiving.
  size_t best_cost = served_by(copies, nullptr) * kChainLength * 2 + 1;
  const Node* best = nullptr;
  std::vector<Node> idle;
  for (const auto& [other, copy] : copies) {
    if (behind.contains(other) || asking.refused.contains(other)) {
      continue;
    }
    size_t served = served_by(copies, &other);
    size_t cost = (served * kChainLength + depth_of(copies, other)) * 2;
    if (cost < best_cost) {
      best_cost = cost;
      best = &other;
    }
    if (copy.complete && served == 0) {
      idle.push_back(other);
    }
  }
  Located located;
  if (best == nullptr) {
    asking.from_self = true;
    located.self = true;
  } else {
    located.others.push_back(*best);
  }
  // Several that have all of it and serve nobody share the work.
  if (best == nullptr || copies.at(*best).complete) {
    for (const Node& other : idle) {
      if (located.others.size() < kMaxSources && (best == nullptr || other != *best)) {
        located.others.push_back(other);
      }
    }
  }
  asking.from = located.others;
  return located;
}

void Spread::has(rpc::ObjectId id, const Node& node) {
  auto found = objects_.find(id);
  if (found == objects_.end()) {
    return;
  }
  auto copy = found->second.find(node);
  if (copy != found->second.end()) {
    copy->second = {.complete = true};
  }
}

void Spread::gone(rpc::ObjectId id, const Node& node) {
  auto found = objects_.find(id);
  if (found != objects_.end() && found->second.erase(node) != 0 && found->second.empty()) {
    objects_.erase(found);
  }
}

void Spread::failed(rpc::ObjectId id, const Node& node, const Node& source) {
  auto found = objects_.find(id);
  if (found == objects_.end()) {
    return;
  }
  auto copy = found->second.find(node);
  // Only what is known here: a node that names others without end must not grow this.
  if (copy != found->second.end() && found->second.contains(source)) {
    copy->second.refused.insert(source);
    std::erase(copy->second.from, source);
  }
}

void Spread::lost(const Node& node) {
  for (auto entry = objects_.begin(); entry != objects_.end();) {
    entry->second.erase(node);
    entry = entry->second.empty() ? objects_.erase(entry) : std::next(entry);
  }
}

}  // namespace sabir::gateway
