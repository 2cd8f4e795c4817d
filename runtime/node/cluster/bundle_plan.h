// On which nodes the bundles of a placement group go. One decision by the resource view: no state, no I/O.
//
// Bundles are taken in the order of their size (what they need most of, measured by the largest node), largest first.
//   STRICT_PACK    the fullest node that takes them all
//   STRICT_SPREAD  a matching of bundles to nodes: found if there is one
//   PACK           nodes that already have bundles of the group, the fullest first; else the node that takes most of
//                  the bundles that are left
//   SPREAD         the node with the fewest bundles of the group, of these the least used
// Where PACK and SPREAD in this order find no place, a bounded search looks for any.
#pragma once

#include <string>
#include <vector>

#include "runtime/node/cluster/group_messages.h"
#include "runtime/node/cluster/placement.h"

namespace sabir::cluster {

struct BundleQuery {
  GroupStrategy strategy = GroupStrategy::kPack;
  const std::vector<BundleSpec>* bundles = nullptr;
  // Where those are that have a place and keep it; nil: to be placed. One for each bundle.
  std::vector<NodeKey> placed;
};

struct BundlePlan {
  // kLater: it could be if more were free, or nobody knows (the search was cut off).
  Decision::Outcome outcome = Decision::Outcome::kInfeasible;
  std::vector<NodeKey> nodes;  // kNow: of each bundle
};

BundlePlan plan_bundles(const BundleQuery& query, const ResourceView& view, Random& random);

// Why there is no place for them (now), for people. At most kMaxReasonBytes.
std::string explain_bundles(const BundleQuery& query, const ResourceView& view);

}  // namespace sabir::cluster
