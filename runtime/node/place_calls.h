// Where the calls run that wait at this node: of each class of calls, how many here and how many on which other node.
// A state machine: what waits comes in, what is to be done goes out; no I/O, the clock and chance come in. The rules
// for one call are C1 to C8 (cluster/placement.h); here they are applied to many that wait together:
//  P1 A class without a strategy, and one that wants this node first, is this node's: what it does not begin within
//     60 ms may go to others, and what it never can, at once.
//  P2 Of any other class each call is decided at once, and this node gets as many leases as calls fell to it (S12).
//     When nothing waits it gets none, and links to other nodes of a class that is to be spread, or has fallbacks, are
//     let go when they are idle: the next calls are decided anew.
//  P3 What was decided and has not begun is not decided again: calls promised to a relay, leases allowed here. A lease
//     that was not taken for 300 ms is: others may have taken the room.
//  P4 While a class that is to be spread waits for links to other nodes, this one does not begin alone, for up to 1 s.
//  P5 A call that may run on one node only fails (kUnschedulable) when that node is dead, unknown for 2 s, or can never
//     run it.
//  P6 What was debited from other nodes' accounts for calls of a class is given back when none of it waits or runs
//  there:
//     else short calls would make a node look full for as long as debits live (V6).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/placement.h"
#include "runtime/node/cluster/resource_view.h"
#include "runtime/node/instructions.h"
#include "runtime/node/scheduler.h"

namespace sabir::node {

// Calls of a class that wait at this node, and what was done about them.
struct ClassBacklog {
  shm::ClassIndex class_index = 0;
  JobNumber job = 0;
  cluster::Amounts resources;
  ClassPlace place = {};
  uint64_t waiting = 0;
  uint64_t leases_here = 0;  // not blocked
  uint64_t under_way = 0;    // on other nodes
  uint64_t promised = 0;     // so many more may be claimed for other nodes
  bool links_ready = true;   // whoever is to claim them has joined
};

struct PlacePlan {
  struct Share {
    uint32_t calls = 0;  // more
    uint32_t most = 0;   // that the node can ever run at a time
  };
  std::optional<uint64_t> here;  // S12; none: as before
  std::map<cluster::NodeKey, Share> elsewhere;
  std::optional<Error> failure;  // of all that wait
  bool let_go = false;           // of idle links
  bool infeasible = false;       // no node ever could, as the cluster is
};

// What people hear of a class of calls.
struct ClassStory {
  std::string infeasible;  // why no node can ever run its calls
  std::string reason;      // why those that wait do
};

// On a node that has no others. `reason`: why its calls wait for ever, or "".
struct AlonePlan {
  bool here = false;
  std::optional<Error> failure;
  std::string reason;
};
AlonePlan place_alone(const cluster::Strategy& strategy, const cluster::NodeId& self, const cluster::Labels& labels);

class CallPlacer {
 public:
  // `is_dead`: of a node that was a member.
  CallPlacer(cluster::NodeId self, const Clock* clock, uint64_t seed,
             std::function<bool(const cluster::NodeId&)> is_dead)
      : self_(self), clock_(clock), random_(seed), is_dead_(std::move(is_dead)) {}

  // Of each class in turn, whenever something may have changed. Debits the view.
  PlacePlan plan(const ClassBacklog& backlog, cluster::ResourceView& view);
  // One decision, for what is not in a class (an actor). Debits the view if it is another node.
  cluster::Decision choose(const cluster::Amounts& resources, const cluster::Strategy& strategy,
                           cluster::ResourceView& view);
  // The same, and debits nothing.
  cluster::Decision look(const cluster::Amounts& resources, const cluster::Strategy& strategy,
                         const cluster::ResourceView& view);
  // P5, of what no node can run.
  bool is_over(const cluster::Strategy& strategy, const cluster::ResourceView& view, int64_t waited_ns) const;
  // Why it waits, for people; "" if a node serves it now.
  std::string explain(const cluster::Amounts& resources, const cluster::Strategy& strategy,
                      const cluster::ResourceView& view) const;
  // No node ever could, as the cluster is.
  bool is_infeasible(const cluster::Amounts& resources, const cluster::Strategy& strategy,
                     const cluster::ResourceView& view) const;
  // This node could ever begin it, or has not said yet what it has.
  bool fits_here(const cluster::Amounts& resources, const cluster::ResourceView& view) const;
  bool anything_waits() const { return !waiting_.empty(); }
  // Since when calls wait in the class; nothing: none do.
  std::optional<int64_t> waits_since_ns(shm::ClassIndex class_index) const;

 private:
  struct Waiting {
    int64_t since_ns = 0;
    uint64_t here = 0;  // allowed
    int64_t here_ns = 0;
  };

  bool here_first(const cluster::Strategy& strategy, const cluster::Amounts& resources,
                  const cluster::ResourceView& view) const;
  uint64_t open_here(const ClassBacklog& backlog, Waiting& waiting) const;
  void nothing_waits(const ClassBacklog& backlog, cluster::ResourceView& view);
  void decide(const ClassBacklog& backlog, cluster::ResourceView& view, bool counted, Waiting& waiting,
              PlacePlan& plan);
  std::optional<Error> failure_of(const ClassBacklog& backlog, const cluster::ResourceView& view,
                                  int64_t waited_ns) const;

  const cluster::NodeId self_;
  const Clock* const clock_;
  cluster::Random random_;
  const std::function<bool(const cluster::NodeId&)> is_dead_;
  std::map<shm::ClassIndex, Waiting> waiting_;
  // Of other nodes' accounts, for the class's calls: over when all of these have ended (P6).
  std::map<shm::ClassIndex, std::deque<cluster::DebitId>> debits_;
};

}  // namespace sabir::node
