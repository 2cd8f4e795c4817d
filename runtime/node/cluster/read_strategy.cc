#include "runtime/node/cluster/read_strategy.h"

#include <algorithm>
#include <optional>

#include "runtime/node/cluster/group_messages.h"

namespace sabir::cluster {
namespace {

Result<LabelSelector> read_selector(const LabelConditions& conditions) {
  LabelSelector selector;
  for (const LabelCondition& condition : conditions) {
    SABIR_ASSIGN_OR_RETURN(LabelTerm term, parse_label_term(condition.key, condition.text));
    selector.push_back(std::move(term));
  }
  return selector;
}

}  // namespace

Result<Strategy> read_strategy(const Scheduling& words) {
  Strategy strategy;
  switch (words.kind) {
    case Scheduling::Kind::kDefault:
      break;
    case Scheduling::Kind::kSpread:
      strategy.kind = Strategy::Kind::kSpread;
      break;
    case Scheduling::Kind::kNode: {
      strategy.kind = Strategy::Kind::kAffinity;
      IdBits id;
      if (words.node_id.size() != id.bytes.size()) {
        return invalid_error("a node's id has 16 bytes, not " + std::to_string(words.node_id.size()));
      }
      std::copy(words.node_id.begin(), words.node_id.end(), id.bytes.begin());
      strategy.node = NodeId(id);
      strategy.soft = words.soft;
      break;
    }
    case Scheduling::Kind::kGroup: {
      std::optional<IdBits> id = IdBits::from_bytes(words.group_id);
      if (!id || GroupId(*id).is_nil()) {
        return invalid_error("a placement group's id has 16 bytes");
      }
      if (words.bundle < Placement::kAnyBundle || words.bundle >= static_cast<int32_t>(kMaxBundles)) {
        return invalid_error("no placement group has a bundle " + std::to_string(words.bundle));
      }
      strategy.placement = {GroupId(*id), words.bundle, words.capture_children};
      break;
    }
    default:
      return unsupported_error("this node does not know that scheduling strategy: its release is older");
  }
  SABIR_ASSIGN_OR_RETURN(strategy.selector, read_selector(words.labels));
  for (const LabelConditions& conditions : words.fallback) {
    SABIR_ASSIGN_OR_RETURN(LabelSelector selector, read_selector(conditions));
    strategy.fallback.push_back(std::move(selector));
  }
  SABIR_RETURN_IF_ERROR(check_strategy(strategy));
  return strategy;
}

Scheduling words_of(const Placement& placement) {
  Scheduling words;
  if (placement.in_group()) {
    words.kind = Scheduling::Kind::kGroup;
    words.group_id = placement.group.bits().view();
    words.bundle = placement.bundle;
    words.capture_children = placement.capture_child_calls;
  }
  return words;
}

std::string describe(const Strategy& strategy) {
  std::string text;
  if (strategy.kind == Strategy::Kind::kSpread) {
    text = "spread";
  } else if (strategy.kind == Strategy::Kind::kAffinity) {
    text = describe(NodeKey{.id = strategy.node}) + (strategy.soft ? " or another" : "");
  }
  if (strategy.placement.in_group()) {
    text = "placement group " + strategy.placement.group.hex().substr(0, 8);
    text += strategy.placement.bundle == Placement::kAnyBundle
                ? ""
                : ", bundle " + std::to_string(strategy.placement.bundle);
  }
  auto words = [](const LabelSelector& selector) { return selector.empty() ? "any" : describe(selector); };
  if (!strategy.selector.empty() || !strategy.fallback.empty()) {
    text += (text.empty() ? "labels " : ", labels ") + words(strategy.selector);
  }
  for (const LabelSelector& selector : strategy.fallback) {
    text += ", else " + words(selector);
  }
  return text;
}

}  // namespace sabir::cluster
