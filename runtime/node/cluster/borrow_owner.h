// The owner's side of borrowing: which nodes have registered for which of this node's objects (N4-N7). A state machine
// without I/O; its owner is sabird's loop thread. An object that is retained or registered here has one hold more in
// store::Ownership, that of the cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "runtime/base/result.h"
#include "runtime/node/cluster/borrow_types.h"
#include "runtime/node/cluster/cluster_view.h"

namespace sabir::node {

class BorrowOwner {
 public:
  struct Options {
    // Does the object exist now, whoever holds it (N6)? True also for one whose announcement is still under way.
    std::function<bool(shm::EntryRef)> exists;
  };
  struct Counters {
    uint64_t registered = 0;
    uint64_t released = 0;
    uint64_t gone = 0;      // registrations of what does not exist: nobody reached it any more
    uint64_t repeated = 0;  // copies of requests that were answered again
    uint64_t stale = 0;     // dropped: other incarnations (N1), ids below the lowest open one (N4)
  };

  // The view must outlive it, and has learned of a death before node_settled() says that it is settled.
  BorrowOwner(const ClusterView* view, Options options);

  bool is_there(shm::EntryRef object) const;
  // This node reaches or lends its own object on behalf of others: it is lent (N2), or a carrier has brought it home.
  // Counted. kNotFound: no such object.
  Result<void> retain(shm::EntryRef object, BorrowInstructions& out);
  void drop(shm::EntryRef object, BorrowInstructions& out);

  // From a borrower. kInvalid: no rightful node sends that; it was not done, close the connection.
  Result<void> request(const BorrowRequest& request, BorrowInstructions& out);

  // N7: its death is settled, so its registrations go.
  void node_settled(Incarnation node, BorrowInstructions& out);

  // --- for people and tests

  uint32_t registrations(Incarnation node, shm::EntryRef object) const;
  size_t objects() const { return objects_.size(); }
  size_t borrowers() const { return borrowers_.size(); }
  const Counters& counters() const { return counters_; }
  // Recounts. Empty: all is well.
  std::string check_invariants() const;

 private:
  struct Object {
    uint32_t retained = 0;
    uint32_t borrowers = 0;  // nodes with registrations
  };
  // An owner's memory for one borrower: one count for each of its own objects at most, and a window of answers.
  struct Borrower {
    RequestId lowest_open = 1;
    std::map<RequestId, BorrowAnswer::Outcome> answered;  // from lowest_open on
    std::unordered_map<ObjectName, uint32_t> counts;
  };

  ObjectName name_of(shm::EntryRef object) const { return {view_->self(), object.generation, object.entry}; }
  static Result<void> check_form(const BorrowRequest& request);
  BorrowAnswer::Outcome register_for(Borrower& borrower, const BorrowRequest& request, BorrowInstructions& out);
  void release(Borrower& borrower, const BorrowRequest& request, BorrowInstructions& out);
  Object& begin_use(const ObjectName& object, BorrowInstructions& out);
  void end_use(const ObjectName& object, BorrowInstructions& out);

  const ClusterView* const view_;
  const Options options_;
  Counters counters_;
  std::unordered_map<ObjectName, Object> objects_;  // all names have owner self
  std::unordered_map<Incarnation, Borrower> borrowers_;
};

}  // namespace sabir::node
