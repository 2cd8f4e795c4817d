// The side of the node that has more calls than it can run soon (rules E1 to E7 in remote_lease.h): asks other nodes
// for slots, by choose_node (C1 to C8), and gives back what it does not use. A state machine without I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/placement.h"
#include "runtime/node/cluster/remote_lease.h"

namespace sabir::cluster {

struct LeaseClientOptions {
  uint32_t max_slots_per_request = 32;
  int64_t resend_ns = 300 * kMillisecondNs;
  int64_t answer_timeout_ns = 3 * kSecondNs;  // then the request is given up
  int64_t wait_ns = 5 * kSecondNs;            // that a request may wait at its server
  int64_t idle_ns = 500 * kMillisecondNs;     // E5: unused slots of a class without calls go back after so long
  int64_t first_retry_ns = 10 * kMillisecondNs;
  int64_t max_retry_ns = 500 * kMillisecondNs;
  int64_t refusal_ns = 100 * kMillisecondNs;  // C8: a node that refused a class is not asked again for so long
};

// So many calls of the class may be under way to `server` under this lease, at a time. 0: none is to be sent any more;
// those that are under way end, or come back because the server does not have the lease. Said at each change.
struct UseSlots {
  ClassToken token = 0;
  NodeKey server;
  LeaseNumber number = 0;
  uint32_t slots = 0;
};

// So many calls more of the class are meant for the local node. One that runs by default, without large arguments and
// where the selector takes the local node, is not asked about: the local scheduler takes those by itself (C1).
struct RunHere {
  ClassToken token = 0;
  uint32_t calls = 0;
};

using LeaseClientInstruction = std::variant<LeaseRequest, LeaseStatus, UseSlots, RunHere>;

class RemoteLeaseClient {
 public:
  // All must outlive it. `view` is this node's.
  RemoteLeaseClient(NodeKey self, LeaseClientOptions options, ResourceView* view, const Clock* clock, Random* random,
                    std::vector<LeaseClientInstruction>* out);

  // A class of calls that may run elsewhere. Its strategy has the placement.
  void add_class(const LeaseClass& what, Strategy strategy);
  // Nothing of it is asked for any more; its slots go back as they become unused.
  void remove_class(ClassToken token);
  // Calls that wait here and that the local node does not run soon; and where their arguments lie.
  void set_backlog(ClassToken token, uint32_t calls, std::vector<ArgumentBytes> arguments = {});
  // Calls that were sent under the lease and have not ended.
  void set_in_flight(LeaseNumber number, uint32_t calls);
  // C7. Where the bundles of a group are; empty: the group is gone.
  void set_group(const GroupId& group, std::vector<BundleLocation> bundles);

  void on_answer(const LeaseAnswer& answer);
  void on_status_answer(const LeaseStatusAnswer& answer);
  void on_recall(const LeaseRecall& recall);

  // After events (also changes of the view: who is no member any more is dead), and at next_wake_ns().
  void tick();
  std::optional<int64_t> next_wake_ns() const;

  // --- For status and tests
  // As of the last decision: does it wait, can it ever run, and why not.
  Decision::Outcome outcome(ClassToken token) const;
  std::string explain(ClassToken token) const;
  size_t lease_count() const { return leases_.size(); }
  uint32_t slot_count() const;
  // No lease, and every server knows it.
  bool quiet() const { return leases_.empty() && servers_.empty(); }

 private:
  struct Class {
    LeaseClass what;
    Strategy strategy;
    std::vector<ArgumentBytes> arguments;
    uint32_t backlog = 0;
    bool removed = false;
    std::set<LeaseNumber> leases;
    int64_t retry_ns = 0;  // not earlier, unless the view has changed
    int64_t decided_ns = INT64_MIN / 2;
    uint64_t view_seen = 0;             // ResourceView::change_count() then
    uint32_t failures = 0;              // in a row
    std::map<NodeId, int64_t> refused;  // until when
    Decision::Outcome outcome = Decision::Outcome::kNow;
  };
  enum class State : uint8_t { kAsked, kWaiting, kHeld };
  struct Lease {
    LeaseRequest request;
    State state = State::kAsked;
    uint32_t slots = 0;
    uint32_t in_flight = 0;
    DebitId debit = 0;
    int64_t sent_ns = 0;
    int64_t deadline_ns = 0;  // kAsked, kWaiting: given up; kHeld: E4
    std::optional<int64_t> unused_since_ns;
    uint64_t listed_in = 0;  // the first status that listed it as held
  };
  struct Server {
    std::set<LeaseNumber> leases;
    uint64_t sequence = 0;  // of the last status; 0: none yet
    int64_t sent_ns = 0;
    bool answered = true;
    bool dirty = false;  // there is something to tell
  };

  uint32_t wanted(const Class& what) const;
  PlacementQuery query_of(const Class& what, const std::vector<NodeId>& refused) const;
  void node_gone(const NodeKey& node);
  void decide(Class& what);
  void ask(Class& what, const NodeKey& server, uint32_t slots, bool may_wait);
  void pause(Class& what);
  void set_slots(LeaseNumber number, Lease& lease, uint32_t slots);
  void forget(LeaseNumber number);
  void check_lease(LeaseNumber number, Lease& lease);
  void check_server(const NodeKey& key, Server& server);
  std::optional<int64_t> due_ns(const Lease& lease) const;
  std::optional<int64_t> due_ns(const Server& server) const;
  std::optional<int64_t> due_ns(const Class& what) const;

  const NodeKey self_;
  const LeaseClientOptions options_;
  ResourceView* const view_;
  const Clock* const clock_;
  Random* const random_;
  std::vector<LeaseClientInstruction>* const out_;
  std::map<ClassToken, Class> classes_;
  std::map<LeaseNumber, Lease> leases_;
  std::map<NodeKey, Server> servers_;
  std::map<GroupId, std::vector<BundleLocation>> groups_;
  LeaseNumber next_lease_ = 1;
  uint64_t last_sequence_ = 0;
  uint64_t members_seen_ = 0;          // ResourceView::change_count()
  int64_t valid_ns_ = 10 * kSecondNs;  // as servers say
};

}  // namespace sabir::cluster
