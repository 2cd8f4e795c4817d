// The life of placement groups: a state machine on the control store, the coordinator of their two-phase reservations
// (rules G1 to G9 in group_messages.h). No I/O; clock and randomness come in.
//
//   kPending -> kPreparing -> kCommitting -> kReady
//      ^            |              |            |
//      +------------+--------------+------------+      (no room, no answer, or a node died)
//
// What it wants done is appended to one list, to be carried out in order. **What stands behind a StoreGroup or an
// EraseGroup, and the reply to the call that appended it, may leave only when that is durable**; the machine itself
// goes on meanwhile.
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
#include "runtime/node/cluster/bundle_plan.h"
#include "runtime/node/cluster/group_record.h"
#include "runtime/node/cluster/resource_view.h"

namespace sabir::cluster {

struct GroupOptions {
  int64_t resend_ns = 500 * kMillisecondNs;
  int64_t prepare_timeout_ns = 3 * kSecondNs;  // well below BundleOptions::prepared_ns
  int64_t first_retry_ns = 10 * kMillisecondNs;
  int64_t max_retry_ns = 500 * kMillisecondNs;
  size_t max_preparing = 256;      // groups at a time
  size_t max_plans_per_tick = 64;  // bounded work
  size_t max_waiters = 1024;       // of one group
};

enum class GroupPhase : uint8_t { kPending, kPreparing, kCommitting, kReady };
std::string_view group_phase_name(GroupPhase phase);

using WaiterId = uint64_t;

struct StoreGroup {
  GroupRecord record;
};
struct EraseGroup {
  GroupId group;
};
// Answers a wait(): success, kTimeout, or kNotFound (removed).
struct AnswerWaiter {
  WaiterId waiter;
  Result<void> result;
};
// Where its bundles are has changed, or it is gone: for who subscribed to it.
struct GroupChanged {
  GroupId group;
};

using GroupInstruction =
    std::variant<StoreGroup, EraseGroup, AnswerWaiter, GroupChanged, PrepareBundles, CommitBundles, DropBundles>;
using GroupInstructions = std::vector<GroupInstruction>;

class PlacementGroups {
 public:
  // `epoch`: of this life of the control store, higher than all before. `view`: the head's; all must outlive it.
  PlacementGroups(uint64_t epoch, GroupOptions options, ResourceView* view, const Clock* clock, Random* random,
                  GroupInstructions* out);

  // Before anything else: what an earlier life stored. The view knows the members of the cluster. Again, if the storage
  // took something back: everything is as the records say, what was under way is not, and nobody waits. Attempts rise
  // on.
  void load(std::vector<GroupRecord> records);

  // Idempotent by id. kInvalid: a bad specification. kAlreadyExists: the name is taken, or the id names another group.
  // kExhausted: kMaxGroups.
  Result<void> create(const GroupSpec& spec);
  // Idempotent: of nothing, fine.
  void remove(const GroupId& group);
  // Its groups are removed, detached ones excepted.
  void end_job(const JobKey& job);

  // Answered by AnswerWaiter when every bundle is there. kNotFound, kExhausted (max_waiters): no answer follows.
  Result<void> wait(const GroupId& group, WaiterId waiter, std::optional<int64_t> timeout_ns);
  void cancel_wait(WaiterId waiter);

  // From the nodes. The report in an answer has gone to ViewHub::on_report() before: only so all nodes learn of it.
  void on_prepared(const PrepareAnswer& answer);
  void on_committed(const CommitAnswer& answer);
  void on_dropped(const DropAnswer& answer);
  void on_inventory(const BundleInventory& inventory);

  // Groups that are not detached end with the node that is the home of their job. The view has the change already. A
  // later incarnation also means that the earlier one is gone.
  void node_added();
  void node_gone(const NodeKey& node);

  void tick();
  std::optional<int64_t> next_wake_ns() const;

  struct View {
    const GroupRecord* record = nullptr;
    GroupPhase phase = GroupPhase::kPending;
    bool infeasible = false;  // as of the last attempt
  };
  // Until the next event.
  std::optional<View> view(const GroupId& group) const;
  std::optional<GroupId> find(const std::string& name_space, const std::string& name) const;
  std::vector<View> views() const;
  // Why it is not ready, for people; empty if it is.
  std::string explain(const GroupId& group) const;
  std::vector<BundleLocation> locations(const GroupId& group) const;  // for C7

  // Everything that was dropped has been acknowledged, and nothing is half done. For tests.
  bool quiet() const;

 private:
  // One message to one node, until it has answered.
  struct Round {
    std::vector<uint32_t> bundles;
    bool answered = false;
    std::vector<DebitId> debits = {};
  };
  struct Group {
    GroupRecord record;
    GroupPhase phase = GroupPhase::kPending;
    bool infeasible = false;
    uint64_t attempt = 0;
    // kPreparing, kCommitting. By node and attempt: bundles that kept their place have an earlier one.
    std::map<std::pair<NodeKey, uint64_t>, Round> rounds;
    int64_t deadline_ns = 0;        // kPreparing
    uint32_t failures = 0;          // attempts in a row that came to nothing
    uint64_t view_seen = 0;         // ResourceView::change_count() at the last attempt
    std::string refusal;            // of the last one
    std::optional<int64_t> due_ns;  // its place in due_
    std::set<WaiterId> waiters;
  };
  struct Waiter {
    GroupId group;
    std::optional<int64_t> deadline_ns;
  };
  using DropKey = std::pair<NodeKey, GroupId>;
  struct Drop {
    std::map<uint32_t, uint64_t> bundles;  // index to attempt
    int64_t due_ns = 0;
  };

  Group* find_group(const GroupId& id);
  void set_due(Group& group, std::optional<int64_t> due_ns);
  void store(const Group& group);
  void answer_waiters(Group& group, const Result<void>& result);
  void forget_waiter(WaiterId waiter);
  void drop(const NodeKey& node, const GroupId& group, uint32_t index, uint64_t attempt);
  void send_drop(const DropKey& key, Drop& drop);
  void plan(Group& group);
  void retry_later(Group& group);
  void send_prepare(const Group& group, const NodeKey& node, const Round& round);
  void abort(Group& group, std::string reason);
  void start_commit(Group& group);
  void send_commit(const Group& group, const NodeKey& node, uint64_t attempt, const Round& round);
  void finish_commit_if_answered(Group& group);
  void lose_bundles(Group& group, const NodeKey& node);
  void run_due(Group& group);
  void nudge();
  BundleQuery query_of(const Group& group) const;
  void clear();

  const uint64_t epoch_;
  const GroupOptions options_;
  ResourceView* const view_;
  const Clock* const clock_;
  Random* const random_;
  GroupInstructions* const out_;
  uint64_t last_attempt_;
  uint64_t last_order_ = 0;
  std::map<GroupId, Group> groups_;
  std::map<std::pair<std::string, std::string>, GroupId> names_;  // namespace, name
  std::set<std::pair<int64_t, GroupId>> due_;
  std::map<uint64_t, GroupId> pending_;  // by order of creation
  size_t preparing_ = 0;
  std::map<DropKey, Drop> drops_;
  std::set<std::pair<int64_t, DropKey>> drops_due_;
  std::map<WaiterId, Waiter> waiters_;
  std::set<std::pair<int64_t, WaiterId>> waiters_due_;
};

}  // namespace sabir::cluster
