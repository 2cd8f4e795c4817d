// Where a call (or a lease for many) is to run: one decision by the resource view. No state, no I/O; randomness comes
// in.
//
// The rules, numbered because the tests cite them:
//  C1 Default: the local node if it serves the request now, or soon by its own word; else it is spilled to a node that
//     serves it now; else it waits, at the local node if that can ever serve it.
//  C2 Arguments of 1 MiB and more draw the call to where the most of their bytes lie (in powers of two), before C1's
//     preference for the local node, as long as that node serves it now.
//  C3 Among equally good nodes chance decides; and it decides among the best eighth of the nodes, even if they are not
//     quite equal, so that many deciders with the same view do not all choose the same node. Up to half used all nodes
//     are equally good.
//  C4 Spread: the least used node that serves it now, the local one like others.
//  C5 Affinity, hard: this node or none. Soft: this node if it can ever serve it; else as by default.
//  C6 The label selector takes nodes out. A fallback selector is tried when no node of the earlier ones serves the
//     request now; if none does, it waits by the first selector that can ever be met.
//  C7 In a placement group its bundles decide: one by its index, or any; nothing else is looked at.
//  C8 A draining node gets nothing new. A node that has just refused (`refused`) is not asked again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/node/cluster/labels.h"
#include "runtime/node/cluster/resource_view.h"

namespace sabir::cluster {

struct Strategy {
  enum class Kind : uint8_t { kDefault, kSpread, kAffinity };
  Kind kind = Kind::kDefault;
  NodeId node = {};   // kAffinity
  bool soft = false;  // kAffinity
  LabelSelector selector = {};
  std::vector<LabelSelector> fallback = {};
  Placement placement = {};
  bool operator==(const Strategy&) const = default;
};

// kInvalid: parts that do not go together, or bounds are broken.
Result<void> check_strategy(const Strategy& strategy);

struct ArgumentBytes {
  NodeId node;
  uint64_t size_bytes = 0;
};

// A bundle of the group that the call runs in: what it has, and where; nil while it is not placed.
struct BundleLocation {
  NodeKey node;
  Amounts resources;
};

struct PlacementQuery {
  const Amounts* resources = nullptr;
  const Strategy* strategy = nullptr;
  NodeId local = {};
  bool local_soon = false;                               // C1: what waits before it at the local node is soon over
  std::span<const ArgumentBytes> arguments = {};         // large ones; a handful of nodes
  std::span<const NodeId> refused = {};                  // C8
  const std::vector<BundleLocation>* bundles = nullptr;  // C7; null: the group is not known here (yet)
};

struct Decision {
  enum class Outcome : uint8_t {
    kNow,         // `node` serves it now, by what is known
    kLater,       // nobody does; it may wait at `node` (nil while a bundle is not placed)
    kInfeasible,  // no node ever could, as the cluster is
  };
  Outcome outcome = Outcome::kInfeasible;
  NodeKey node = {};
};

Decision choose_node(const PlacementQuery& query, const ResourceView& view, Random& random);

// Why it is kLater or kInfeasible, for people: which resource or label is missing, and the best there is. Empty if a
// node serves it now. At most kMaxReasonBytes.
std::string explain_placement(const PlacementQuery& query, const ResourceView& view);

// The same for one request and one selector, whatever the strategy.
std::string explain_request(const Amounts& resources, const LabelSelector& selector, const ResourceView& view);

}  // namespace sabir::cluster
