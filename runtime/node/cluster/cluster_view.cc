#include "runtime/node/cluster/cluster_view.h"

#include <algorithm>
#include <string>

namespace sabir::node {

using control::Incarnation;
using control::LogPosition;

ClusterView::ClusterView(Incarnation self, const control::NodeLogSnapshot& joined_at)
    : self_(self),
      position_(joined_at.position),
      settled_(joined_at.settled),
      newest_(joined_at.newest),
      live_(joined_at.live.begin(), joined_at.live.end()) {
  SABIR_CHECK(live_.contains(self_) && self_ <= newest_, "self=", self_);
}

void ClusterView::bury(Incarnation node, LogPosition position, Changes& changes) {
  if (live_.erase(node) > 0) {
    unsettled_[position].push_back(node);
    changes.died.push_back(node);
  }
}

Result<ClusterView::Changes> ClusterView::apply(const control::NodeLogEntry& entry) {
  Changes changes;
  if (entry.position <= position_) {
    return changes;
  }
  if (entry.position != position_ + 1) {
    return invalid_error("entry " + std::to_string(entry.position) + " of the log of nodes after entry " +
                         std::to_string(position_));
  }
  if (entry.died && entry.node == self_) {
    return disconnected_error("this node was declared dead");
  }
  position_ = entry.position;
  if (entry.died) {
    bury(entry.node, entry.position, changes);
  } else if (entry.node > newest_) {
    newest_ = entry.node;
    live_.insert(entry.node);
    changes.joined.push_back(entry.node);
  }
  return changes;
}

Result<ClusterView::Changes> ClusterView::apply(const control::NodeLogSnapshot& snapshot) {
  Changes changes;
  if (snapshot.position <= position_) {
    return changes;
  }
  std::set<Incarnation> live(snapshot.live.begin(), snapshot.live.end());
  if (!live.contains(self_)) {
    return disconnected_error("this node was declared dead");
  }
  position_ = snapshot.position;
  // The entries that a snapshot stands for have lost their positions. That of the last death is right for each of them:
  // deaths are settled together. (That of the snapshot is not: it may be a join's, and then nobody ever settles it.)
  for (Incarnation node : std::vector<Incarnation>(live_.begin(), live_.end())) {
    if (!live.contains(node)) {
      bury(node, snapshot.last_death, changes);
    }
  }
  for (Incarnation node : live) {
    if (node > newest_) {
      live_.insert(node);
      changes.joined.push_back(node);
    }
  }
  newest_ = std::max(newest_, snapshot.newest);
  return changes;
}

Result<ClusterView::Changes> ClusterView::settle(LogPosition position) {
  Changes changes;
  if (position <= settled_) {
    return changes;
  }
  if (position > position_) {
    return invalid_error("entry " + std::to_string(position) + " of the log of nodes is settled and this node knows " +
                         std::to_string(position_));
  }
  settled_ = position;
  auto end = unsettled_.upper_bound(position);
  for (auto at = unsettled_.begin(); at != end; ++at) {
    changes.settled.insert(changes.settled.end(), at->second.begin(), at->second.end());
  }
  unsettled_.erase(unsettled_.begin(), end);
  return changes;
}

ClusterView::Standing ClusterView::standing(Incarnation node) const {
  if (node == self_) {
    return Standing::kSelf;
  }
  if (live_.contains(node)) {
    return Standing::kLive;
  }
  return node > newest_ ? Standing::kNotYet : Standing::kDead;
}

std::vector<Incarnation> ClusterView::unsettled() const {
  std::vector<Incarnation> all;
  for (const auto& [position, nodes] : unsettled_) {
    all.insert(all.end(), nodes.begin(), nodes.end());
  }
  return all;
}

}  // namespace sabir::node
