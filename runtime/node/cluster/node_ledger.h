// Who holds what of this node beside its own scheduler: bundles of placement groups, and what runs in them or in slots
// that other nodes lease. On top of the node's one account (NodeResources), so that nothing is given out twice. No I/O,
// no clock.
//
//  B1 A bundle takes its amounts from the node when it is reserved, and is an account of its own from then on: what
//     runs in it takes from the bundle, and nothing from the node.
//  B2 Only an open bundle (its group is committed) gives claims.
//  B3 A closed bundle gives none; its amounts return to the node when the last claim in it is back, not before (L2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/cluster/cluster_types.h"

namespace sabir::cluster {

// Of one reservation at this node; never reused. It is the bundle's account (NodeResources).
using BundleNumber = node::AccountId;

// What one call, actor or slot holds; from claim() to release().
struct Claim {
  uint64_t gpu_mask = 0;    // the node's indices
  BundleNumber bundle = 0;  // 0: from the node itself
  node::Allocation allocation;
};

class NodeLedger {
 public:
  // Must outlive it. Others may take from it and give back, too.
  explicit NodeLedger(node::NodeResources* resources);

  // All of them or none: nothing if they do not fit together.
  std::optional<std::vector<BundleNumber>> reserve(const GroupId& group,
                                                   const std::vector<std::pair<uint32_t, ResourceSet>>& bundles);
  void open(BundleNumber bundle);
  // Gone at once if nothing runs in it (true).
  bool close(BundleNumber bundle);
  // Of a placement: its bundles that give claims, for who takes from their accounts himself.
  std::vector<BundleNumber> open_bundles(const Placement& placement) const;

  enum class Fit : uint8_t { kNow, kLater, kNever };
  // kNever: not even if all of the node, or of the bundles of the placement that are here and open, were free.
  Fit fit(const ResourceSet& request, const Placement& placement) const;
  // It would fit beside the bundles if nothing else ran here (GPUs counted as a sum).
  bool attainable(const ResourceSet& request) const;
  // Nothing: it does not fit now. Any bundle: of those that fit the fullest one.
  std::optional<Claim> claim(const ResourceSet& request, const Placement& placement);
  void release(const Claim& claim);

  node::NodeResources& resources() { return *resources_; }
  size_t bundle_count();  // closed ones, too
  // SABIR_CHECKs the accounts. For tests.
  void check_invariants();

 private:
  struct Bundle {
    GroupId group;
    uint32_t index = 0;
    ResourceSet amounts;
    bool is_open = false;
    bool closed = false;
  };

  // Closed ones whose last claim came back.
  void sweep();
  void forget(BundleNumber bundle);

  node::NodeResources* const resources_;
  std::map<BundleNumber, Bundle> bundles_;
  std::map<GroupId, std::set<BundleNumber>> by_group_;
  ResourceSet reserved_;  // by all of them
};

}  // namespace sabir::cluster
