// The node's side of placement groups: reservations in two phases (rules G1 to G9 in group_messages.h, B1 to B3 in
// node_ledger.h). A state machine: messages in, answers and instructions out; no I/O, the clock comes in.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/group_messages.h"
#include "runtime/node/cluster/node_ledger.h"

namespace sabir::cluster {

struct BundleOptions {
  int64_t prepared_ns = 30 * kSecondNs;  // G2: longer than any coordinator goes on trying
  int64_t mark_ns = 60 * kSecondNs;      // G5: longer than a message can be under way
  size_t max_marks = 16'384;
};

// End what runs in it (cancel calls, kill actors), each of which then gives its claim back: who holds a claim with this
// number.
struct EndBundleUsers {
  GroupId group;
  uint32_t index = 0;
  BundleNumber bundle = 0;
};

class BundleManager {
 public:
  // All must outlive it.
  BundleManager(NodeKey self, BundleOptions options, NodeLedger* ledger, const Clock* clock,
                std::vector<EndBundleUsers>* out);

  // Nothing: of another incarnation or a coordinator that is over (G7), so not to be answered. The reports of the
  // answers are left to the caller.
  std::optional<PrepareAnswer> prepare(const PrepareBundles& message);
  std::optional<CommitAnswer> commit(const CommitBundles& message);
  std::optional<DropAnswer> drop(const DropBundles& message);

  // Nothing new is reserved.
  void drain() { draining_ = true; }

  // G6: to be sent when the coordinator is another one, and now and then.
  BundleInventory inventory() const;
  bool empty() const { return reservations_.empty(); }

  void tick();
  std::optional<int64_t> next_wake_ns() const;

  struct View {
    GroupId group;
    uint32_t index = 0;
    uint64_t attempt = 0;
    BundleNumber bundle = 0;
    bool committed = false;
  };
  std::vector<View> views() const;

 private:
  using Key = std::pair<GroupId, uint32_t>;
  struct Reservation {
    uint64_t attempt = 0;
    BundleNumber bundle = 0;
    bool committed = false;
    int64_t until_ns = 0;  // if it is not
  };
  struct Mark {
    uint64_t attempt = 0;
    int64_t until_ns = 0;
  };

  bool listens_to(uint64_t epoch, const NodeKey& node);
  void end(std::map<Key, Reservation>::iterator reservation);
  void mark(const Key& key, uint64_t attempt);

  const NodeKey self_;
  const BundleOptions options_;
  NodeLedger* const ledger_;
  const Clock* const clock_;
  std::vector<EndBundleUsers>* const out_;
  uint64_t epoch_ = 0;
  bool draining_ = false;
  std::map<Key, Reservation> reservations_;
  std::map<Key, Mark> marks_;
  std::deque<Key> mark_order_;
};

}  // namespace sabir::cluster
