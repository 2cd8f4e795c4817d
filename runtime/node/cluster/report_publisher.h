// When a node tells the head about itself: a state machine on the node's side of the resource view (V1, V2). A change
// that matters goes at once, but not more often than each min_interval; a small one after a while; none, nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/node_report.h"

namespace sabir::cluster {

struct PublisherOptions {
  int64_t min_interval_ns = 50 * kMillisecondNs;
  int64_t small_change_ns = kSecondNs;    // what does not matter much is told after so long
  int64_t answer_timeout_ns = kSecondNs;  // then the report goes again
  uint32_t threshold_percent = 5;         // of a total: what matters
};

enum class ReportAnswer : uint8_t {
  kAccepted,
  kNeedsAll,  // the receiver does not know the statics (V2)
  kFenced,    // this incarnation is over (V5): sabird ends itself and starts as a new one
};

class ReportPublisher {
 public:
  // `clock` must outlive it.
  ReportPublisher(NodeKey node, PublisherOptions options, const Clock* clock);

  // What is true now; as often as you like.
  void observe(NodeState state);
  // The report that is due, if one is: then an answer is expected. Until it came, or the time for it is over, none is.
  std::optional<NodeReport> next();
  // The same, without a pause, if anything is new: what is said next stands on it.
  std::optional<NodeReport> urgent();
  void answered(uint64_t version, ReportAnswer answer);
  // The head is another one, or forgot: everything goes again.
  void restart();
  std::optional<int64_t> next_wake_ns() const;

  // What is true now, for another node that is told out of turn and has the totals and labels. The head learns of it,
  // too, even if what it knows is true again by then: or else that node would believe the report for ever.
  NodeReport newest();
  // The same, whole, for the view of this node itself.
  NodeReport own();

 private:
  NodeReport make();
  NodeReport send();
  bool matters() const;
  std::optional<int64_t> due_ns() const;

  const NodeKey node_;
  const PublisherOptions options_;
  const Clock* const clock_;
  NodeState now_;
  NodeState versioned_;  // the content of version_
  uint64_t version_ = 0;
  std::shared_ptr<const NodeStatics> statics_;
  uint64_t accepted_statics_ = 0;  // the head has them
  std::optional<NodeState> sent_;  // the content that the head has, or will have
  uint64_t sent_version_ = 0;
  uint64_t told_version_ = 0;  // out of turn
  static constexpr int64_t kNever = INT64_MIN;
  int64_t sent_ns_ = kNever;
  bool fenced_ = false;
  std::optional<uint64_t> unanswered_;  // version
};

}  // namespace sabir::cluster
