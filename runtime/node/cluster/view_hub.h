// The head's side of the resource view: takes the reports of all nodes, merges them, and spreads what changed, one
// batch for each node and tick (V1 to V5). A state machine without I/O.
//
// A batch goes to every node and may tell of every node, so that a tick costs up to nodes^2. Ticks are therefore
// stretched until the head sends no more than `budget_bytes_per_s`; what changes meanwhile is merged.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/node_report.h"
#include "runtime/node/cluster/report_publisher.h"
#include "runtime/node/cluster/resource_view.h"

namespace sabir::cluster {

struct HubOptions {
  int64_t tick_ns = 100 * kMillisecondNs;
  int64_t answer_timeout_ns = 2 * kSecondNs;  // then a batch goes again
  int64_t budget_bytes_per_s = 32 << 20;
  size_t max_gone = 1024;  // departures remembered; who missed more gets a snapshot
};

class ViewHub {
 public:
  // `epoch`: of this life of the control store, higher than all before. `view` is the head's own; all must outlive it.
  ViewHub(uint64_t epoch, HubOptions options, ResourceView* view, const Clock* clock);

  // The registry's word (V5): it has joined, or is dead. In any order, any number of times.
  void add_node(NodeKey node);
  void remove_node(NodeKey node);

  // kFenced also for who is not (yet, or any more) a member in this incarnation.
  ReportAnswer on_report(const NodeReport& report);

  // A member connected anew and has this much. Nothing is sent to who is not subscribed.
  void subscribe(NodeKey node, ViewPosition has);
  void unsubscribe(NodeKey node);
  void on_position(NodeKey node, ViewPosition has);  // the answer to a batch

  struct Send {
    NodeKey to;
    std::shared_ptr<const ViewBatch> batch;  // the same one for all who have the same
  };
  // What is to be sent now.
  std::vector<Send> tick();
  std::optional<int64_t> next_wake_ns() const;

  uint64_t version() const { return version_; }
  ResourceView& view() { return *view_; }

 private:
  struct Member {
    NodeKey key;
    uint64_t changed_at = 0;  // 0: has not reported
    uint64_t statics_changed_at = 0;
  };
  struct Subscriber {
    NodeKey key;
    ViewPosition has;
    std::optional<int64_t> sent_ns;  // a batch is under way
  };

  std::shared_ptr<const ViewBatch> make_batch(uint64_t from) const;
  void forget(NodeKey node);

  const uint64_t epoch_;
  const HubOptions options_;
  ResourceView* const view_;
  const Clock* const clock_;
  uint64_t version_ = 0;
  uint64_t forgotten_gone_ = 0;  // departures up to this version are not in gone_ any more
  std::unordered_map<NodeId, Member> members_;
  std::map<uint64_t, NodeId> changes_;  // changed_at of each member that has reported
  std::deque<std::pair<uint64_t, NodeKey>> gone_;
  std::map<NodeId, Subscriber> subscribers_;
  int64_t next_tick_ns_ = 0;
  // As of the last tick.
  bool all_have_it_ = true;
  uint64_t told_version_ = 0;
};

}  // namespace sabir::cluster
