#include "runtime/control/node_log.h"

#include <algorithm>

namespace sabir::control {

NodeLog::NodeLog(const NodeLogSnapshot& kept)
    : end_(kept.position), last_death_(kept.last_death), settled_(kept.settled), newest_(kept.newest) {
  for (Incarnation node : kept.live) {
    acknowledged_.emplace(node, kept.settled);
  }
}

NodeLogEntry NodeLog::join() {
  NodeLogEntry entry{.position = ++end_, .node = ++newest_};
  acknowledged_.emplace(entry.node, entry.position);
  return entry;
}

std::optional<NodeLogEntry> NodeLog::die(Incarnation node) {
  if (acknowledged_.erase(node) == 0) {
    return std::nullopt;
  }
  last_death_ = ++end_;
  settle();  // of use only when nobody is left
  return NodeLogEntry{.position = end_, .node = node, .died = true};
}

Result<void> NodeLog::acknowledge(Incarnation node, LogPosition position) {
  auto found = acknowledged_.find(node);
  if (found == acknowledged_.end()) {
    return disconnected_error("node " + std::to_string(node) + " is not alive");
  }
  if (position > end_) {
    return invalid_error("node " + std::to_string(node) + " acknowledges entry " + std::to_string(position) + " of " +
                         std::to_string(end_));
  }
  found->second = std::max(found->second, position);
  settle();
  return {};
}

// Deaths are settled together: a borrower of the one who died first may have died later, and what it had lent on is
// under the protection of the first one until the second one's death is acknowledged, too.
void NodeLog::settle() {
  bool all = std::ranges::all_of(acknowledged_, [this](const auto& node) { return node.second >= last_death_; });
  if (all) {
    settled_ = std::max(settled_, last_death_);
  }
}

NodeLogSnapshot NodeLog::snapshot() const {
  NodeLogSnapshot all{.position = end_, .last_death = last_death_, .settled = settled_, .newest = newest_};
  for (const auto& [node, position] : acknowledged_) {
    all.live.push_back(node);
  }
  return all;
}

}  // namespace sabir::control
