// The borrower's side: what this node reaches of other nodes' objects, and that it is registered with their owners
// before those who lent it let go (N3-N5, N8, N9). A state machine without I/O; its owner is sabird's loop thread.
//
// An object is reached here while a carrier that brought it is not finished, a local process (or stored object, or
// cell) holds it, or it is lent on. It is registered as soon as it is held or lent on: mostly the answer is there
// before the carrier is finished. What is only carried, as most arguments, costs no message.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/node/cluster/borrow_types.h"
#include "runtime/node/cluster/cluster_view.h"

namespace sabir::node {

class BorrowClient {
 public:
  struct Options {
    // N4: what is not answered is sent again after so long; the pauses double while an owner does not answer at all.
    int64_t first_retry_ns = 100 * kMillisecondNs;
    int64_t max_retry_ns = 2 * kSecondNs;
    // So many ids may be open per owner: 1 to kRequestWindow. What needs more waits.
    RequestId window = kRequestWindow;
  };
  struct Counters {
    uint64_t registers = 0;
    uint64_t releases = 0;
    uint64_t retries = 0;
    uint64_t stale = 0;  // answers to nothing that is open
    uint64_t lost = 0;   // objects that were reached when their owner died
    // Never, unless a node breaks the rules, or the owner was declared dead and neither side has noticed.
    uint64_t gone_while_reached = 0;
  };

  // View and clock must outlive it. The view has learned of a death before node_died() tells.
  BorrowClient(const ClusterView* view, Options options, const Clock* clock);

  // --- carriers; `references` are other nodes' objects, none twice

  // A message that brings references is here. kDisconnected: its lender is dead, kNotFound: not alive yet; drop the
  // message (N1). kAlreadyExists: it is a copy of one that is not finished. kInvalid: the lender is this node.
  Result<void> arrive(CarrierId carrier, std::vector<ObjectName> references, BorrowInstructions& out);
  // The local side is through with it (the call has run, the result is consumed), and hold() was called for all that
  // it keeps. CarrierDone follows, at once or when the last of its references is registered or lost. Once.
  void finish(CarrierId carrier, BorrowInstructions& out);

  // --- what local processes hold, and what is lent on. Counted. kNotFound: it is not reached here, so nobody can have
  // a reference to it.

  Result<void> hold(const ObjectName& object, BorrowInstructions& out);
  void unhold(const ObjectName& object, BorrowInstructions& out);
  Result<void> lend(const ObjectName& object, BorrowInstructions& out);
  void unlend(const ObjectName& object, BorrowInstructions& out);

  // --- owners

  void answer(const BorrowAnswer& answer, BorrowInstructions& out);
  // A connection to it stands (anew): what it has not answered is sent again.
  void connected(Incarnation owner, BorrowInstructions& out);
  void tick(BorrowInstructions& out);
  std::optional<int64_t> next_wake_ns() const;

  // --- the log of nodes

  void node_died(Incarnation node, BorrowInstructions& out);
  // After the deaths of an entry, or of a snapshot, were told. `deaths`: there are, or may be, some that this node must
  // acknowledge, also of nodes that it never heard of.
  void view_moved(bool deaths, BorrowInstructions& out);
  // N8: how far this node has acknowledged the log.
  LogPosition acknowledged() const { return acknowledged_; }

  // --- for people and tests

  bool reaches(const ObjectName& object) const;
  bool is_registered(const ObjectName& object) const;
  bool is_lost(const ObjectName& object) const;
  size_t objects() const;
  size_t carriers() const { return carriers_.size(); }
  size_t open_requests() const;
  const Counters& counters() const { return counters_; }
  // Recounts. Empty: all is well.
  std::string check_invariants() const;

 private:
  struct Borrowed {
    uint32_t held = 0;
    uint32_t lent = 0;
    uint32_t carried = 0;             // carriers that are not finished
    uint32_t orphaned = 0;            // those of them whose lender is dead
    uint32_t registered = 0;          // registrations that were answered and are not released
    bool registering = false;         // a Register is open
    bool queued = false;              // in Owner::queue
    bool lost = false;                // N9; nothing is asked of the owner any more
    std::vector<CarrierId> awaiting;  // finished locally, kept, not registered yet

    bool reached() const { return held + lent + carried > 0; }
    bool kept() const { return held + lent > 0; }
    bool must_register() const { return (kept() || orphaned > 0) && registered == 0 && !lost; }
  };
  struct Open {
    BorrowRequest::Kind kind = BorrowRequest::Kind::kRegister;
    ObjectName object;
    uint32_t count = 0;
    int64_t sent_ns = 0;
  };
  // Stays until that incarnation dies, also without objects: ids never start again.
  struct Owner {
    bool dead = false;
    RequestId next_id = 1;
    std::map<RequestId, Open> open;
    std::deque<ObjectName> queue;  // look at these when the window has room
    int64_t retry_after_ns = 0;
    int64_t retry_at_ns = 0;  // while something is open
    std::unordered_map<ObjectName, Borrowed> objects;

    RequestId lowest_open() const { return open.empty() ? next_id : open.begin()->first; }
  };
  struct Carrier {
    std::vector<ObjectName> references;
    uint32_t unready = 0;  // N3: kept ones that are not registered yet
    bool finishing = false;
    bool orphan = false;  // its lender is dead
  };

  Borrowed* find(const ObjectName& object);
  const Borrowed* find(const ObjectName& object) const;
  Borrowed& reached_object(const ObjectName& object);
  void look(const ObjectName& object, BorrowInstructions& out);
  void let_go(const ObjectName& object, BorrowInstructions& out);
  void resolve(const ObjectName& object, BorrowInstructions& out);
  void carrier_ready(CarrierId carrier, BorrowInstructions& out);
  void complete(CarrierId carrier, BorrowInstructions& out);

  // borrow_deaths.cc
  void lose_owner(Incarnation node, BorrowInstructions& out);
  void acknowledge(BorrowInstructions& out);

  // borrow_requests.cc
  void enqueue(const ObjectName& object, Borrowed& borrowed, BorrowInstructions& out);
  void pump(Incarnation node, Owner& owner, BorrowInstructions& out);
  void send_new(Incarnation node, Owner& owner, Open open, BorrowInstructions& out);
  void send(Incarnation node, const Owner& owner, RequestId id, const Open& open, BorrowInstructions& out) const;

  const ClusterView* const view_;
  const Options options_;
  const Clock* const clock_;
  Counters counters_;
  std::unordered_map<Incarnation, Owner> owners_;
  std::map<CarrierId, Carrier> carriers_;
  // N8: objects of dead lenders' carriers that are not registered yet. Nothing is acknowledged while there are any.
  std::unordered_set<ObjectName> orphans_;
  LogPosition acknowledged_ = 0;
  bool death_unacknowledged_ = false;
};

}  // namespace sabir::node
