// A simulated node: the real state machines of one sabird, and fake calls that take their time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/node/cluster/bundle_manager.h"
#include "runtime/node/cluster/remote_lease_client.h"
#include "runtime/node/cluster/remote_lease_server.h"
#include "runtime/node/cluster/report_publisher.h"
#include "tests/simulation/cluster/cluster_world.h"

namespace sabir::simulation {

class SimNode {
 public:
  struct Call {
    uint64_t id = 0;
    uint32_t class_index = 0;
    int64_t duration_ns = 0;
    int64_t since_ns = 0;
  };
  // Of a call that runs here.
  struct Run {
    Call call;
    cluster::NodeKey submitter;
    cluster::LeaseNumber lease = 0;            // 0: a local call
    std::optional<cluster::Claim> claim = {};  // of a local call
    cluster::SlotId slot = 0;                  // of a remote one
    cluster::BundleNumber bundle = 0;
  };
  // Of a call that was sent away.
  struct Sent {
    Call call;
    cluster::NodeKey server;
    cluster::LeaseNumber lease = 0;
  };

  struct Life {
    Life(cluster::NodeKey key, const NodePlan& plan, ClusterWorld* world);
    const cluster::NodeKey key;
    node::NodeResources resources;
    cluster::NodeLedger ledger;
    cluster::ResourceView view;
    cluster::ReportPublisher publisher;
    std::vector<cluster::EndBundleUsers> bundle_out;
    cluster::BundleManager bundles;
    std::vector<cluster::LeaseServerInstruction> server_out;
    cluster::RemoteLeaseServer server;
    std::vector<cluster::LeaseClientInstruction> client_out;
    cluster::RemoteLeaseClient client;
    bool draining = false;
    uint64_t epoch = 0;                           // of the head it knows
    std::map<uint32_t, std::deque<Call>> queues;  // by class
    std::map<uint32_t, uint32_t> allowed_here;    // RunHere
    std::map<uint64_t, Run> running;              // by a number of their own
    std::map<uint64_t, Sent> sent;                // by call
    std::map<cluster::LeaseNumber, cluster::UseSlots> use;
    std::map<cluster::LeaseNumber, uint32_t> in_flight;
    std::map<cluster::GroupId, uint64_t> group_orders;
    std::set<cluster::GroupId> wanted_groups;
    int64_t inventory_ns = 0;
    std::map<uint32_t, int64_t> recalled_ns;
    uint64_t next_run = 1;
    std::optional<int64_t> wake_ns;
  };

  SimNode(ClusterWorld* world, cluster::NodeId id, NodePlan plan);

  void join(int64_t delay_ns);
  void die();    // what is under way to it finds nobody
  void leave();  // and never comes back
  bool left() const { return left_; }
  void submit(Call call);
  void drain();
  void on_message(const Address& from, const Message& message);

  const cluster::NodeId& id() const { return id_; }
  const NodePlan& plan() const { return plan_; }
  Life* life() const { return life_.get(); }
  const std::string& name() const { return name_; }

 private:
  void act();
  void run_local();
  bool may_run_here(uint32_t class_index) const;
  void start(Run run);
  void finished(uint64_t run);
  void stop(uint64_t run);
  void give_back(const Run& run);
  void send_calls();
  void lose_sent();
  void call_ended(uint64_t call, bool done);
  void set_backlogs();
  void set_local_waiting();
  void carry_out();
  void publish();
  void heartbeat(uint64_t incarnation);
  void plan_wake();
  void later(int64_t delay_ns, std::function<void()> what);  // if it still lives this life
  cluster::NodeReport report() { return life_->publisher.newest(); }

  ClusterWorld* const world_;
  const cluster::NodeId id_;
  const NodePlan plan_;
  const std::string name_;
  std::unique_ptr<Life> life_;
  bool joining_ = false;
  bool left_ = false;
};

}  // namespace sabir::simulation
