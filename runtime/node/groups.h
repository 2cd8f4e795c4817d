// Placement groups at one node: the questions of its processes to the coordinator (cluster/group_coordinator.h), what
// is known here of groups, and the bundles that are here (cluster/bundle_manager.h). In a cluster the coordinator is
// part of the control store; if this node is alone it is here, too. No I/O: messages go out by a hook, the clock comes
// in.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/node/cluster/bundle_manager.h"
#include "runtime/node/cluster/group_coordinator.h"

namespace sabir::node {

struct GroupsOptions {
  int64_t resend_ns = kSecondNs;           // of a question without an answer
  int64_t inventory_ns = 30 * kSecondNs;   // G6
  int64_t room_ns = 500 * kMillisecondNs;  // so long leases that run nothing may take to end, for a bundle
  size_t max_questions = 16'384;
  size_t max_remembered = 16'384;  // groups that are gone
};

class Groups {
 public:
  struct Hooks {
    // To the control store.
    std::function<void(const cluster::GroupMessage& message)> send;
    // What this node has now goes to the view of the coordinator, before the next message.
    std::function<void()> report;
    // False: it does not fit, but will when leases end that were asked to.
    std::function<bool(const ResourceSet& wanted)> make_room;
  };

  // `epoch`: of the control store's life. All must outlive it.
  Groups(cluster::NodeKey self, uint64_t epoch, GroupsOptions options, cluster::NodeLedger* ledger, const Clock* clock,
         Hooks hooks);

  // This node is alone, and has the coordinator. Before anything else. `view`, `storage`: must outlive it.
  void lead(cluster::ResourceView* view, cluster::GroupStorage* storage);
  // The control store began anew: it is told what is here, and asked again what it has not answered, and of the groups
  // that are known here.
  void coordinator_changed(uint64_t epoch);
  uint64_t epoch() const { return epoch_; }
  const cluster::NodeKey& self() const { return self_; }

  // --- Questions. `answered` is called once, perhaps at once; kTimeout: the coordinator did not answer. A group whose
  // creation nobody waits for any more is removed.
  using Done = std::function<void(Result<void>)>;
  using Found = std::function<void(Result<std::vector<cluster::GroupState>>)>;
  void create(cluster::GroupSpec spec, int64_t timeout_ns, Done answered);
  void remove(const cluster::GroupId& group, int64_t timeout_ns, Done answered);
  // Both empty: all.
  void find(const cluster::GroupId& group, const std::string& name, const std::string& name_space, int64_t timeout_ns,
            Found answered);
  // kGroupRemoved for whoever waits for a group of it to be made.
  void end_job(const cluster::JobKey& job);
  // Until it is ready, or gone (kGroupRemoved). True: it is ready already, `settled` is not called. One `wait` of this
  // node to the coordinator for each group, whoever waits here.
  bool watch(const cluster::GroupId& group, Done settled);

  // --- What is known here. Null: nothing yet; it is asked for, and changed() says when that is new.
  const cluster::GroupState* known(const cluster::GroupId& group);
  // Something is new since the last time this was asked.
  bool take_changed() { return std::exchange(changed_, false); }

  // Of the coordinator.
  void on_message(const cluster::GroupMessage& message);

  void tick();
  std::optional<int64_t> next_wake_ns() const;

  // --- Bundles here
  const cluster::NodeLedger& ledger() const { return *ledger_; }
  std::vector<cluster::BundleManager::View> bundles() const { return bundles_.views(); }
  // Accounts of bundles that are over, and that somebody had something of: whose users are to end.
  std::set<AccountId>& closing() { return closing_; }

  const cluster::GroupCoordinator* coordinator() const { return coordinator_.get(); }

 private:
  using Answered = std::function<void(Result<std::vector<cluster::GroupState>>)>;
  struct Question {
    cluster::GroupRequest request;
    Answered answered;  // may be empty
    int64_t resend_ns = 0;
    std::optional<int64_t> deadline_ns;
  };
  struct Preparing {
    cluster::PrepareBundles message;
    int64_t until_ns = 0;
  };

  void ask(cluster::GroupRequest request, std::optional<int64_t> timeout_ns, Answered answered);
  void send(cluster::GroupMessage message);
  void send(const cluster::GroupRequest& request);
  void pump();
  void receive(const cluster::GroupMessage& message);
  void prepare(const cluster::PrepareBundles& message, int64_t until_ns);
  void answer_late_questions();
  void take_ends();
  void learn(const cluster::GroupState& state);
  void remember_gone(const cluster::GroupId& group);

  const cluster::NodeKey self_;
  uint64_t epoch_;
  const GroupsOptions options_;
  cluster::NodeLedger* const ledger_;
  const Clock* const clock_;
  const Hooks hooks_;
  std::vector<cluster::EndBundleUsers> ends_;
  cluster::BundleManager bundles_;
  std::set<AccountId> closing_;
  std::unique_ptr<cluster::GroupCoordinator> coordinator_;  // null: it is in the control store
  std::deque<cluster::GroupMessage> inbox_;
  bool pumping_ = false;

  uint64_t last_number_ = 0;
  std::map<uint64_t, Question> questions_;
  std::map<cluster::GroupId, std::vector<Done>> watched_;
  std::map<cluster::GroupId, cluster::GroupState> known_;
  std::set<cluster::GroupId> asked_;  // for known()
  std::set<cluster::GroupId> gone_;
  std::deque<cluster::GroupId> gone_order_;
  std::deque<Preparing> preparing_;  // for room
  bool changed_ = false;
  int64_t inventory_due_ns_ = 0;
};

}  // namespace sabir::node
