// Where tasks and actors run.
#ifndef SABIR_SCHEDULING_HPP_
#define SABIR_SCHEDULING_HPP_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sabir/error.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {
class RawScheduling;
}
class PlacementGroup;  // placement_group.hpp

// Conditions on labels of nodes, all of which a node must meet: {{"zone", "in(eu, us)"}, {"disk", "!hdd"}}. A condition
// is "eu", "!eu", "in(eu, us)", "!in(eu, us)", "exists()" or "!exists()".
using LabelSelector = std::map<std::string, std::string>;

// One is made by a function, and changed by others: Scheduling::labels({{"zone", "eu"}}).otherwise({{"zone", "us"}}).
// As it is without any: here if there is room, else on a node that has it.
class Scheduling {
 public:
  Scheduling() = default;
  // In a bundle of a placement group: the one with this index, or (-1) any that has room. `capture_children`: what is
  // called and made inside, and says nothing of where it is to run, does so in the group, too.
  static Scheduling group(const PlacementGroup& group, int bundle = -1, bool capture_children = false);
  // In no group, also where the caller's group captures what it calls.
  static Scheduling no_group() { return Scheduling(SABIR_STRATEGY_GROUP, "", false); }
  // On all nodes alike.
  static Scheduling spread() { return Scheduling(SABIR_STRATEGY_SPREAD, "", false); }
  // On one node, whose id is in nodes() and context(). If it is gone or can never run it: UnschedulableError, or, with
  // `soft`, elsewhere.
  static Scheduling node(std::string node_id, bool soft = false) {
    return Scheduling(SABIR_STRATEGY_NODE, std::move(node_id), soft);
  }
  // On nodes that meet this.
  static Scheduling labels(LabelSelector selector) { return Scheduling().with_labels(std::move(selector)); }

  Scheduling with_labels(LabelSelector selector) const {
    Scheduling changed = *this;
    changed.labels_ = std::move(selector);
    return changed;
  }
  // Instead, when no node of those named before has room now; several are tried in their order.
  Scheduling otherwise(LabelSelector selector) const {
    Scheduling changed = *this;
    changed.fallbacks_.push_back(std::move(selector));
    return changed;
  }

  bool is_default() const { return strategy_ == SABIR_STRATEGY_DEFAULT && labels_.empty() && fallbacks_.empty(); }
  // Different for those that differ.
  std::string key() const {
    std::string made = std::to_string(strategy_) + (soft_ ? "s" : "h") + node_id_ + key(labels_) + group_id_ + ":" +
                       std::to_string(bundle_) + (capture_children_ ? "c" : "");
    for (const LabelSelector& selector : fallbacks_) {
      made += key(selector);
    }
    return made;
  }

 private:
  friend class detail::RawScheduling;

  Scheduling(sabir_strategy strategy, std::string node_id, bool soft)
      : strategy_(strategy), soft_(soft), node_id_(std::move(node_id)) {}
  static std::string key(const LabelSelector& selector) {
    std::string made = "/" + std::to_string(selector.size());
    for (const auto& condition : selector) {
      made += " " + std::to_string(condition.first.size()) + ":" + condition.first + " " +
              std::to_string(condition.second.size()) + ":" + condition.second;
    }
    return made;
  }

  sabir_strategy strategy_ = SABIR_STRATEGY_DEFAULT;
  bool soft_ = false;
  std::string node_id_;
  LabelSelector labels_;
  std::vector<LabelSelector> fallbacks_;
  std::string group_id_;
  int32_t bundle_ = -1;
  bool capture_children_ = false;
};

namespace detail {

// One as the C interface takes it; the Scheduling must outlive it.
class RawScheduling {
 public:
  explicit RawScheduling(const Scheduling& scheduling) : is_default_(scheduling.is_default()) {
    conditions_.reserve(scheduling.fallbacks_.size() + 1);
    raw_.strategy = scheduling.strategy_;
    raw_.soft = scheduling.soft_ ? 1 : 0;
    raw_.node_id = {scheduling.node_id_.data(), scheduling.node_id_.size()};
    raw_.labels = selector(scheduling.labels_);
    for (const LabelSelector& fallback : scheduling.fallbacks_) {
      fallbacks_.push_back(selector(fallback));
    }
    raw_.fallbacks = fallbacks_.data();
    raw_.fallback_count = fallbacks_.size();
    raw_.group_id = {scheduling.group_id_.data(), scheduling.group_id_.size()};
    raw_.bundle = scheduling.bundle_;
    raw_.capture_children = scheduling.capture_children_ ? 1 : 0;
  }
  RawScheduling(const RawScheduling&) = delete;
  RawScheduling& operator=(const RawScheduling&) = delete;

  const sabir_scheduling* get() const { return is_default_ ? nullptr : &raw_; }

 private:
  sabir_label_selector selector(const LabelSelector& given) {
    std::vector<sabir_label>& list = conditions_.emplace_back();
    for (const auto& condition : given) {
      list.push_back(
          {{condition.first.data(), condition.first.size()}, {condition.second.data(), condition.second.size()}});
    }
    return {list.data(), list.size()};
  }

  const bool is_default_;
  sabir_scheduling raw_ = SABIR_SCHEDULING_INIT;
  std::vector<std::vector<sabir_label>> conditions_;  // reserved: the arrays do not move
  std::vector<sabir_label_selector> fallbacks_;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_SCHEDULING_HPP_
