// A cluster that is not there: nodes and a head made of the real state machines (runtime/node/cluster), in one thread
// and simulated time, by a seed. Messages are lost, doubled and overtake each other, nodes die and come back as new
// incarnations or are taken for dead while they live, the head's control process is killed and starts again from what
// was durable.
//
// What the checker believes it counts itself: what runs where, and what of it each node and each bundle has.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/bundle_manager.h"
#include "runtime/node/cluster/remote_lease_server.h"
#include "tests/simulation/cluster/messages.h"

namespace sabir::simulation {

inline constexpr int64_t kMs = kMillisecondNs;

// Calls alike.
struct CallClass {
  cluster::Amounts resources;
  cluster::Strategy strategy;
  std::vector<cluster::ArgumentBytes> arguments;
};

struct NodePlan {
  cluster::Amounts total;
  cluster::Labels labels;
};

struct ClusterOptions {
  std::vector<NodePlan> nodes;
  std::vector<CallClass> classes;
  // Faults, as long as they are on.
  double loss = 0;
  double twice = 0;
  int64_t max_latency_ns = 5 * kMs;
  int64_t dead_after_ns = 1000 * kMs;  // without a heartbeat
  cluster::BundleOptions bundles;
  cluster::LeaseServerOptions leases;
  bool check_each_step = true;
};

class SimNode;
class SimHead;

// The id of the node at this place of ClusterOptions::nodes.
cluster::NodeId sim_node_id(size_t number);

class ClusterWorld {
 public:
  ClusterWorld(uint64_t seed, ClusterOptions options);
  ~ClusterWorld();

  // --- Workload
  // On the node, if it lives.
  void submit(size_t node, size_t class_index, uint32_t count, int64_t duration_ns);
  void create_group(const cluster::GroupSpec& spec);
  void remove_group(const cluster::GroupId& group);

  // --- Faults
  void kill_node(size_t node, int64_t down_ns);     // then it comes back as a new incarnation
  void cut_node(size_t node, int64_t duration_ns);  // from everybody
  void lose_node(size_t node);                      // for ever
  void kill_head(int64_t down_ns);
  void drain_node(size_t node);
  void end_faults();  // no message is lost any more, everybody comes back

  // --- Time
  void at(int64_t delay_ns, std::function<void()> what);
  void run_for(int64_t duration_ns);
  bool run_until(const std::function<bool()>& good, int64_t limit_ns);

  // --- Checks (cluster_check.cc); each ends the process or returns what is wrong.
  void check_node(const SimNode& node) const;  // nothing is given out twice
  std::string calls_left() const;              // every call that can be served has been
  std::string groups_wrong() const;            // ready, or pending for a true reason
  std::string something_left() const;          // after everything ended: no reservation, no slot, no claim
  std::string describe() const;

  // --- For the parts
  void send(const Address& from, const Address& to, Message message, bool reliable = false);
  int64_t now_ns() const { return clock_.now_ns(); }
  const Clock& clock() const { return clock_; }
  uint64_t random(uint64_t below) { return below == 0 ? 0 : engine_() % below; }
  bool chance(double probability) { return static_cast<double>(engine_() % 1'000'000) < probability * 1e6; }
  cluster::Random& engine() { return engine_; }
  const ClusterOptions& options() const { return options_; }
  SimHead& head() { return *head_; }
  std::vector<std::unique_ptr<SimNode>>& nodes() { return nodes_; }
  bool group_removed(const cluster::GroupId& group) const { return removed_.contains(group); }

  // --- Observed
  uint64_t messages = 0, message_bytes = 0, head_bytes = 0, calls_done = 0, calls_sent = 0, calls_bounced = 0,
           remote_done = 0;
  std::map<std::string, std::pair<uint64_t, uint64_t>> by_kind;  // messages, bytes

 private:
  struct Event {
    int64_t at_ns;
    uint64_t order;
    std::function<void()> what;
    bool operator<(const Event& other) const { return std::tie(at_ns, order) > std::tie(other.at_ns, other.order); }
  };
  void deliver(const Address& from, const Address& to, const Message& message, bool reliable);
  int64_t latency() {
    return (50 + static_cast<int64_t>(random(static_cast<uint64_t>(options_.max_latency_ns / 1000)))) * 1000;
  }
  bool is_cut(const Address& address) const;
  std::string somebody_down() const;
  std::vector<const SimNode*> staying() const;  // without those that left for ever
  bool could_run(const CallClass& what, bool beside_groups) const;

  cluster::Random engine_;
  ClusterOptions options_;
  ManualClock clock_;
  std::priority_queue<Event> events_;
  uint64_t next_order_ = 0;
  std::map<cluster::NodeId, int64_t> cut_until_ns_;
  std::unique_ptr<SimHead> head_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::map<cluster::NodeId, SimNode*> by_id_;
  std::set<cluster::GroupId> created_, removed_;
  std::map<cluster::GroupId, cluster::GroupSpec> specs_;  // of all that were ever made
  uint64_t next_call_ = 1;
};

}  // namespace sabir::simulation
