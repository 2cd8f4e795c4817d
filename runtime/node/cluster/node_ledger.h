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
#include "runtime/node/cluster/capacity.h"
#include "runtime/node/cluster/cluster_types.h"

namespace sabir::cluster {

using BundleNumber = uint64_t;  // of one reservation at this node; never reused

// What one call, actor or slot holds; from claim() to release().
struct Claim {
  ResourceSet amounts;
  uint64_t gpu_mask = 0;     // the node's indices
  BundleNumber bundle = 0;   // 0: from the node itself
  node::Allocation of_node;  // bundle 0
  uint64_t gpu_places = 0;   // else: the bundle's GPUs
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

  enum class Fit : uint8_t { kNow, kLater, kNever };
  // kNever: not even if all of the node, or of the bundles of the placement that are here and open, were free.
  Fit fit(const ResourceSet& request, const Placement& placement) const;
  // It would fit beside the bundles if nothing else ran here (GPUs counted as a sum).
  bool attainable(const ResourceSet& request) const;
  // Nothing: it does not fit now. Any bundle: of those that fit the fullest one.
  std::optional<Claim> claim(const ResourceSet& request, const Placement& placement);
  void release(const Claim& claim);

  node::NodeResources& resources() { return *resources_; }
  size_t bundle_count() const { return bundles_.size(); }  // closed ones, too
  // SABIR_CHECKs the accounts. For tests.
  void check_invariants() const;

 private:
  struct Bundle {
    GroupId group;
    uint32_t index = 0;
    node::Allocation of_node;
    Capacity capacity;
    bool is_open = false;
    bool closed = false;
    uint32_t claims = 0;
  };

  // Of a placement: open ones.
  std::vector<BundleNumber> open_bundles(const Placement& placement) const;

  node::NodeResources* const resources_;
  std::map<BundleNumber, Bundle> bundles_;
  std::map<GroupId, std::set<BundleNumber>> by_group_;
  ResourceSet reserved_;  // by all of them
  BundleNumber last_number_ = 0;
};

}  // namespace sabir::cluster
