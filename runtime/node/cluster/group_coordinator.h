// All placement groups of a cluster, as its nodes speak to them: PlacementGroups with its messages, who waits, who
// wants to hear of changes, and where records are kept. Knows nothing of sabird: messages come and go by node, and it
// may live in any process that has the cluster's resource view: the control store's, or sabird's of a node that is
// alone.
//
//  K1 What was decided leaves when it is stored: messages that follow a change of a record, and answers, wait until the
//     storage says that it is durable, in order. What the storage refused did not happen: load() again, and nothing of
//     what waited leaves. Whoever has no answer asks again.
//  K2 A request is answered however often it comes; a second one has no second effect. A node that is gone is not
//     answered.
//  K3 A node that made, asked for or waited for a group by its id or name hears of each change of it (`GroupState`),
//     until it is gone.
//  K4 A job that ended gets no more groups: a request of it may be under way for longer than it lives.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/node/cluster/placement_groups.h"

namespace sabir::cluster {

// A record is new, another one, or (none) gone.
struct GroupChange {
  GroupId group;
  std::optional<GroupRecord> record;
};

class GroupStorage {
 public:
  virtual ~GroupStorage() = default;
  // Stores the changes after those before. `durable` is called once: when they are, now or later, in order.
  virtual void commit(std::vector<GroupChange> changes, std::function<void()> durable) = 0;
};

// Of a session that ends with its process: nothing is kept.
class NoGroupStorage final : public GroupStorage {
 public:
  void commit(std::vector<GroupChange>, std::function<void()> durable) override { durable(); }
};

class GroupCoordinator {
 public:
  using Send = std::function<void(const NodeKey& to, GroupMessage message)>;

  // `epoch`: of this life, higher than all before. All must outlive it. `send` may not call it back.
  GroupCoordinator(uint64_t epoch, GroupOptions options, ResourceView* view, const Clock* clock, uint64_t seed,
                   GroupStorage* storage, Send send);

  // Before anything else; and again, if the storage refused something: it has these. No commit of before counts then.
  void load(std::vector<GroupRecord> records);

  void on_message(const NodeKey& from, const GroupMessage& message);
  // The view has the change already.
  void node_added();
  void node_gone(const NodeKey& node);
  void tick();
  std::optional<int64_t> next_wake_ns() const { return groups_.next_wake_ns(); }

  std::vector<GroupState> states() const;
  const PlacementGroups& groups() const { return groups_; }

 private:
  struct Waiter {
    NodeKey node;
    uint64_t number = 0;
  };
  // What leaves when a commit is durable.
  struct Message {
    NodeKey to;
    GroupMessage message;
  };
  struct Held {
    uint64_t after = 0;  // of commits
    Message message;
  };

  void on_request(const NodeKey& from, const GroupRequest& request);
  Result<void> create(const GroupSpec& spec);
  void end_job(const JobKey& job);
  void wait(const NodeKey& from, const GroupRequest& request);
  void find(const NodeKey& from, const GroupRequest& request);
  void answer(const NodeKey& to, GroupAnswer answer);
  void carry_out();
  void carry_out(GroupInstruction& instruction, std::vector<GroupChange>& changes);
  void post(const NodeKey& to, GroupMessage message);
  void committed(uint64_t number);
  GroupState state_of(const PlacementGroups::View& view) const;
  void tell(const GroupId& group);

  GroupInstructions instructions_;
  ResourceView* const view_;
  Random random_;
  PlacementGroups groups_;
  GroupStorage* const storage_;
  const Send send_;
  uint64_t version_;
  std::map<GroupId, std::set<NodeKey>> listeners_;  // K3
  WaiterId last_waiter_ = 0;
  std::map<WaiterId, Waiter> waiters_;
  std::map<std::pair<NodeKey, uint64_t>, WaiterId> waiter_of_;
  uint64_t commits_ = 0;  // begun
  uint64_t durable_ = 0;
  std::deque<Held> held_;
  // K4. The last ones.
  static constexpr size_t kMaxEndedJobs = 4096;
  std::set<JobKey> ended_jobs_;
  std::deque<JobKey> ended_order_;
};

}  // namespace sabir::cluster
