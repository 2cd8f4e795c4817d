// What a node tells the others about itself, and the batches in which the head spreads it. Plain values, as they
// travel.
//
// The rules of the resource view, numbered because the tests cite them:
//  V1 A report names (node, incarnation, version). Versions rise within an incarnation and name one content; who has an
//     equal or higher version, or a later incarnation, ignores the report.
//  V2 What seldom changes (totals, labels) has a version of its own and travels only until its receiver said that it
//     has it. A report whose statics are not known to the receiver changes nothing, and is asked for again, whole.
//  V3 The head numbers all changes of the view. A batch carries everything that changed in (from, to], once for each
//     node, however often it changed; who is behind gets a larger batch, never a longer queue. At most one batch is
//     under way to a node: a slow one slows nobody but itself.
//  V4 A snapshot (`members` is there) also says who belongs to the cluster: whoever is not named is gone. A member that
//     has not reported to this head yet stays as it was known: a head that starts again blinds nobody.
//  V5 Only the head takes members in and out. Who is no member, or names another incarnation, is fenced.
//  V6 What a node decided since the last report about another one is debited from its copy of the view; the node's
//     answer settles a debit, a report ends those that are old enough to be in it, and time ends the rest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/cluster/cluster_types.h"
#include "runtime/node/cluster/labels.h"

namespace sabir::cluster {

inline constexpr size_t kMaxClusterNodes = 4096;
inline constexpr size_t kMaxDemandShapes = 16;  // of one report, those that wait most
inline constexpr size_t kMaxReasonBytes = 512;  // of a text for people
inline constexpr size_t kMaxBatchBytes = 512 << 10;

// Calls alike in what they need, that wait at a node.
struct DemandShape {
  Amounts resources;
  uint64_t waiting = 0;
  bool infeasible = false;  // no node of the cluster could serve it
  std::string reason = {};  // for people
  bool operator==(const DemandShape&) const = default;
};

// What is true of a node at a time.
struct NodeState {
  Amounts total = {};  // at most kMaxResourcesPerRequest
  Labels labels = {};
  std::vector<Units> available = {};  // of each of `total`; below zero while a lent CPU is owed
  std::vector<Units> gpu_free = {};   // by index
  bool draining = false;              // takes nothing new
  uint64_t waiting = 0;               // calls
  std::vector<DemandShape> demand = {};
  uint64_t store_used_bytes = 0;
  uint64_t store_capacity_bytes = 0;
  bool operator==(const NodeState&) const = default;
};

// The amounts of a state, from the node's accounts.
NodeState state_of(const node::NodeResources& resources);

struct NodeStatics {
  uint64_t version = 0;
  Amounts total;
  Labels labels;
};

struct NodeReport {
  NodeKey node;
  uint64_t version = 0;
  uint64_t statics_version = 0;
  std::shared_ptr<const NodeStatics> statics = nullptr;  // null: as told before (V2)
  std::vector<Units> available = {};                     // of the statics' totals, in their order
  std::vector<Units> gpu_free = {};
  bool draining = false;
  uint64_t waiting = 0;
  std::vector<DemandShape> demand = {};  // for the head; not spread
  uint64_t store_used_bytes = 0;
  uint64_t store_capacity_bytes = 0;
};

// kInvalid: bounds are broken, or parts do not fit together. To be asked of each report that came from elsewhere.
Result<void> check_report(const NodeReport& report);

struct ViewBatch {
  uint64_t epoch = 0;  // of the head's life, rising
  uint64_t from = 0;   // for whoever has at least this version ...
  uint64_t to = 0;     // ... and has this one afterwards
  std::optional<std::vector<NodeKey>> members = {};
  std::vector<NodeReport> reports = {};
  std::vector<NodeKey> gone = {};
};

// What a node has of the view.
struct ViewPosition {
  uint64_t epoch = 0;
  uint64_t version = 0;
  bool operator==(const ViewPosition&) const = default;
};

// About what it takes on the wire, in Cap'n Proto's encoding.
size_t encoded_size_bytes(const NodeReport& report);
size_t encoded_size_bytes(const ViewBatch& batch);

}  // namespace sabir::cluster
