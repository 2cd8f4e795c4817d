// A node's part in its cluster: its gateway, who the other nodes are, what they have free, and which calls go there.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/node/cluster/cluster_wire.h"
#include "runtime/node/cluster/control_client.h"
#include "runtime/node/cluster/placement.h"
#include "runtime/node/cluster/report_publisher.h"
#include "runtime/node/cluster/resource_view.h"
#include "runtime/node/control_process.h"
#include "runtime/node/guard.h"
#include "runtime/node/instructions.h"
#include "runtime/node/job_teller.h"
#include "runtime/node/place_calls.h"
#include "runtime/node/resources.h"
#include "runtime/node/spawn.h"
#include "runtime/rpc/frame_pipe.h"
#include "runtime/rpc/gateway_messages.h"

namespace sabir::node {

// What the head alone has, and keeps over its lives.
struct HeadOptions {
  std::string state_dir;   // certificate, control store
  std::string cluster_id;  // 16 bytes
  std::string token;       // 32 bytes: what lets others in
  int64_t token_life_ns = -1;
  bool durable = false;     // the control store: against loss of power, too
  bool must_exist = false;  // the control store has served: none is no new beginning
};

struct ClusterOptions {
  std::string gateway_program;  // sabird itself
  std::string session_path;
  std::string name;         // for people
  std::string host;         // where to listen, and what others connect to
  uint16_t port = 0;        // 0: any that is free
  bool insecure = false;    // plain TCP
  bool visiting = false;    // it is here for its driver alone, and takes no work
  std::string join_string;  // empty: this is the head
  std::optional<HeadOptions> head;
  std::optional<int> oom_score_adj;
  // A node of which the head has heard nothing for so long is dead.
  int64_t dead_after_ns = 10 * kSecondNs;
  // The gateway listens, and this node is a member and knows the others; `join_string` of a head.
  std::function<void(const rpc::NodeAddress& address, const std::string& join_string)> ready;
};

// An actor that waits at this node for resources.
struct ActorBacklog {
  shm::ActorIndex actor = 0;
  JobNumber job = 0;
  std::string class_name;
  cluster::Amounts resources;
  cluster::Strategy strategy = {};
};

// One of this node's that another node hosts, and that does not live yet.
struct ActorElsewhere {
  ActorBacklog actor;
  std::string id;
  uint32_t incarnation = 0;
  cluster::NodeKey host;
  int64_t since_ns = 0;
};

class ClusterHost {
 public:
  virtual ~ClusterHost() = default;
  virtual cluster::NodeState node_state() = 0;
  // Of the classes with a strategy of their own, and of those that this node never can run; or of all that are this
  // node's to place.
  virtual std::vector<ClassBacklog> backlogs(bool all) = 0;
  // So many calls more of the class may be under way to the peer.
  virtual void send_calls(const ClassBacklog& backlog, const cluster::NodeKey& peer, PlacePlan::Share share) = 0;
  // Whoever claims calls of the class for other nodes, and has none.
  virtual void let_go(shm::ClassIndex class_index) = 0;
  // S12
  virtual void allow_here(shm::ClassIndex class_index, uint64_t leases) = 0;
  virtual void fail_calls(shm::ClassIndex class_index, const Error& error) = 0;
  virtual void warn_of_calls(JobNumber job, const std::string& text) = 0;
  virtual std::vector<ActorBacklog> waiting_actors() = 0;
  virtual std::vector<ActorElsewhere> actors_elsewhere() = 0;
  // A11: does it wait for resources here, it never gets them. False: it does not.
  virtual bool hold_actor_back(const cluster::NodeKey& home, const std::string& actor_id) = 0;
  virtual void actor_reclaimed(const std::string& actor_id, uint32_t incarnation) = 0;
  // It is to live there.
  virtual void place_actor(shm::ActorIndex actor, const cluster::NodeKey& peer) = 0;
  // It is to live here.
  virtual void allow_actor(shm::ActorIndex actor) = 0;
  virtual void fail_actor(shm::ActorIndex actor, const std::string& why) = 0;
  // Output of a job's workers on another node, and the other node's answer to what was sent there.
  virtual void log_lines(const std::string& job_id, std::vector<rpc::LogLines> lines) = 0;
  virtual void log_answered(const std::string& job_id, uint64_t sequence) = 0;
  virtual void node_gone(const cluster::NodeKey& peer) = 0;
  virtual void node_drains(const cluster::NodeKey& peer) = 0;
  // Of the control store.
  virtual void on_group_message(const cluster::GroupMessage& message) = 0;
  // It is another life of it.
  virtual void control_store_changed() = 0;
  // No program of this node runs, no actor lives here, no call of anybody runs or waits, and nobody needs an object
  // here.
  virtual bool has_nothing_to_do() = 0;
  // It was drained, and is to end in order.
  virtual void drained(const std::string& why) = 0;
  virtual void gateway_ended() = 0;
  virtual void cluster_failed(const std::string& why) = 0;
};

// On the loop's thread.
class ClusterAgent {
 public:
  // All must outlive it.
  static Result<std::unique_ptr<ClusterAgent>> create(loop::EventLoop& loop, const Clock& clock, Logger logger,
                                                      const Guard& guard, ClusterHost& host, cluster::NodeId self,
                                                      ClusterOptions options);
  ~ClusterAgent();

  pid_t gateway_pid() const { return gateway_.pid; }
  bool owns(pid_t pid) const { return pid == gateway_.pid || (control_ && pid == control_->pid()); }
  // This node ends by itself: the others need not find out.
  void leave(const std::string& why);
  // A worker of this node that relays calls to the peer: it is to say hello with this token.
  void host_worker(std::string token, const cluster::NodeKey& peer, uint32_t width, const cluster::Amounts& resources,
                   const Scheduling& scheduling);
  void set_width(uint16_t slot, uint32_t calls);
  // See killActor in schema/gateway.capnp.
  void kill_remote_actor(const cluster::NodeKey& peer, rpc::ProcessKey worker, bool no_restart, bool abandon);
  void job_over(JobNumber job);
  bool is_member(const cluster::NodeKey& node) const;
  // The life of a member that lives.
  std::optional<cluster::NodeKey> living(const cluster::NodeId& node) const;
  // It leaves as soon as nobody needs it.
  bool drains(const cluster::NodeKey& node) const;
  void send_lines(const cluster::NodeKey& to, const cluster::LogLinesMessage& message) { send(to, message); }
  // Something happens at this node: what the others are to know of it, or what is to go there, does not wait for long.
  // At rest it looks once a second.
  void wake();

  // --- Of the control store (cluster/control_client.h). `answered` is called once, perhaps at once; kTimeout,
  // kDisconnected: it did not answer.
  void ask(cluster::ControlQuestion what, cluster::ControlClient::Answered answered);
  using NameAnswered = std::function<void(Result<cluster::NamedActor>)>;
  void take_name(const cluster::ActorName& name, const cluster::NamedActor& actor, NameAnswered answered);
  void find_name(const cluster::ActorName& name, NameAnswered answered);
  void free_name(const cluster::ActorName& name, const cluster::NamedActor& actor);
  // A job whose driver is on this node; the control store hears of it in time.
  void job_started(cluster::ClusterJob job);
  void job_ended(const std::string& id, const std::string& how);
  // All that run in the cluster, and the last that ended.
  void list_jobs(int64_t patience_ns, std::function<void(Result<std::vector<cluster::ClusterJob>>)> answered);
  // Decides where that runs which need not wait for this node first. Also at each tick, then of all classes.
  void place_calls() { place_calls(false); }
  // One decision, for what is no call (an actor): kLater means that it may wait there. Debits another node's account.
  cluster::Decision choose(const cluster::Amounts& resources, const cluster::Strategy& strategy);

  // --- Placement groups (groups.h)
  bool is_joined() const { return member_; }
  // Of the control store's life, as far as it is known here.
  uint64_t control_epoch() const { return epoch_; }
  void send_group(const cluster::GroupMessage& message) { send_to_control(message); }
  // What this node has goes to the control store before what is sent there next.
  void report_now();

  // --- For status
  bool is_head() const { return options_.join_string.empty(); }
  const cluster::NodeKey& self() const { return self_; }
  const std::string& address() const { return address_; }
  struct MemberView {
    cluster::MemberInfo info;
    const cluster::ResourceView::Node* node = nullptr;  // null: it has not reported
  };
  std::vector<MemberView> members() const;
  const cluster::ResourceView* view() const { return view_.get(); }
  bool is_draining() const { return draining_; }
  bool is_visiting() const { return options_.visiting; }
  const ControlProcess* control() const { return control_.get(); }  // the head's; null: this is none
  // Why what asks for this cannot run now, for people; empty if it can.
  std::string explain(const cluster::Amounts& resources, const cluster::Strategy& strategy) const;
  // ... and the same, but empty if it ever can.
  std::string explain_infeasible(const cluster::Amounts& resources, const cluster::Strategy& strategy) const;

 private:
  ClusterAgent(loop::EventLoop& loop, const Clock& clock, Logger logger, const Guard& guard, ClusterHost& host,
               cluster::NodeId self, ClusterOptions options);
  Result<void> start_gateway();
  void on_gateway_end();
  void tell(const rpc::ToGateway& message) { pipe_->send(rpc::encode(message)); }
  void receive(std::string_view message);

  // --- membership
  Result<void> start_control();
  void on_listening(const rpc::Listening& listening);
  void on_joined(const std::string& bytes);
  void learn(const cluster::MembersMessage& message);
  void learn(const std::vector<cluster::MemberInfo>& members);
  void learn_of_itself(const cluster::MemberInfo& info);
  cluster::RegisterRequest own_request() const;
  void look_whether_drained();
  void free_names_again();

  // --- the control store's words, and those of other nodes
  void on_words(const rpc::Between& words);
  void send(const cluster::NodeKey& to, const cluster::ClusterMessage& message);
  void on_message(const cluster::NodeKey& from, const std::string& bytes);
  void send_to_control(const cluster::ClusterMessage& message);
  void on_control_message(const std::string& bytes);
  void on_new_epoch();

  void tick();
  void observe();
  void report();
  void beat();
  void ask_control();
  void spill_actors();
  void reclaim_actors();
  // True: it is settled.
  bool place_by_strategy(const ActorBacklog& backlog, int64_t waited_ns);

  void place_calls(bool all);
  void warn_of(const ClassBacklog& backlog);
  void warn_of(const ActorBacklog& backlog, int64_t waited_ns);
  void ask_name(cluster::NameRequest request, NameAnswered answered);
  // Where one more of these goes: nothing if it stays here.
  std::optional<cluster::NodeKey> choose_elsewhere(const cluster::Amounts& resources, int64_t waited_ns);

  loop::EventLoop& loop_;
  const Clock& clock_;
  Logger logger_;
  const Guard& guard_;
  ClusterHost& host_;
  const ClusterOptions options_;
  cluster::NodeKey self_;
  std::string cluster_id_;
  std::optional<cluster::NodeKey> head_;
  const std::string start_id_;
  std::string join_string_;  // the head's
  std::string address_;
  rpc::NodeAddress own_address_;
  bool member_ = false;

  SpawnedProcess gateway_;
  std::unique_ptr<loop::FdWatcher> gateway_watcher_;
  std::unique_ptr<rpc::FramePipe> pipe_;

  std::unique_ptr<ControlProcess> control_;  // the head's

  std::map<cluster::NodeId, cluster::MemberInfo> members_;
  // Of the last members message.
  uint64_t epoch_ = 0;
  uint64_t members_version_ = 0;
  std::unique_ptr<cluster::ResourceView> view_;
  std::unique_ptr<cluster::ReportPublisher> publisher_;
  cluster::ControlClient requests_;
  JobTeller jobs_;
  int64_t beat_ns_ = 0;
  uint64_t beats_ = 0;
  std::optional<int64_t> unanswered_beat_ns_;  // since when
  int64_t control_heard_ns_ = 0;
  bool ready_told_ = false;
  std::vector<std::pair<cluster::ActorName, cluster::NamedActor>> names_to_free_;
  int64_t freed_again_ns_ = 0;
  bool draining_ = false;
  std::optional<int64_t> drain_until_ns_;
  std::optional<int64_t> nothing_to_do_since_ns_;
  CallPlacer placer_;
  std::set<shm::ClassIndex> warned_;  // infeasible, and their jobs know
  std::map<shm::ActorIndex, int64_t> actors_waiting_since_ns_;
  std::set<shm::ActorIndex> warned_actors_;
  int64_t reclaimed_ns_ = 0;  // when that was last looked for
  int64_t active_ns_ = 0;     // when something happened last
  bool at_rest_ = true;
  loop::Timer timer_;
};

}  // namespace sabir::node
