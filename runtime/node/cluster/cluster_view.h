// What one node knows of the others: a copy of the control store's log of nodes, as far as it has come (N1, N8). No
// I/O.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/control/node_log.h"

namespace sabir::node {

class ClusterView {
 public:
  enum class Standing : uint8_t {
    kSelf,
    kLive,
    kDead,    // what it sent, or sends, is dropped
    kNotYet,  // newer than this view: what it sends is dropped until the view has come so far; it sends again
  };
  // What an entry, or a snapshot instead of several, changed.
  struct Changes {
    std::vector<control::Incarnation> joined;
    std::vector<control::Incarnation> died;
    std::vector<control::Incarnation> settled;  // died earlier; nothing that it had lent is under way any more
  };

  // `self` has joined at an entry within the snapshot.
  ClusterView(control::Incarnation self, const control::NodeLogSnapshot& joined_at);

  // The next entry; one that is known changes nothing. kInvalid: entries are missing before it, ask for a snapshot.
  // kDisconnected: this node was declared dead and must end all that it does.
  Result<Changes> apply(const control::NodeLogEntry& entry);
  // An older one changes nothing. kDisconnected as above.
  Result<Changes> apply(const control::NodeLogSnapshot& snapshot);
  // All deaths up to this position are settled. Older news change nothing. kInvalid: it is beyond what this node
  // knows; since only acknowledged deaths are settled, that means another node.
  Result<Changes> settle(control::LogPosition position);

  Standing standing(control::Incarnation node) const;
  control::Incarnation self() const { return self_; }
  control::LogPosition position() const { return position_; }
  // Dead and not settled yet.
  std::vector<control::Incarnation> unsettled() const;

 private:
  void bury(control::Incarnation node, control::LogPosition position, Changes& changes);

  const control::Incarnation self_;
  control::LogPosition position_ = 0;
  control::LogPosition settled_ = 0;
  control::Incarnation newest_ = 0;
  std::set<control::Incarnation> live_;
  std::map<control::LogPosition, std::vector<control::Incarnation>> unsettled_;
};

}  // namespace sabir::node
