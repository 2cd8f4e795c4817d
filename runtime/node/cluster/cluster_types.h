// What the parts of a cluster's scheduling name: nodes, placement groups, amounts, and where a call is to run.
#pragma once

#include <compare>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/node/resources.h"

namespace sabir::cluster {

using node::kGpu;
using node::kUnit;
using node::ResourceId;
using node::ResourceRequest;
using node::ResourceSet;
using node::Units;

using JobNumber = uint32_t;  // of the whole cluster
using NodeId = Id<struct NodeIdTag>;
using GroupId = Id<struct GroupIdTag>;

// One life of a node. The control store gives incarnations, rising for each id; who was declared dead is fenced by the
// pair: a message that names another life than the receiver's, or comes from one that is over, changes nothing.
struct NodeKey {
  NodeId id;
  uint64_t incarnation = 0;
  auto operator<=>(const NodeKey&) const = default;
};

// For people: the first digits of the id.
inline std::string describe(const NodeKey& node) { return "node " + node.id.hex().substr(0, 8); }

// Resources by name: what travels between nodes. Ids (ResourceId) are private to one table.
using Amounts = std::vector<ResourceRequest>;

// "{CPU: 1, GPU: 0.5}"
std::string describe(const Amounts& amounts);

// The bundle of a placement group that something runs in.
struct Placement {
  static constexpr int32_t kAnyBundle = -1;

  GroupId group;  // nil: in no group
  int32_t bundle = kAnyBundle;
  // Calls that are submitted from inside, and say nothing of where they are to run, run in the group, too.
  bool capture_child_calls = false;

  bool in_group() const { return !group.is_nil(); }
  auto operator<=>(const Placement&) const = default;
};

// Where a call runs that says nothing of it itself, submitted by one that runs in `parent`.
Placement inherited_placement(const Placement& parent);

// Randomness is injected: a seed repeats a run.
using Random = std::mt19937_64;

}  // namespace sabir::cluster
