// The node manager: serves the processes of a node over the control channel and through shared memory. It wires the
// machines that decide (Coordinator, Ownership, LoanLedger) to the parts that do (Launcher, Directory, Objects, Deaths,
// Logs).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/ids.h"
#include "runtime/base/log.h"
#include "runtime/control/control_store.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/timer.h"
#include "runtime/node/cluster_agent.h"
#include "runtime/node/coordinator.h"
#include "runtime/node/deaths.h"
#include "runtime/node/directory.h"
#include "runtime/node/groups.h"
#include "runtime/node/launcher.h"
#include "runtime/node/lends.h"
#include "runtime/node/logs.h"
#include "runtime/node/look.h"
#include "runtime/node/objects.h"
#include "runtime/node/processes.h"
#include "runtime/node/reaper.h"
#include "runtime/node/remote_logs.h"
#include "runtime/rpc/session_handler.h"
#include "runtime/shm/block_pool.h"

namespace sabir::node {

struct NodeOptions {
  std::string session_path;
  std::string version;
  std::vector<ResourceRequest> resources;
  uint32_t cpu_count = 1;
  Objects::Options objects;
  CoordinatorOptions coordinator;
  Launcher::Options launcher;  // session_path is set from above
  Deaths::Options deaths;
  // The process that started this node: when it leaves, the node stops.
  std::optional<pid_t> owner_pid;
  Guard guard;
  std::optional<ClusterOptions> cluster;  // of one that has others
  std::optional<IdBits> node_id;          // none: a new one
  std::string name;                       // of the node, for people
  cluster::Labels labels;                 // the user's
};

class NodeManager final : public rpc::SessionHandler, private ClusterHost {
 public:
  // `on_stop`: the node is to end, and why. Called once, on the loop.
  static Result<std::unique_ptr<NodeManager>> create(loop::EventLoop& loop, const Clock& clock, Logger logger,
                                                     NodeOptions options,
                                                     std::function<void(const std::string& why)> on_stop);
  // Kills everything that it started.
  ~NodeManager() override;

  const IdBits& session_id() const { return session_id_; }
  // The process that started this node has joined.
  bool has_owner() const { return owner_.has_value(); }
  // Tells everybody that the session ends. Then destroy this object.
  void say_goodbye(const std::string& why);

  // --- rpc::SessionHandler; hello.cc
  Result<rpc::WelcomeInfo> on_hello(rpc::HelloInfo hello, rpc::PeerCredentials peer) override;
  void on_ready(rpc::ProcessKey key, std::shared_ptr<rpc::NoticeSink> notices) override;
  void on_disconnect(rpc::ProcessKey key) override;
  // --- session_calls.cc
  void lend(rpc::ProcessKey, rpc::LendKind, rpc::Reply<uint32_t>) override;
  void loan(rpc::ProcessKey, uint64_t size_bytes, int64_t wait_ns, rpc::Reply<rpc::LoanInfo>) override;
  void return_loan(rpc::ProcessKey, uint64_t offset, rpc::Reply<void>) override;
  void declare_class(rpc::ProcessKey, uint8_t language, std::vector<rpc::ResourceAmount>, Scheduling,
                     rpc::Reply<rpc::ClassInfo>) override;
  void export_function(rpc::ProcessKey, rpc::FunctionInfo, rpc::Reply<uint32_t>) override;
  void fetch_function(rpc::ProcessKey, uint32_t index, rpc::Reply<rpc::FunctionInfo>) override;
  void leave(rpc::ProcessKey, std::string crash, rpc::Reply<void>) override;
  // --- group_calls.cc
  void create_group(rpc::ProcessKey, rpc::GroupSpec, rpc::Reply<void>) override;
  void watch_group(rpc::ProcessKey, std::string id, rpc::Reply<bool>) override;
  void remove_group(rpc::ProcessKey, std::string id, rpc::Reply<void>) override;
  void find_groups(rpc::ProcessKey, rpc::GroupQuery, rpc::Reply<std::string>) override;
  void kv_put(rpc::ProcessKey, std::string key, std::string value, bool overwrite, rpc::Reply<bool>) override;
  void kv_get(rpc::ProcessKey, std::string key, rpc::Reply<std::string>) override;
  void kv_delete(rpc::ProcessKey, std::string key, rpc::Reply<bool>) override;
  void status(rpc::Reply<std::string>) override;
  void stop(rpc::ProcessKey, rpc::Reply<void>) override;
  void drain(std::string node, int64_t deadline_ns, rpc::Reply<std::string>) override;
  // --- actor_calls.cc
  void create_actor(rpc::ProcessKey, rpc::ActorSpec, rpc::Reply<rpc::ActorInfo>) override;
  void start_actor(rpc::ProcessKey, uint32_t actor, std::string args, std::vector<rpc::EntryKey> refs,
                   rpc::Reply<void>) override;
  void fail_actor(rpc::ProcessKey, uint32_t actor, std::string message, std::string error, rpc::Reply<void>) override;
  void actor_started(rpc::ProcessKey, uint32_t actor, uint32_t incarnation, rpc::Reply<void>) override;
  void get_actor(rpc::ProcessKey, std::string name, std::string name_space, rpc::Reply<rpc::ActorInfo>) override;
  void describe_actor(rpc::ProcessKey, uint32_t actor, uint64_t generation, rpc::Reply<rpc::ActorDescription>) override;
  void kill_actor(rpc::ProcessKey, uint32_t actor, bool no_restart, rpc::Reply<void>) override;

 private:
  struct Job {
    std::string id;
    rpc::JobConfig config;
    rpc::ProcessKey driver;
    bool over = false;
  };

  // Of an actor of another node, that waits for its stand-in.
  struct WaitingKill {
    bool no_restart = false;
    rpc::Reply<void> reply;
  };
  // An actor that is to get a name.
  struct Naming {
    std::string actor_id;
    std::vector<std::function<void()>> waiting;  // for the answer
  };

  NodeManager(loop::EventLoop& loop, const Clock& clock, Logger logger, NodeOptions options,
              std::function<void(const std::string&)> on_stop, const IdBits& session_id, shm::SessionSegments segments,
              NodeResources resources);
  Result<void> begin();
  void stop_node(const std::string& why);

  // --- node_manager.cc
  bool look_once();
  // Decides and carries out until nothing is left to do.
  void settle();
  void enforce_violations();
  void process_ended(shm::SlotIndex slot);
  void worker_process_ended(Process& process);
  void publish_death(Process& process, int wait_status, shm::DeathReason reason, const std::string& text);
  void kill(Process& process, shm::DeathReason reason, const std::string& text);
  void end_job(JobNumber number, const std::string& how);
  void forget_job_if_over(JobNumber number);
  Process* driver_of(JobNumber number);
  void warn_job(JobNumber number, const std::string& text);
  Logs::Origin origin_of(SourceId source);
  bool send_lines(JobNumber job, std::vector<rpc::LogLines>& lines);
  bool send_lines_away(const Job& job, std::vector<rpc::LogLines>& lines);

  // --- hello.cc
  void expect_end(rpc::ProcessKey key, int64_t grace_ns);
  void plan_disconnected();
  void end_disconnected();
  Result<void> check_hello(const rpc::HelloInfo& hello) const;
  Result<rpc::WelcomeInfo> welcome_driver(rpc::HelloInfo hello, rpc::PeerCredentials peer);
  Result<rpc::WelcomeInfo> welcome_worker(const rpc::HelloInfo& hello, rpc::PeerCredentials peer);
  Result<Process*> admit(shm::ProcessKind kind, rpc::PeerCredentials peer);
  void dismiss(Process& process);
  rpc::WelcomeInfo common_welcome() const;
  rpc::WelcomeInfo welcome_to(const Process& process);

  // --- relays.cc: what the gateway has of this node, and calls that go to others
  struct Relay {
    JobNumber job = 0;
    shm::ClassIndex class_index = 0;
    cluster::NodeKey peer;
    uint32_t width = 1;
    std::optional<shm::SlotIndex> slot;  // once it has joined
    uint32_t epoch = 0;
    bool ending = false;      // its lease is withdrawn
    bool resting = false;     // it has nothing to do, and stays for values that are on the peer (O10)
    uint32_t base_width = 1;  // as many as the peer had room for
    uint64_t executed = 0;    // at the last look
    uint64_t rate_base = 0;   // executed when the rate was last measured ...
    int64_t rate_ns = 0;      // ... and when that was
    int64_t moved_ns = 0;     // when a call last ended
    int64_t busy_ns = 0;      // when it last had something to do
    int64_t started_ns = 0;
    // It stands in for an actor that runs on the peer (A8) or has its home there (A9), and has no class.
    std::optional<shm::ActorIndex> actor;
    uint32_t incarnation = 0;  // of the actor
  };
  bool is_gateway(pid_t pid) const { return cluster_ && cluster_->gateway_pid() == pid; }
  std::optional<JobNumber> find_job(const std::string& id) const;
  Result<rpc::WelcomeInfo> welcome_guest(JobNumber job, rpc::PeerCredentials peer);
  Result<rpc::WelcomeInfo> welcome_relay(LaunchId launch, rpc::PeerCredentials peer);
  void begin_relay(LaunchId launch, Relay& relay, uint32_t width, const cluster::Amounts& resources,
                   const cluster::Placement& placement);
  void refuse_relay(std::map<LaunchId, Relay>::iterator relay, const std::string& why);
  void relay_gone(Process& process);
  void end_relay(Relay& relay, const std::string& why);
  bool relays_busy() const;
  bool keeps_values(shm::SlotIndex slot);
  // What its peer keeps for it comes here.
  void fetch_values_of(const Relay& relay);
  void look_at_relays();
  void adapt_width(Relay& relay, int64_t now_ns);
  uint32_t under_way_of(const Relay& relay) const;
  // --- stand_ins.cc: actors of this node that live on others, and of others that this node has handles of
  Result<control::ActorSpec> spec_for(const Process& creator, rpc::ActorSpec spec, bool trusted) const;
  void create_known(rpc::ProcessKey key, const rpc::ActorOrigin& origin, const rpc::Reply<rpc::ActorInfo>& reply);
  bool is_own(const rpc::ActorOrigin& origin) const;
  void open_stand_in(const OpenStandIn& order);
  void host_stand_in(shm::ActorIndex actor, uint32_t incarnation, const cluster::NodeKey& peer);
  Result<rpc::WelcomeInfo> welcome_stand_in(std::map<LaunchId, Relay>::iterator relay, rpc::PeerCredentials peer);
  rpc::HostedActor hosted_actor(const Actors::View& view) const;
  void kill_in_gateway(const Process& relay, bool no_restart, bool abandon);
  // Of a stand-in. False: it is none.
  bool kill_at_home(const Actors::View& view, bool no_restart, rpc::Reply<void>& reply);
  ActorBacklog backlog_of(const Actors::View& view) const;
  void carry_out_kills(const Process& stand_in);
  void end_kills_of_the_dead();
  void stand_ins_lost(const cluster::NodeKey& home);
  // --- ClusterHost
  cluster::NodeState node_state() override;
  std::vector<ClassBacklog> backlogs(bool all) override;
  std::vector<ActorBacklog> waiting_actors() override;
  std::vector<ActorElsewhere> actors_elsewhere() override;
  bool hold_actor_back(const cluster::NodeKey& home, const std::string& actor_id) override;
  void actor_reclaimed(const std::string& actor_id, uint32_t incarnation) override;
  void place_actor(shm::ActorIndex actor, const cluster::NodeKey& peer) override;
  void allow_actor(shm::ActorIndex actor) override;
  void fail_actor(shm::ActorIndex actor, const std::string& why) override;
  void send_calls(const ClassBacklog& backlog, const cluster::NodeKey& peer, PlacePlan::Share share) override;
  void let_go(shm::ClassIndex class_index) override;
  void allow_here(shm::ClassIndex class_index, uint64_t leases) override { coordinator_.allow(class_index, leases); }
  void fail_calls(shm::ClassIndex class_index, const Error& error) override {
    coordinator_.fail_class(class_index, error);
  }
  void warn_of_calls(JobNumber job, const std::string& text) override { warn_job(job, text); }
  void log_lines(const std::string& job_id, std::vector<rpc::LogLines> lines) override;
  void log_answered(const std::string& job_id, uint64_t sequence) override;
  void node_gone(const cluster::NodeKey& peer) override;
  void node_drains(const cluster::NodeKey& peer) override;
  void on_group_message(const cluster::GroupMessage& message) override;
  void control_store_changed() override;
  void gateway_ended() override;
  void cluster_failed(const std::string& why) override { stop_node(why); }
  bool has_nothing_to_do() override;
  void drained(const std::string& why) override { stop_node(why); }

  // --- place.cc: strategies
  Result<ClassPlace> place_of(const Process& process, const Scheduling& words) const;
  // kUnschedulable, kUnsupported: an actor that may not live on this node, and cannot on another one.
  Result<void> check_actor_place(const Scheduling& words, bool detached) const;
  cluster::Amounts amounts_of(const ResourceSet& resources) const;
  ClassStory story_of(const Scheduler::ClassView& view) const;
  std::string group_story(const cluster::Placement& placement) const;
  // Why no node can ever run its calls; "" if one can.
  std::string infeasible(shm::ClassIndex class_index) const;
  void place_calls();
  void place_alone_calls();
  std::string status_with(std::vector<cluster::GroupState> groups, std::vector<cluster::ClusterJob> jobs = {});

  // --- place_groups.cc: placement groups. Null before this node has joined its cluster.
  static constexpr int64_t kGroupQuestionNs = 30 * kSecondNs;
  bool has_groups();
  static Error no_groups();
  cluster::NodeKey home_of(const Job& job) const;
  static cluster::Placement placement_of(const Scheduling& words);
  static Result<void> check_in_group(const cluster::GroupState& group, const cluster::Placement& placement,
                                     const cluster::Amounts& request);
  // kGroupRemoved; kInvalid: it could never run there.
  void check_placement(const cluster::Placement& placement, cluster::Amounts request, Groups::Done checked);
  void report_for_groups();
  void tend_groups();
  void plan_groups();
  void on_groups_timer();
  void place_groups();
  void place_group_class(const Scheduler::ClassView& view, const cluster::GroupState& group);
  void place_group_actors();
  bool fits_here(const cluster::Placement& placement, const ResourceSet& request) const;
  void end_actors_of_gone_groups();
  void end_bundle_users();
  void end_group_actor(shm::ActorIndex actor);
  void declare_checked(rpc::ProcessKey key, uint8_t language, const std::vector<ResourceRequest>& resources,
                       ClassPlace place, const rpc::Reply<rpc::ClassInfo>& reply);
  void create_checked(rpc::ProcessKey key, control::ActorSpec spec, const rpc::Reply<rpc::ActorInfo>& reply);

  // --- carry_out.cc
  void carry_out(const Instruction& instruction);
  void fail_class(const FailClass& failure);
  void write_actor(const WriteActorWord& word);
  void hold_actor_args(shm::ActorIndex actor);

  // --- actor_names.cc: a name is one actor's in the whole cluster
  void create_named(rpc::ProcessKey creator, control::ActorSpec spec, const rpc::Reply<rpc::ActorInfo>& reply);
  void named(rpc::ProcessKey creator, control::ActorSpec spec, Result<cluster::NamedActor> owner,
             const rpc::Reply<rpc::ActorInfo>& reply);
  void import_named(rpc::ProcessKey process, const std::string& name, const cluster::NamedActor& actor, bool existed,
                    const rpc::Reply<rpc::ActorInfo>& reply);
  void free_names();
  cluster::NamedActor named_actor(const control::ActorSpec& spec) const;
  // An actor of this node whose name the control store has, or may have, given to it, which this node does not know
  // yet: `then` is called when it does. False: there is none with that id.
  bool wait_for_name(const std::string& actor_id, std::function<void()> then);

  // --- actor_calls.cc
  void create_new(rpc::ProcessKey creator, control::ActorSpec spec, const rpc::Reply<rpc::ActorInfo>& reply);
  Result<rpc::ActorInfo> actor_info(shm::ActorIndex actor);
  // ... with a hold for the process.
  Result<rpc::ActorInfo> actor_info_for(const Process& process, shm::ActorIndex actor);
  Result<void> bind_new_actor(shm::ActorIndex actor, const Process& creator);

  // Null, and `reply` has been told so: not a process of this node.
  template <typename T>
  Process* caller(rpc::ProcessKey key, const rpc::Reply<T>& reply) {
    Process* process = processes_.find(key);
    if (process == nullptr) {
      reply(Error(ErrorKind::kDisconnected, "this process is not a member of the session"));
    }
    return process;
  }

  loop::EventLoop& loop_;
  const Clock& clock_;
  Logger logger_;
  NodeOptions options_;
  std::function<void(const std::string&)> on_stop_;
  const IdBits session_id_;
  const IdBits node_id_;
  const int64_t started_unix_s_;
  bool stopping_ = false;
  bool settling_ = false;
  static constexpr int64_t kMinWakeNs = kMillisecondNs;

  shm::SessionSegments segments_;
  shm::UntrustedCalls calls_;
  Processes processes_;
  Lends lends_;
  Directory directory_;
  shm::BlockPool blocks_;  // for results that sabird makes
  control::MemoryStorage storage_;
  control::ControlStore control_;
  Coordinator coordinator_;
  std::map<JobNumber, Job> jobs_;
  std::optional<rpc::ProcessKey> owner_;
  std::vector<std::pair<store::ProcessId, std::string>> violations_;

  std::unique_ptr<Logs> logs_;
  RemoteLogs remote_logs_{&clock_};
  std::unique_ptr<Objects> objects_;
  std::unique_ptr<Deaths> deaths_;
  std::unique_ptr<Launcher> launcher_;
  std::unique_ptr<Reaper> reaper_;
  std::unique_ptr<Look> look_;
  std::unique_ptr<ClusterAgent> cluster_;        // null: this node is alone
  std::map<LaunchId, Relay> relay_launches_;     // by their launch, as long as they live
  std::map<cluster::ActorName, Naming> naming_;  // the control store is asked for these
  std::map<cluster::ActorName, cluster::NamedActor> names_taken_;
  std::map<shm::ActorIndex, std::vector<WaitingKill>> kills_waiting_;
  std::unique_ptr<cluster::NodeLedger> ledger_;
  cluster::NoGroupStorage group_storage_;
  std::unique_ptr<cluster::ResourceView> own_view_;      // of a node that is alone
  std::unique_ptr<cluster::ReportPublisher> publisher_;  // the same
  std::unique_ptr<Groups> groups_;
  bool tending_groups_ = false;
  bool actors_wait_for_groups_ = false;
  loop::Timer groups_timer_;
  cluster::Labels labels_;
  std::set<shm::ClassIndex> warned_;  // of a node that is alone: jobs know that no node can run these
  LaunchId next_relay_launch_ = LaunchId{1} << 63;
  loop::Timer wake_;
  std::multimap<int64_t, rpc::ProcessKey> disconnected_;  // who lost its connection, and until when it may live
  loop::Timer disconnected_timer_;
};

}  // namespace sabir::node
