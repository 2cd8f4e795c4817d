// What travels in the simulated cluster: the messages of the state machines, and those of the parts that are only
// simulated (heartbeats, calls, places of groups).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "runtime/node/cluster/group_messages.h"
#include "runtime/node/cluster/placement.h"
#include "runtime/node/cluster/remote_lease.h"
#include "runtime/node/cluster/report_publisher.h"

namespace sabir::simulation {

// Nothing: the head, whichever life it is in.
using Address = std::optional<cluster::NodeKey>;

struct Heartbeat {};
struct HeartbeatAnswer {
  uint64_t epoch = 0;
  bool fenced = false;
  bool subscribed = false;
};
struct Subscribe {
  cluster::ViewPosition has;
};
struct ReportReply {
  uint64_t version = 0;
  cluster::ReportAnswer answer = cluster::ReportAnswer::kAccepted;
};
// Calls of the group are submitted here: tell where its bundles are, now and whenever that changes.
struct WantGroup {
  cluster::GroupId group;
};
struct GroupPlaces {
  cluster::GroupId group;
  uint64_t order = 0;  // rising; later ones replace earlier ones
  std::vector<cluster::BundleLocation> bundles;
};
// Calls and their ends are not lost while both sides live: another layer repeats them.
struct RunCall {
  uint64_t call = 0;
  uint32_t class_index = 0;
  int64_t duration_ns = 0;
  cluster::LeaseNumber lease = 0;
};
struct CallEnded {
  uint64_t call = 0;
  bool done = false;  // else it comes back
};

using BatchPtr = std::shared_ptr<const cluster::ViewBatch>;
using Message =
    std::variant<Heartbeat, HeartbeatAnswer, Subscribe, cluster::NodeReport, ReportReply, BatchPtr,
                 cluster::ViewPosition, WantGroup, GroupPlaces, cluster::PrepareBundles, cluster::PrepareAnswer,
                 cluster::CommitBundles, cluster::CommitAnswer, cluster::DropBundles, cluster::DropAnswer,
                 cluster::BundleInventory, cluster::LeaseRequest, cluster::LeaseAnswer, cluster::LeaseStatus,
                 cluster::LeaseStatusAnswer, cluster::LeaseRecall, RunCall, CallEnded>;

const char* kind_of(const Message& message);
// It names the incarnation that it is for, so that it may reach another one: that has to notice by itself.
bool names_its_receiver(const Message& message);
// About what it takes on the wire.
size_t size_bytes(const Message& message);

}  // namespace sabir::simulation
