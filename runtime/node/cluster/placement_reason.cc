// The texts behind "waiting" and "infeasible".
#include <algorithm>
#include <set>

#include "runtime/node/cluster/placement.h"

namespace sabir::cluster {
namespace {

using Node = ResourceView::Node;

constexpr size_t kMaxExamples = 4;

std::string cut(std::string text) {
  if (text.size() > kMaxReasonBytes) {
    text.resize(kMaxReasonBytes - 3);
    text += "...";
  }
  return text;
}

// What stands at a label of the nodes, for who asked for another value.
std::string values_of(const std::string& key, const ResourceView& view) {
  std::set<std::string> values;
  for (const Node& node : view.nodes()) {
    if (node.usable()) {
      auto found = node.labels().find(key);
      if (found != node.labels().end()) {
        values.insert(found->second);
      }
    }
  }
  if (values.empty()) {
    return "no node has the label " + key;
  }
  std::string text;
  size_t shown = 0;
  for (const std::string& value : values) {
    if (shown++ == kMaxExamples) {
      text += ", ...";
      break;
    }
    text += (text.empty() ? "" : ", ") + value;
  }
  return "nodes have " + key + " = " + text;
}

std::string explain_labels(const LabelSelector& selector, const ResourceView& view) {
  for (const LabelTerm& term : selector) {
    bool any = std::any_of(view.nodes().begin(), view.nodes().end(),
                           [&](const Node& node) { return node.usable() && matches(term, node.labels()); });
    if (!any) {
      return "no node has " + describe(term) + "; " + values_of(term.key, view);
    }
  }
  return "no node has all of: " + describe(selector);
}

struct Best {
  Units units = 0;
  const Node* node = nullptr;
};

// The node that has most of it, in all or free.
Best best_of(ResourceId id, const std::vector<const Node*>& nodes, bool free) {
  Best best;
  for (const Node* node : nodes) {
    Units units = (free ? node->capacity.free() : node->capacity.total()).get(id);
    if (best.node == nullptr || units > best.units) {
      best = {units, node};
    }
  }
  return best;
}

// The first resource that no node has enough of; else who comes nearest to having them all.
std::string explain_amounts(const ResourceSet& set, const Amounts& resources, const std::vector<const Node*>& nodes,
                            bool free, const ResourceView& view) {
  for (const auto& amount : set) {
    Best best = best_of(amount.id, nodes, free);
    if (best.units < amount.units) {
      return "needs " + node::format_units(amount.units) + " " + view.names().name(amount.id) + "; the most " +
             (free ? "free on one node now is " : "that one node has is ") + node::format_units(best.units) +
             (best.units > 0 ? " (" + describe(best.node->key) + ")" : "");
    }
  }
  const Node* nearest = nullptr;
  size_t nearest_missing = 0;
  std::string lacks;
  for (const Node* node : nodes) {
    size_t missing = 0;
    std::string text;
    for (const auto& amount : set) {
      Units has = (free ? node->capacity.free() : node->capacity.total()).get(amount.id);
      if (has < amount.units) {
        missing += 1;
        text += (text.empty() ? "" : ", ") + node::format_units(has) + " " + view.names().name(amount.id);
      }
    }
    if (nearest == nullptr || missing < nearest_missing) {
      nearest = node;
      nearest_missing = missing;
      lacks = text;
    }
  }
  if (nearest_missing == 0) {  // as sums they are there: it is the GPUs, one by one, that are not
    return "needs " + describe(resources) + "; no node has whole GPUs enough that are free";
  }
  return "no one node has all of " + describe(resources) + (free ? " free" : "") + "; " + describe(nearest->key) +
         " comes nearest, with only " + lacks;
}

std::string explain_bundle(const PlacementQuery& query, const ResourceView& view) {
  if (query.bundles == nullptr) {
    return "the placement group is not known to this node yet, or was removed";
  }
  int32_t index = query.strategy->placement.bundle;
  bool any = index == Placement::kAnyBundle;
  if (!any && static_cast<size_t>(index) >= query.bundles->size()) {
    return "the placement group has " + std::to_string(query.bundles->size()) + " bundles, none with the index " +
           std::to_string(index);
  }
  Random random(view.change_count());  // which of equals does not matter here
  Decision decision = choose_node(query, view, random);
  std::string which = any ? "no bundle of the placement group" : "bundle " + std::to_string(index);
  if (decision.outcome == Decision::Outcome::kInfeasible) {
    const Amounts& has = (*query.bundles)[any ? 0 : static_cast<size_t>(index)].resources;
    return "needs " + describe(*query.resources) + (any ? "; " + which + " has that; the first" : "; " + which) +
           " has " + describe(has);
  }
  if (decision.node.id.is_nil()) {
    return which + (any ? " that could serve it is placed" : " is not placed");
  }
  return which + " has " + describe(*query.resources) + " free";
}

// What keeps the one node from serving it.
std::string explain_affinity(const PlacementQuery& query, const ResourceView& view) {
  const Strategy& strategy = *query.strategy;
  NodeKey key{.id = strategy.node};
  const Node* node = view.find(strategy.node);
  if (node == nullptr) {
    return describe(key) + " is not in the cluster";
  }
  if (!node->usable()) {
    return describe(key) + (node->reported ? " is draining: it takes nothing new" : " has not reported yet");
  }
  if (!matches(strategy.selector, node->labels())) {
    return describe(key) + " has not " + describe(strategy.selector);
  }
  std::optional<ResourceSet> set = view.resolve(*query.resources);
  bool could = set && node->capacity.could_fit(*set);
  for (const ResourceRequest& amount : *query.resources) {
    std::optional<ResourceId> id = view.names().find(amount.name);
    const ResourceSet& has = could ? node->capacity.free() : node->capacity.total();
    Units units = id ? has.get(*id) : 0;
    if (amount.units > units) {
      return "needs " + node::format_units(amount.units) + " " + amount.name + "; " + describe(key) + " has " +
             node::format_units(units) + (could ? " free" : "");
    }
  }
  return describe(key) + " is busy";
}

}  // namespace

std::string explain_request(const Amounts& resources, const LabelSelector& selector, const ResourceView& view) {
  std::vector<const Node*> nodes;
  bool any_usable = false;
  for (const Node& node : view.nodes()) {
    any_usable = any_usable || node.usable();
    if (node.usable() && matches(selector, node.labels())) {
      nodes.push_back(&node);
    }
  }
  if (!any_usable) {
    return "no node of the cluster takes work";
  }
  if (nodes.empty()) {
    return cut(explain_labels(selector, view));
  }
  std::string where = selector.empty() ? "" : "of the nodes with " + describe(selector) + ": ";
  for (const ResourceRequest& amount : resources) {
    if (amount.units > 0 && !view.names().find(amount.name)) {
      return cut(where + "needs " + node::format_units(amount.units) + " " + amount.name + "; no node has any");
    }
  }
  ResourceSet set = *view.resolve(resources);
  auto could = [&](const Node* node) { return node->capacity.could_fit(set); };
  if (std::none_of(nodes.begin(), nodes.end(), could)) {
    return cut(where + explain_amounts(set, resources, nodes, false, view));
  }
  std::erase_if(nodes, [&](const Node* node) { return !could(node); });
  if (std::none_of(nodes.begin(), nodes.end(), [&](const Node* node) { return node->capacity.fits(set); })) {
    return cut(where + explain_amounts(set, resources, nodes, true, view));
  }
  return {};
}

std::string explain_placement(const PlacementQuery& query, const ResourceView& view) {
  Random random(view.change_count());  // which of equals does not matter here
  Decision decision = choose_node(query, view, random);
  if (decision.outcome == Decision::Outcome::kNow) {
    return {};
  }
  const Strategy& strategy = *query.strategy;
  if (strategy.placement.in_group()) {
    return cut(explain_bundle(query, view));
  }
  if (strategy.kind == Strategy::Kind::kAffinity) {
    std::string text = explain_affinity(query, view);
    // Soft, and the node can never serve it: the others decide.
    if (!strategy.soft || decision.node.id == strategy.node) {
      return cut(text);
    }
  }
  std::string text = explain_request(*query.resources, strategy.selector, view);
  if (text.empty()) {
    return "the nodes that could serve it have just refused, or the local one will do it soon";
  }
  if (!strategy.fallback.empty()) {
    text += "; none of " + std::to_string(strategy.fallback.size()) +
            " fallbacks helps: " + explain_request(*query.resources, strategy.fallback[0], view);
  }
  return cut(text);
}

}  // namespace sabir::cluster
