// References between nodes, all of it for one node: what it lends, what it owns and others borrow, what it borrows
// (N1-N9 in docs/protocol.md). A state machine without I/O; its owner is sabird's loop thread.
//
// How a shell uses it. Before it sends a call or an answer with references in it: lend(). When one arrives: arrive();
// then it gives the call to a worker. When the call has run and a full round of store::Ownership has passed (H1):
// hold() for what processes have begun to hold, then finish(); it answers the call when CarrierDone comes, and the
// answer is what the lender hears as lent_done(). An answer with references is a carrier of its own, finished when the
// submitter has written its own holds. Instructions are carried out in their order, before the next event.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/node/cluster/borrow_client.h"
#include "runtime/node/cluster/borrow_owner.h"
#include "runtime/node/cluster/cluster_view.h"
#include "runtime/node/cluster/lend_book.h"

namespace sabir::node {

class Borrowing {
 public:
  // `self` joined at an entry within the snapshot; send acknowledged() to the control store as soon as it listens.
  // The clock must outlive it.
  Borrowing(Incarnation self, const control::NodeLogSnapshot& joined_at, BorrowOwner::Options owner,
            BorrowClient::Options client, const Clock* clock);
  Borrowing(const Borrowing&) = delete;
  Borrowing& operator=(const Borrowing&) = delete;

  // --- the log of nodes, from the control store, in any order and more than once

  // kInvalid: entries are missing, ask for a snapshot. kDisconnected: this node was declared dead; it must end.
  Result<void> log_entry(const control::NodeLogEntry& entry, BorrowInstructions& out);
  Result<void> log_snapshot(const control::NodeLogSnapshot& snapshot, BorrowInstructions& out);
  // kInvalid: the control store takes this node for another one.
  Result<void> deaths_settled(LogPosition position, BorrowInstructions& out);
  LogPosition acknowledged() const { return client_.acknowledged(); }

  // --- as lender (N2)

  // Holds `references` (its own and others') until the receiver is done with them. The number was never used before by
  // this node. kDisconnected: the receiver is not alive; kNotFound: one of them is not reached here; kAlreadyExists:
  // the number. Then nothing was done, and nothing must be sent.
  Result<void> lend(uint64_t number, Incarnation receiver, std::vector<ObjectName> references, BorrowInstructions& out);
  // The receiver's CarrierDone came, or its word that it dropped the carrier. A copy, or from the dead: nothing.
  void lent_done(uint64_t number, Incarnation receiver, BorrowInstructions& out);

  // --- as receiver (N3)

  // The shell keeps copies of finished carriers away (by the ids of its calls) and says CarrierDone again: a late copy
  // would bring references that nobody holds any more. Errors: as BorrowClient::arrive. This node's own objects may be
  // among the references; one that does not exist, which no rightful lender sends, is told as lost.
  Result<void> arrive(CarrierId carrier, std::vector<ObjectName> references, BorrowInstructions& out);
  void finish(CarrierId carrier, BorrowInstructions& out);
  // The first process (cell, stored object) of this node begins to hold another node's object, the last one ends. Its
  // own objects are not this class's business.
  Result<void> hold(const ObjectName& object, BorrowInstructions& out) { return client_.hold(object, out); }
  void unhold(const ObjectName& object, BorrowInstructions& out) { client_.unhold(object, out); }

  // --- messages and time

  // kInvalid: close the connection to its sender.
  Result<void> request(const BorrowRequest& request, BorrowInstructions& out) { return owner_.request(request, out); }
  void answer(const BorrowAnswer& answer, BorrowInstructions& out) { client_.answer(answer, out); }
  void connected(Incarnation node, BorrowInstructions& out) { client_.connected(node, out); }
  void tick(BorrowInstructions& out) { client_.tick(out); }
  std::optional<int64_t> next_wake_ns() const { return client_.next_wake_ns(); }

  // --- for people and tests

  const ClusterView& view() const { return view_; }
  const BorrowOwner& owner() const { return owner_; }
  const BorrowClient& client() const { return client_; }
  const LendBook& lends() const { return lends_; }
  std::string check_invariants() const;

 private:
  Result<void> retain(const ObjectName& object, BorrowInstructions& out);
  void drop(const ObjectName& object, BorrowInstructions& out);
  void tell(const ClusterView::Changes& changes, bool deaths, BorrowInstructions& out);

  ClusterView view_;
  BorrowOwner owner_;
  BorrowClient client_;
  LendBook lends_;
  // This node's own objects in carriers that are not finished: after that its processes hold what they keep.
  std::map<CarrierId, std::vector<ObjectName>> came_home_;
};

}  // namespace sabir::node
