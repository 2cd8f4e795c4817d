// BorrowClient and the log of nodes: dead lenders, dead owners, acknowledgements (N8, N9).
#include <utility>

#include "runtime/node/cluster/borrow_client.h"

namespace sabir::node {

using Standing = ClusterView::Standing;

void BorrowClient::node_died(Incarnation node, BorrowInstructions& out) {
  lose_owner(node, out);
  for (auto at = carriers_.lower_bound({node, 0}); at != carriers_.end() && at->first.lender == node; ++at) {
    at->second.orphan = true;
    for (const ObjectName& object : at->second.references) {
      Borrowed& borrowed = reached_object(object);
      ++borrowed.orphaned;
      if (borrowed.must_register()) {
        orphans_.insert(object);
        look(object, out);
      }
    }
  }
}

void BorrowClient::lose_owner(Incarnation node, BorrowInstructions& out) {
  auto found = owners_.find(node);
  if (found == owners_.end() || found->second.dead) {
    return;
  }
  Owner& owner = found->second;
  owner.dead = true;
  owner.open.clear();
  owner.queue.clear();
  std::vector<ObjectName> all;
  for (auto& [object, borrowed] : owner.objects) {
    all.push_back(object);
    borrowed.lost = true;
    borrowed.registered = 0;
    borrowed.registering = false;
    borrowed.queued = false;
    if (borrowed.reached()) {
      ++counters_.lost;
      out.emplace_back(ObjectLost{object, LossReason::kOwnerDied});
    }
  }
  for (const ObjectName& object : all) {
    if (find(object) != nullptr) {
      resolve(object, out);
    }
  }
}

void BorrowClient::view_moved(bool deaths, BorrowInstructions& out) {
  death_unacknowledged_ = death_unacknowledged_ || deaths;
  // An owner that joined and died between two snapshots is in nobody's list of deaths.
  std::vector<Incarnation> dead;
  for (const auto& [node, owner] : owners_) {
    if (!owner.dead && view_->standing(node) == Standing::kDead) {
      dead.push_back(node);
    }
  }
  for (Incarnation node : dead) {
    lose_owner(node, out);
  }
  std::erase_if(owners_, [](const auto& item) { return item.second.dead && item.second.objects.empty(); });
  acknowledge(out);
}

// Says so only if there is a death in it: nobody waits for the others.
void BorrowClient::acknowledge(BorrowInstructions& out) {
  if (!orphans_.empty()) {
    return;
  }
  acknowledged_ = view_->position();
  if (std::exchange(death_unacknowledged_, false)) {
    out.emplace_back(AcknowledgeLog{acknowledged_});
  }
}

}  // namespace sabir::node
