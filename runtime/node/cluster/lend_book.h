// What this node has lent to others: carriers that are under way or not finished at their receivers (N2). The
// references in them are held until the receiver says that it is done, or its death is settled. No I/O.
#pragma once

#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/cluster/borrow_types.h"
#include "runtime/node/cluster/cluster_view.h"

namespace sabir::node {

class LendBook {
 public:
  // The view must outlive it.
  explicit LendBook(const ClusterView* view) : view_(view) {}

  // Before the carrier is sent. kDisconnected: the receiver is not alive, do not send it. kAlreadyExists: the number is
  // in use.
  Result<void> lend(uint64_t number, Incarnation receiver, std::vector<ObjectName> references);
  // The receiver says it is done, or it never got the carrier and never will. What comes back is not lent any more:
  // nothing if the number is not (any longer) lent to it, or if it is dead: its word came late, and it may have lent
  // on what it got before (F2).
  std::vector<ObjectName> done(uint64_t number, Incarnation receiver);
  // All that was lent to it is not any more.
  std::vector<ObjectName> node_settled(Incarnation receiver);

  size_t carriers() const { return carriers_.size(); }

 private:
  struct Lent {
    Incarnation receiver = 0;
    std::vector<ObjectName> references;
  };

  const ClusterView* const view_;
  std::unordered_map<uint64_t, Lent> carriers_;
  std::unordered_map<Incarnation, std::set<uint64_t>> by_receiver_;
};

}  // namespace sabir::node
