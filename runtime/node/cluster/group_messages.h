// Placement groups: what a group is, and what the coordinator (on the control store) and the nodes say to each other.
// Plain values, as they travel.
//
// The rules, numbered because the tests cite them:
//  G1 A reservation is (group, bundle index, attempt). Attempts rise over all lives of the coordinator: its epoch is
//     their upper half. A node has at most one reservation for each bundle that is not being dropped.
//  G2 Prepare: the node takes the amounts of all bundles of the message, or of none. What is prepared and not committed
//     is over after a while, without anybody's word.
//  G3 The decision is the record in the control store: commits leave after it is durable, so whoever starts again from
//     the record goes on with them. What is not in the record was not decided: presumed aborted.
//  G4 Commit is repeated until each node has answered. A node that does not have the reservation says so; the bundle is
//     then lost like one whose node died.
//  G5 Drop ends reservations up to an attempt, prepared or committed, and ends what runs in them. It is repeated until
//     answered or the node is dead, and leaves a mark behind, so that a prepare that comes late is refused.
//  G6 A node tells from time to time what it has reserved (its inventory). What the coordinator knows nothing of, or
//     knows with another attempt, it drops: so nothing leaks, whatever was lost.
//  G7 A message names the node's incarnation and the coordinator's epoch: who is over is not listened to.
//  G8 When a node dies only its bundles are placed again. The others stay where they are, and what runs in them runs
//     on.
//  G9 A group that waits holds nothing anywhere: either all its bundles are reserved, or those that lived when others
//     were lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/node/cluster/labels.h"
#include "runtime/node/cluster/node_report.h"

namespace sabir::cluster {

inline constexpr size_t kMaxBundles = 256;               // of a group
inline constexpr size_t kMaxGroups = 16'384;             // of a cluster
inline constexpr size_t kMaxNameBytes = 256;             // of a group, of a namespace
inline constexpr size_t kMaxInventory = 65'536;          // reservations of one node
inline constexpr Units kMaxGroupUnits = Units{1} << 61;  // of one resource, in all bundles of a group

enum class GroupStrategy : uint8_t {
  kPack,          // on few nodes
  kSpread,        // on many nodes
  kStrictPack,    // on one node, or not at all
  kStrictSpread,  // each on another node, or not at all
};
std::string_view group_strategy_name(GroupStrategy strategy);  // "PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD"

struct BundleSpec {
  Amounts resources;
  LabelSelector selector = {};
  bool operator==(const BundleSpec&) const = default;
};

using JobKey = Id<struct JobKeyTag>;  // the same on all nodes

struct GroupSpec {
  GroupId id;  // by the caller; makes create idempotent
  JobKey job = {};
  NodeKey home = {};            // of the job's driver: the group ends with that node, too
  std::string name = {};        // empty: none
  std::string name_space = {};  // not empty if there is a name
  bool detached = false;        // outlives its job
  GroupStrategy strategy = GroupStrategy::kPack;
  std::vector<BundleSpec> bundles = {};
  bool operator==(const GroupSpec&) const = default;
};

// kInvalid: bounds are broken, or parts do not go together.
Result<void> check_group(const GroupSpec& spec);

struct PrepareBundles {
  struct Bundle {
    uint32_t index = 0;
    Amounts resources;
  };
  uint64_t epoch = 0;  // of the coordinator
  NodeKey node;
  GroupId group;
  uint64_t attempt = 0;
  std::vector<Bundle> bundles;
};
struct PrepareAnswer {
  NodeKey node;
  GroupId group;
  uint64_t attempt = 0;
  bool prepared = false;
  std::string reason = {};                // if not, for people
  std::optional<NodeReport> report = {};  // what the node has now
};

struct CommitBundles {
  uint64_t epoch = 0;
  NodeKey node;
  GroupId group;
  uint64_t attempt = 0;
  std::vector<uint32_t> bundles;
};
struct CommitAnswer {
  NodeKey node;
  GroupId group;
  uint64_t attempt = 0;
  std::vector<uint32_t> committed;
  std::vector<uint32_t> unknown;  // G4
};

struct DropBundles {
  struct Bundle {
    uint32_t index = 0;
    uint64_t up_to_attempt = 0;
    auto operator<=>(const Bundle&) const = default;
  };
  uint64_t epoch = 0;
  NodeKey node;
  GroupId group;
  std::vector<Bundle> bundles;
};
struct DropAnswer {
  NodeKey node;
  GroupId group;
  std::vector<DropBundles::Bundle> bundles;
  std::optional<NodeReport> report = {};
};

struct BundleInventory {
  struct Bundle {
    GroupId group;
    uint32_t index = 0;
    uint64_t attempt = 0;
    bool committed = false;
  };
  NodeKey node;
  std::vector<Bundle> bundles;
};

// --- Between the coordinator and who uses groups (schema/groups.capnp)

enum class GroupStage : uint8_t { kPending, kPreparing, kReady, kReplacing, kGone };
std::string_view group_stage_name(GroupStage stage);  // "pending", ...

struct GroupState {
  GroupSpec spec = {};  // kGone: its id alone
  GroupStage stage = GroupStage::kPending;
  bool infeasible = false;
  std::string reason = {};          // why it is not ready, for people
  std::vector<NodeKey> nodes = {};  // of each bundle; nil: it has no place
  uint64_t version = 0;             // of two states of a group the one with the higher counts
};

struct GroupRequest {
  enum class Kind : uint8_t { kCreate, kRemove, kWait, kCancelWait, kFind, kEndJob };
  uint64_t number = 0;  // by the node that asks
  uint64_t epoch = 0;   // of the life of the coordinator that it is sent to
  Kind kind = Kind::kFind;
  GroupSpec spec = {};       // kCreate
  GroupId group = {};        // kRemove, kWait, kFind
  uint64_t wait_number = 0;  // kCancelWait
  std::string name = {};     // kFind; without a group and a name: all
  std::string name_space = {};
  JobKey job = {};  // kEndJob
};

struct GroupAnswer {
  uint64_t number = 0;
  std::optional<Error> failure = {};
  std::vector<GroupState> groups = {};
};

inline constexpr size_t kMaxGroupsTold = 4096;     // in one answer
inline constexpr size_t kMaxBundlesTold = 16'384;  // in all of them together: a message has its limit

using GroupMessage = std::variant<PrepareBundles, PrepareAnswer, CommitBundles, CommitAnswer, DropBundles, DropAnswer,
                                  BundleInventory, GroupRequest, GroupAnswer, GroupState>;

}  // namespace sabir::cluster
