// The side of the node that has room (rules E1 to E7 in remote_lease.h). A state machine without I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/node_ledger.h"
#include "runtime/node/cluster/remote_lease.h"
#include "runtime/node/cluster/resource_view.h"

namespace sabir::cluster {

struct LeaseServerOptions {
  int64_t valid_ns = 10 * kSecondNs;
};

using SlotId = uint64_t;  // of one server; never reused

// What runs in the slot is to be stopped, then end() is to be called.
struct StopSlot {
  SlotId slot = 0;
  NodeKey client;
  LeaseNumber number = 0;
};

// The reports of answers are left to whoever sends them.
using LeaseServerInstruction = std::variant<LeaseAnswer, LeaseStatusAnswer, LeaseRecall, StopSlot>;

class RemoteLeaseServer {
 public:
  // All must outlive it.
  RemoteLeaseServer(NodeKey self, LeaseServerOptions options, const ResourceView* view, NodeLedger* ledger,
                    const Clock* clock, std::vector<LeaseServerInstruction>* out);

  void on_request(const LeaseRequest& request);
  void on_status(const LeaseStatus& status);
  // Nothing new is granted, but in bundles: what was reserved before goes on until the node leaves.
  void drain() { draining_ = true; }
  // A bundle was closed: slots in it are over.
  void end_bundle(BundleNumber bundle);

  // E7. Local calls that wait: one for each kind, the one that has waited longest.
  struct LocalWaiter {
    ResourceSet resources;
    int64_t since_ns = 0;
  };
  void set_local_waiting(std::vector<LocalWaiter> waiters) { local_waiting_ = std::move(waiters); }
  // E7. A request that came earlier than `since_ns` waits for something that `wanted` would take.
  bool goes_first(const ResourceSet& wanted, int64_t since_ns) const;
  // Local calls of this kind wait: takes up to `slots` slots back from leases that hold some of it, from the largest
  // lease first, unused ones before used ones. Returns how many will be free, at once or when a call ends.
  uint32_t recall(const ResourceSet& wanted, uint32_t slots);

  struct Slot {
    SlotId id = 0;
    uint64_t gpu_mask = 0;
    BundleNumber bundle = 0;  // 0: of the node itself
  };
  // A call of this lease begins. Nothing: no slot is unused, or the lease is over: the call goes back.
  std::optional<Slot> begin(const NodeKey& client, LeaseNumber number);
  void end(SlotId slot);

  // After events (also changes of the view: who is no member any more is dead), when something was given back to the
  // ledger, and at next_wake_ns().
  void tick();
  std::optional<int64_t> next_wake_ns() const;

  // --- For status and tests
  size_t waiting_count() const { return waiting_.size(); }
  uint32_t slot_count() const { return static_cast<uint32_t>(slots_.size()); }
  std::vector<std::pair<Amounts, uint32_t>> waiting_demand() const;  // slots asked for

 private:
  using Key = std::pair<NodeKey, LeaseNumber>;
  struct SlotState {
    Key lease;
    Claim claim;
    bool busy = false;
    bool doomed = false;  // its bundle is closed: over when it ends
  };
  struct Lease {
    LeaseClass what;
    ResourceSet set;
    uint32_t asked = 0;
    bool granted = false;
    bool over = false;
    uint32_t keep = 0;  // E5
    std::set<SlotId> unused, used;
    uint32_t doomed = 0;   // of the used ones
    int64_t until_ns = 0;  // of its validity, or of its waiting
    uint64_t order = 0;    // of waiting ones
    int64_t since_ns = 0;
  };
  struct Client {
    uint64_t sequence = 0;
    LeaseNumber next_lease = 0;  // of its last status
    std::set<LeaseNumber> open;  // below that
    std::set<LeaseNumber> leases;
  };

  void client_gone(const NodeKey& client);
  // `waiting` lacks something that `wanted` would take more of.
  bool in_the_way(const ResourceSet& wanted, const ResourceSet& waiting) const;
  bool yields_to_local(const Lease& lease) const;
  bool try_grant(const Key& key, Lease& lease);
  void answer(const Key& key, const Lease& lease);
  void refuse(const LeaseRequest& request, std::string reason);
  void stop_waiting(Lease& lease);
  void trim(const Key& key, Lease& lease);
  void finish(const Key& key);
  void release(SlotId slot);

  const NodeKey self_;
  const LeaseServerOptions options_;
  const ResourceView* const view_;
  NodeLedger* const ledger_;
  const Clock* const clock_;
  std::vector<LeaseServerInstruction>* const out_;
  std::map<NodeKey, Client> clients_;
  std::map<Key, Lease> leases_;
  std::map<uint64_t, Key> waiting_;  // in order of arrival
  std::map<SlotId, SlotState> slots_;
  std::vector<LocalWaiter> local_waiting_;
  bool draining_ = false;
  uint64_t members_seen_ = 0;  // ResourceView::change_count()
  SlotId last_slot_ = 0;
  uint64_t last_order_ = 0;
};

}  // namespace sabir::cluster
