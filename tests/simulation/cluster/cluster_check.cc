// What must be true: at each step of a node, and at the end.
#include <algorithm>

#include "runtime/base/check.h"
#include "tests/simulation/cluster/cluster_world.h"
#include "tests/simulation/cluster/sim_head.h"
#include "tests/simulation/cluster/sim_node.h"

namespace sabir::simulation {

using namespace cluster;

namespace {

using Sums = std::map<std::string, Units>;

void add(Sums& sums, const Amounts& amounts) {
  for (const ResourceRequest& amount : amounts) {
    sums[amount.name] += amount.units;
  }
}

bool within(const Sums& sums, const Amounts& total) {
  return std::all_of(sums.begin(), sums.end(), [&](const auto& entry) {
    auto same = [&](const ResourceRequest& amount) { return amount.name == entry.first; };
    auto found = std::find_if(total.begin(), total.end(), same);
    return entry.second == 0 || (found != total.end() && entry.second <= found->units);
  });
}

// Can all bundles be put on nodes with so much room? Every assignment is tried.
bool placeable(const GroupSpec& spec, const std::vector<NodeKey>& placed, const std::vector<const SimNode*>& nodes,
               std::vector<Sums> used, size_t index, std::vector<size_t> where) {
  if (index == spec.bundles.size()) {
    return true;
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    bool keeps = !placed[index].id.is_nil();
    if (keeps && nodes[i]->life()->key != placed[index]) {
      continue;
    }
    bool elsewhere = std::any_of(where.begin(), where.end(), [&](size_t other) { return other != i; });
    bool here = std::any_of(where.begin(), where.end(), [&](size_t other) { return other == i; });
    if ((spec.strategy == GroupStrategy::kStrictPack && elsewhere) ||
        (spec.strategy == GroupStrategy::kStrictSpread && here)) {
      continue;
    }
    std::vector<Sums> next = used;
    if (!keeps) {
      if (nodes[i]->life()->draining || !matches(spec.bundles[index].selector, nodes[i]->plan().labels)) {
        continue;
      }
      add(next[i], spec.bundles[index].resources);
      if (!within(next[i], nodes[i]->plan().total)) {
        continue;
      }
    }
    std::vector<size_t> longer = where;
    longer.push_back(i);
    if (placeable(spec, placed, nodes, std::move(next), index + 1, std::move(longer))) {
      return true;
    }
  }
  return false;
}

}  // namespace

void ClusterWorld::check_node(const SimNode& node) const {
  SimNode::Life& life = *node.life();
  life.ledger.check_invariants();
  Sums sums;
  std::map<BundleNumber, Sums> in_bundles;
  for (const auto& [number, run] : life.running) {
    add(run.bundle == 0 ? sums : in_bundles[run.bundle], options_.classes[run.call.class_index].resources);
  }
  std::map<BundleNumber, Amounts> bundles;
  for (const BundleManager::View& view : life.bundles.views()) {
    Amounts& amounts = bundles[view.bundle];
    // What was reserved, by what the specification says.
    auto spec = specs_.find(view.group);
    SABIR_CHECK(spec != specs_.end(), "a reservation of a group that nobody made");
    amounts = spec->second.bundles[view.index].resources;
    add(sums, amounts);
  }
  SABIR_CHECK(within(sums, node.plan().total), node.name(), " is oversubscribed");
  for (const auto& [bundle, used] : in_bundles) {
    // One that is being dropped has no view any more; its claims are stopped at once here.
    auto found = bundles.find(bundle);
    SABIR_CHECK(found != bundles.end(), node.name(), ": a call runs in a bundle that is not reserved");
    SABIR_CHECK(within(used, found->second), node.name(), ": a bundle is oversubscribed");
  }
}

std::vector<const SimNode*> ClusterWorld::staying() const {
  std::vector<const SimNode*> nodes;
  for (const auto& node : nodes_) {
    if (!node->left()) {
      nodes.push_back(node.get());
    }
  }
  return nodes;
}

std::string ClusterWorld::somebody_down() const {
  for (const SimNode* node : staying()) {
    if (node->life() == nullptr) {
      return node->name() + " is down";
    }
  }
  return head_->up() ? "" : "the head is down";
}

// By itself, on some node: of all that the node has, or of what is not reserved for groups.
bool ClusterWorld::could_run(const CallClass& what, bool beside_groups) const {
  const Strategy& strategy = what.strategy;
  std::vector<const SimNode*> nodes = staying();
  Sums needs;
  add(needs, what.resources);
  // Soft affinity: that node, if it is one that could.
  bool bound = strategy.kind == Strategy::Kind::kAffinity &&
               (!strategy.soft || std::any_of(nodes.begin(), nodes.end(), [&](const SimNode* node) {
                 return node->id() == strategy.node && !node->life()->draining && within(needs, node->plan().total);
               }));
  return std::any_of(nodes.begin(), nodes.end(), [&](const SimNode* node) {
    Sums sums = needs;
    if (beside_groups) {
      for (const BundleManager::View& view : node->life()->bundles.views()) {
        add(sums, specs_.at(view.group).bundles[view.index].resources);
      }
      // Halves of two GPUs are no whole one.
      node::NodeResources& resources = node->life()->resources;
      if (!resources.fits(*resources.resolve(what.resources))) {
        return false;
      }
    }
    bool selected = matches(strategy.selector, node->plan().labels) ||
                    std::any_of(strategy.fallback.begin(), strategy.fallback.end(),
                                [&](const auto& selector) { return matches(selector, node->plan().labels); });
    return !node->life()->draining && within(sums, node->plan().total) && selected &&
           (!bound || node->id() == strategy.node);
  });
}

std::string ClusterWorld::calls_left() const {
  if (std::string down = somebody_down(); !down.empty()) {
    return down;
  }
  for (const SimNode* node : staying()) {
    const SimNode::Life& life = *node->life();
    if (!life.running.empty() || !life.sent.empty()) {
      return node->name() + " still runs calls, or waits for some";
    }
    for (const auto& [index, queue] : life.queues) {
      if (queue.empty()) {
        continue;
      }
      const CallClass& what = options_.classes[index];
      std::string which = node->name() + ": " + std::to_string(queue.size()) + " calls of class " +
                          std::to_string(index) + " wait (" + life.client.explain(index) + ")";
      if (what.strategy.placement.in_group()) {
        // Whoever asks for a group that is gone, or not complete, waits for a true reason.
        auto view = head_->groups().view(what.strategy.placement.group);
        if (view && view->phase == GroupPhase::kReady) {
          return which + ", and its group is ready";
        }
        continue;
      }
      if (could_run(what, true)) {
        return which + ", and could be served";
      }
      bool never = life.client.outcome(index) == Decision::Outcome::kInfeasible;
      if (never == could_run(what, false) || life.client.explain(index).empty()) {
        return which + ", and it is wrongly said that it " + (never ? "never" : "once") + " will be";
      }
    }
  }
  return {};
}

std::string ClusterWorld::groups_wrong() const {
  if (std::string down = somebody_down(); !down.empty()) {
    return down;
  }
  if (!head_->groups().quiet()) {
    return "the head is not quiet";
  }
  std::vector<const SimNode*> nodes;
  std::vector<Sums> idle, used;
  for (const SimNode* node : staying()) {
    nodes.push_back(node);
    Sums sums;
    for (const BundleManager::View& view : node->life()->bundles.views()) {
      add(sums, specs_.at(view.group).bundles[view.index].resources);
    }
    used.push_back(std::move(sums));
    idle.emplace_back();
  }
  for (const GroupId& id : created_) {
    auto view = head_->groups().view(id);
    if (removed_.contains(id) != !view.has_value()) {
      return "a group is there though it was removed, or not there though it was not";
    }
    if (!view) {
      continue;
    }
    const GroupRecord& record = *view->record;
    std::vector<NodeKey> placed;
    for (uint32_t i = 0; i < record.bundles.size(); ++i) {
      const GroupRecord::Bundle& bundle = record.bundles[i];
      placed.push_back(bundle.node);
      bool there = false;
      for (const SimNode* node : staying()) {
        for (const BundleManager::View& one : node->life()->bundles.views()) {
          there = there || (node->life()->key == bundle.node && one.group == id && one.index == i &&
                            one.attempt == bundle.attempt && one.committed);
        }
      }
      if (there == bundle.node.id.is_nil()) {
        return "bundle " + std::to_string(i) + " is not where it should be";
      }
    }
    std::string reason = head_->groups().explain(id);
    if (view->phase == GroupPhase::kReady) {
      if (!reason.empty() ||
          std::any_of(placed.begin(), placed.end(), [](const auto& key) { return key.id.is_nil(); })) {
        return "a ready group misses something";
      }
      continue;
    }
    std::vector<Sums> kept = idle;
    for (size_t i = 0; i < placed.size(); ++i) {
      for (size_t n = 0; n < nodes.size(); ++n) {
        if (nodes[n]->life()->key == placed[i]) {
          add(kept[n], record.spec.bundles[i].resources);
        }
      }
    }
    if (placeable(record.spec, placed, nodes, used, 0, {})) {
      return "a group waits though there is room: " + reason;
    }
    if (view->infeasible == placeable(record.spec, placed, nodes, kept, 0, {})) {
      return std::string("a group is wrongly called ") + (view->infeasible ? "infeasible: " : "feasible: ") + reason;
    }
    if (reason.empty()) {
      return "a group waits without a reason";
    }
  }
  return {};
}

std::string ClusterWorld::something_left() const {
  if (std::string down = somebody_down(); !down.empty()) {
    return down;
  }
  for (const SimNode* node : staying()) {
    SimNode::Life& life = *node->life();
    for (size_t i = 0; i < life.resources.name_count(); ++i) {
      auto id = static_cast<ResourceId>(i);
      if (life.resources.free(id) != life.resources.total(id)) {
        return node->name() + " has not all of its " + life.resources.name(id) + " back";
      }
    }
    if (life.ledger.bundle_count() != 0 || life.server.slot_count() != 0 || life.server.waiting_count() != 0) {
      return node->name() + " has bundles or slots";
    }
    if (!life.client.quiet()) {
      return node->name() + " has leases elsewhere";
    }
  }
  return {};
}

std::string ClusterWorld::describe() const {
  std::string text = "now " + std::to_string(clock_.now_ns() / kMs) + " ms\n";
  for (const auto& node : nodes_) {
    text += node->name() + " " + cluster::describe(node->plan().total);
    if (node->life() == nullptr) {
      text += node->left() ? " left\n" : " down\n";
      continue;
    }
    const SimNode::Life& life = *node->life();
    text += " incarnation " + std::to_string(life.key.incarnation) + " running " + std::to_string(life.running.size()) +
            " sent " + std::to_string(life.sent.size()) + " leases " + std::to_string(life.client.lease_count()) +
            " slots given " + std::to_string(life.server.slot_count()) + " waiting here " +
            std::to_string(life.server.waiting_count()) + " knows " + std::to_string(life.view.nodes().size());
    for (const auto& [index, queue] : life.queues) {
      if (!queue.empty()) {
        text += "; class " + std::to_string(index) + " " + cluster::describe(options_.classes[index].resources) + ": " +
                std::to_string(queue.size());
      }
    }
    for (const BundleManager::View& view : life.bundles.views()) {
      text += "; " + view.group.hex().substr(0, 4) + "[" + std::to_string(view.index) + "] attempt " +
              std::to_string(view.attempt) + (view.committed ? "" : " prepared");
    }
    text += "\n";
  }
  if (head_->up()) {
    for (const PlacementGroups::View& view : head_->groups().views()) {
      text += "group " + view.record->spec.id.hex().substr(0, 4) + " " +
              std::string(group_strategy_name(view.record->spec.strategy)) + " " +
              std::string(group_phase_name(view.phase));
      for (const GroupRecord::Bundle& bundle : view.record->bundles) {
        const BundleSpec& spec = view.record->spec.bundles[&bundle - view.record->bundles.data()];
        text += "; " + cluster::describe(spec.resources) + " " + cluster::describe(spec.selector) + " at " +
                cluster::describe(bundle.node) + "/" + std::to_string(bundle.node.incarnation) + " attempt " +
                std::to_string(bundle.attempt);
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace sabir::simulation
