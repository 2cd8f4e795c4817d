#include "runtime/node/cluster/resource_view.h"

#include <algorithm>
#include <set>
#include <utility>

namespace sabir::cluster {

ResourceView::ResourceView(NodeKey self, ViewOptions options, const Clock* clock)
    : self_(self), options_(options), clock_(clock) {}

// --- Members

ResourceView::Node* ResourceView::find_node(const NodeId& id) {
  auto found = positions_.find(id);
  return found == positions_.end() ? nullptr : &nodes_[found->second];
}

const ResourceView::Node* ResourceView::find(const NodeId& id) const {
  auto found = positions_.find(id);
  return found == positions_.end() ? nullptr : &nodes_[found->second];
}

bool ResourceView::is_member(const NodeKey& node) const {
  const Node* known = find(node.id);
  return known != nullptr && known->key == node;
}

bool ResourceView::add_node(NodeKey node) {
  if (const Node* known = find(node.id)) {
    if (known->key.incarnation >= node.incarnation) {
      return false;
    }
    erase(positions_.at(node.id));
  }
  if (nodes_.size() >= kMaxClusterNodes) {
    return false;
  }
  positions_[node.id] = nodes_.size();
  nodes_.push_back({.key = node});
  change_count_ += 1;
  return true;
}

void ResourceView::remove_node(NodeKey node) {
  const Node* known = find(node.id);
  if (known != nullptr && known->key.incarnation <= node.incarnation) {
    erase(positions_.at(node.id));
  }
}

void ResourceView::erase(size_t position) {
  Node& node = nodes_[position];
  set_statics(node, nullptr);
  for (const Debit& debit : node.debits) {
    debit_nodes_.erase(debit.id);
  }
  positions_.erase(node.key.id);
  if (position + 1 != nodes_.size()) {
    node = std::move(nodes_.back());
    positions_[node.key.id] = position;
  }
  nodes_.pop_back();
  change_count_ += 1;
}

// --- Reports

void ResourceView::set_statics(Node& node, std::shared_ptr<const NodeStatics> statics) {
  // The new ones first, so that what both name keeps its number.
  std::vector<std::optional<ResourceId>> ids;
  if (statics != nullptr) {
    for (const ResourceRequest& amount : statics->total) {
      ids.push_back(names_.acquire(amount.name));
    }
  }
  for (std::optional<ResourceId> id : node.ids) {
    if (id) {
      names_.release(*id);
    }
  }
  node.ids = std::move(ids);
  node.statics = std::move(statics);
}

ResourceView::Applied ResourceView::apply_report(const NodeReport& report) {
  if (!check_report(report).ok()) {
    return Applied::kInvalid;
  }
  return apply_checked(report);
}

ResourceView::Applied ResourceView::apply_checked(const NodeReport& report) {
  Node* node = find_node(report.node.id);
  if (node == nullptr || node->key != report.node) {
    return Applied::kNotMember;
  }
  if (node->reported && node->version >= report.version) {
    return Applied::kStale;
  }
  if (report.statics != nullptr) {
    if (node->statics == nullptr || node->statics->version != report.statics->version) {
      set_statics(*node, report.statics);
      for (const Debit& debit : std::exchange(node->debits, {})) {  // their ids may mean something else now
        debit_nodes_.erase(debit.id);
      }
    }
  } else if (node->statics == nullptr || node->statics->version != report.statics_version) {
    return Applied::kNeedsStatics;
  }
  if (report.available.size() != node->statics->total.size()) {
    return Applied::kInvalid;
  }
  ResourceSet total;
  ResourceSet free;
  for (size_t i = 0; i < node->ids.size(); ++i) {
    if (node->ids[i]) {
      total.set(*node->ids[i], node->statics->total[i].units);
      free.set(*node->ids[i], report.available[i]);
    }
  }
  node->reported_capacity = Capacity(std::move(total), std::move(free), report.gpu_free);
  node->version = report.version;
  node->reported = true;
  node->draining = report.draining;
  node->waiting = report.waiting;
  node->demand = report.demand;
  node->store_used_bytes = report.store_used_bytes;
  node->store_capacity_bytes = report.store_capacity_bytes;
  int64_t known_since_ns = clock_->now_ns() - options_.debit_grace_ns;
  std::erase_if(node->debits, [&](const Debit& debit) {
    bool over = debit.made_ns <= known_since_ns;
    if (over) {
      debit_nodes_.erase(debit.id);
    }
    return over;
  });
  recompute(*node);
  change_count_ += 1;
  return Applied::kNew;
}

ViewPosition ResourceView::apply(const ViewBatch& batch) {
  bool fits = batch.epoch == position_.epoch ? batch.from <= position_.version && batch.to > position_.version
                                             : batch.epoch > position_.epoch;
  if (!fits || (!batch.members && batch.epoch != position_.epoch)) {
    return position_;
  }
  if (batch.members) {
    std::set<NodeId> named;
    for (const NodeKey& member : *batch.members) {
      named.insert(member.id);
      add_node(member);
    }
    for (size_t i = nodes_.size(); i-- > 0;) {
      if (!named.contains(nodes_[i].key.id) && nodes_[i].key.id != self_.id) {
        erase(i);
      }
    }
  }
  for (const NodeKey& node : batch.gone) {
    if (node.id != self_.id) {
      remove_node(node);
    }
  }
  for (const NodeReport& report : batch.reports) {
    if (report.node.id != self_.id && check_report(report).ok()) {
      add_node(report.node);
      apply_checked(report);
    }
  }
  position_ = {batch.epoch, batch.to};
  return position_;
}

// --- Debits

DebitId ResourceView::debit(const NodeKey& key, const ResourceSet& request, uint32_t count) {
  DebitId id = ++last_debit_;
  Node* node = find_node(key.id);
  if (node == nullptr || node->key != key) {
    return id;
  }
  node->debits.push_back({id, request, count, clock_->now_ns()});
  debit_nodes_[id] = key.id;
  expiries_.push_back({clock_->now_ns() + options_.debit_lifetime_ns, id});
  recompute(*node);
  return id;
}

void ResourceView::settle(DebitId id) {
  auto found = debit_nodes_.find(id);
  if (found == debit_nodes_.end()) {
    return;
  }
  Node& node = nodes_[positions_.at(found->second)];
  debit_nodes_.erase(found);
  std::erase_if(node.debits, [&](const Debit& debit) { return debit.id == id; });
  recompute(node);
  change_count_ += 1;
}

void ResourceView::expire_debits() {
  while (!expiries_.empty() && expiries_.front().at_ns <= clock_->now_ns()) {
    settle(expiries_.front().debit);
    expiries_.pop_front();
  }
}

void ResourceView::recompute(Node& node) {
  node.capacity = node.reported_capacity;
  for (const Debit& debit : node.debits) {
    for (uint32_t i = 0; i < debit.count && node.capacity.fits(debit.request); ++i) {
      node.capacity.take(debit.request);
    }
  }
}

// --- Questions

std::optional<ResourceSet> ResourceView::resolve(const Amounts& amounts) const {
  ResourceSet set;
  for (const ResourceRequest& amount : amounts) {
    if (amount.units == 0) {
      continue;
    }
    std::optional<ResourceId> id = names_.find(amount.name);
    if (!id) {
      return std::nullopt;
    }
    set.set(*id, amount.units);
  }
  return set;
}

}  // namespace sabir::cluster
