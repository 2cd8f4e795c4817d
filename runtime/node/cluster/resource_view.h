// What this process knows of the cluster's nodes: their resources, labels and load, less what it decided itself since.
// A state machine without I/O: reports and batches in, questions answered. Rules V1 to V6 are in node_report.h.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/capacity.h"
#include "runtime/node/cluster/node_report.h"
#include "runtime/node/cluster/resource_names.h"

namespace sabir::cluster {

struct ViewOptions {
  // V6. A report that comes so soon after a decision does not know of it yet ...
  int64_t debit_grace_ns = 150 * kMillisecondNs;
  // ... and a debit that neither an answer nor a report ended is over after so long.
  int64_t debit_lifetime_ns = kSecondNs;
};

using DebitId = uint64_t;

class ResourceView {
 public:
  struct Debit {
    DebitId id = 0;
    ResourceSet request;
    uint32_t count = 0;
    int64_t made_ns = 0;
  };

  struct Node {
    NodeKey key;
    bool reported = false;  // what follows is known
    uint64_t version = 0;
    std::shared_ptr<const NodeStatics> statics;
    std::vector<std::optional<ResourceId>> ids;  // of the statics' totals; none: no room for the name
    Capacity reported_capacity;
    Capacity capacity;  // the same, less the debits
    std::vector<Debit> debits;
    bool draining = false;
    uint64_t waiting = 0;
    std::vector<DemandShape> demand;
    uint64_t store_used_bytes = 0;
    uint64_t store_capacity_bytes = 0;

    const Labels& labels() const { return statics->labels; }  // of one that has reported
    bool usable() const { return reported && !draining; }
  };

  // `self` is the node that this view belongs to, or nil (the head's): what others say of it is not news.
  ResourceView(NodeKey self, ViewOptions options, const Clock* clock);

  // A batch of the head: to be answered with the position that this returns. What does not fit changes nothing.
  ViewPosition apply(const ViewBatch& batch);
  ViewPosition position() const { return position_; }

  enum class Applied : uint8_t { kNew, kStale, kNotMember, kNeedsStatics, kInvalid };
  // One node's own report, straight from it.
  Applied apply_report(const NodeReport& report);

  // V5. Members by another source than batches: the head's registry, or a node about itself. A later incarnation
  // replaces an earlier one; an earlier one is ignored. False: ignored, or kMaxClusterNodes.
  bool add_node(NodeKey node);
  void remove_node(NodeKey node);  // this incarnation or earlier

  // V6. Takes `count` such requests from the copy of the node's account, as far as they fit.
  DebitId debit(const NodeKey& node, const ResourceSet& request, uint32_t count);
  void settle(DebitId debit);
  void expire_debits();

  bool is_member(const NodeKey& node) const;
  const Node* find(const NodeId& id) const;  // null: no member
  std::span<const Node> nodes() const { return nodes_; }
  const NodeKey& self() const { return self_; }
  // Rises with each change but a debit: when it has not, who found no room before finds none now.
  uint64_t change_count() const { return change_count_; }

  // In the ids of this view, until its next change. Nothing: it names a resource that no node has.
  std::optional<ResourceSet> resolve(const Amounts& amounts) const;
  const ResourceNames& names() const { return names_; }

 private:
  Node* find_node(const NodeId& id);
  void set_statics(Node& node, std::shared_ptr<const NodeStatics> statics);
  void recompute(Node& node);
  void erase(size_t position);
  Applied apply_checked(const NodeReport& report);

  const NodeKey self_;
  const ViewOptions options_;
  const Clock* const clock_;
  ViewPosition position_;
  ResourceNames names_;
  std::vector<Node> nodes_;
  std::unordered_map<NodeId, size_t> positions_;  // in nodes_
  struct Expiry {
    int64_t at_ns;
    DebitId debit;
  };
  std::deque<Expiry> expiries_;  // in order
  std::unordered_map<DebitId, NodeId> debit_nodes_;
  DebitId last_debit_ = 0;
  uint64_t change_count_ = 0;
};

}  // namespace sabir::cluster
