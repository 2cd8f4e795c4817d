// The control store as the nodes of a cluster see it: who is a member and what each of them has, jobs, the names of
// actors, placement groups, keys and values. A state machine: requests and words of nodes in, words to nodes out; time
// by a Clock. What must last is in the tables of a ControlStore and is said only when it is on the disk; the rest is
// rebuilt from what nodes say.
//
// Rules.
//  M1 A registration makes a member: its incarnation is above all that were ever given. The same start of a node gets
//     the same one again. Another start under the id of a living node is refused, unless it is the head's: whoever
//     starts this control store is that node, so its earlier life is over.
//  M2 Words count that come from a member's living incarnation; all others get what a dead one gets.
//  M3 A member of which nothing was heard for `dead_after` is declared dead: first on the disk, then to all. With it go
//     the names of actors whose home it was, the jobs of its drivers, and the answers that it was given. All have that
//     time from the start of each life of the control store: silence that this one has caused is nobody's fault.
//  M4 Everybody is told of all members, at each change, and whenever a heartbeat shows that somebody knows something
//     else. (epoch, version) order what is told.
//  M5 A request is answered when what it has seen is on the disk, a change once, whoever asks how often
//     (reply_cache.h). When the end has come nothing is answered: the next life does.
//  M6 A draining member gets nothing new, and leaves by itself. If it is there when its time is over by `dead_after`,
//     it is declared dead. The head cannot be drained: this runs there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/control/control_store.h"
#include "runtime/control/transactor.h"
#include "runtime/head/control_groups.h"
#include "runtime/node/cluster/cluster_wire.h"
#include "runtime/node/cluster/resource_view.h"
#include "runtime/node/cluster/view_hub.h"
#include "runtime/rpc/gateway_messages.h"

namespace sabir::head {

class ServiceOut {
 public:
  virtual ~ServiceOut() = default;
  virtual void say(const cluster::NodeKey& to, const cluster::ClusterMessage& message) = 0;
  virtual void answer_join(uint64_t number, const cluster::RegisterAnswer& answer) = 0;
};

struct ServiceOptions {
  std::string cluster_id;  // 16 bytes
  cluster::NodeId head;
  int64_t dead_after_ns = 10 * kSecondNs;
  cluster::HubOptions hub;
  // Milliseconds since 1970, by the clock of the world: deadlines that last over lives.
  std::function<int64_t()> unix_ms;
};

// One thread. All that it is given must outlive it.
class ControlService {
 public:
  // `store` is loaded; `epoch` rises with each life.
  ControlService(control::ControlStore* store, control::Transactor* requests, uint64_t epoch, ServiceOptions options,
                 const Clock* clock, Logger logger, ServiceOut* out);
  ControlService(const ControlService&) = delete;
  ControlService& operator=(const ControlService&) = delete;

  // Tells the members that there is another life of it.
  void begin();
  // Number 0: of the head itself.
  void join(const rpc::JoinRequest& request);
  void receive(const cluster::NodeKey& from, std::string_view bytes);
  void tick();
  // When tick() has something to do.
  int64_t next_wake_ns() const;

  size_t living() const;

 private:
  // The calendar's time as it was when this life began, and what has passed since: a clock that is set meanwhile ends
  // no node's time for draining.
  int64_t unix_ms() const { return unix_at_start_ms_ + (clock_.now_ns() - started_ns_) / kMillisecondNs; }

  struct Member {
    cluster::MemberInfo info;
    int64_t drain_until_unix_ms = 0;
    int64_t heard_ns = 0;
    bool dying = false;  // it is on its way to the disk
  };
  using Answer = std::function<void(Result<std::string>)>;

  // --- members
  void registered(const rpc::JoinRequest& request, const control::NodeSpec& spec, Result<std::string> incarnation);
  Member* living_member(const cluster::NodeKey& key);
  void declare_dead(const cluster::NodeKey& node, const std::string& why);
  // What ends with a node, as a part of a change.
  Result<void> end_node(const control::NodeRef& node, const std::string& why);
  void look_for_dead();
  void forget_some();
  cluster::MembersMessage members_message() const;
  std::vector<cluster::MemberInfo> all_members() const;
  void members_changed();
  void tell_soon();

  void add_node(const cluster::NodeKey& node);
  void remove_node(const cluster::NodeKey& node);
  // Whether it is for this life; else its sender learns that there is another one.
  bool is_for_this_life(const cluster::NodeKey& from, uint64_t epoch);
  void on_group_message(const cluster::NodeKey& from, const cluster::GroupMessage& message);

  // --- requests (control_requests.cc)
  void on_request(const cluster::NodeKey& from, cluster::ControlRequest request);
  void on_name(const cluster::NodeKey& from, const control::RequestKey& key, const cluster::NameRequest& request);
  void find_name(const cluster::NodeKey& from, uint64_t number, const cluster::ActorName& name);
  void list_keys(const cluster::NodeKey& from, uint64_t number, const cluster::ListKeys& list);
  void drain(const cluster::NodeKey& from, const control::RequestKey& key, const cluster::DrainNode& drain);
  void on_job(const cluster::NodeKey& from, const control::RequestKey& key, const cluster::StartJob& start);
  void on_job(const cluster::NodeKey& from, const control::RequestKey& key, const cluster::EndJob& end);
  void list_jobs(const cluster::NodeKey& from, uint64_t number);
  Result<control::NodeRef> find_to_drain(const std::string& node) const;
  void drained(const control::NodeRef& node, int64_t until_unix_ms);
  // `result` makes the answer of what the request came to.
  Answer answer_to(const cluster::NodeKey& to, uint64_t number,
                   std::function<cluster::ControlResult(std::string)> result);
  void answer(const cluster::NodeKey& to, uint64_t number, Result<cluster::ControlResult> result);

  control::ControlStore& store_;
  control::Transactor& requests_;
  const uint64_t epoch_;
  const ServiceOptions options_;
  const Clock& clock_;
  const int64_t started_ns_;
  const int64_t unix_at_start_ms_;
  Logger logger_;
  ServiceOut& out_;

  std::map<cluster::NodeId, Member> members_;  // as on the disk
  uint64_t version_ = 1;
  bool told_ = true;  // the members that are there now
  int64_t wake_ns_ = 0;
  cluster::ResourceView view_;
  cluster::ViewHub hub_;
  ControlGroups groups_;
};

// How the tables name a node.
control::NodeRef ref_of(const cluster::NodeKey& key);

}  // namespace sabir::head
