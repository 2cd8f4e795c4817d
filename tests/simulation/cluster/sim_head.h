// The simulated head: registry of nodes, resource view, placement groups, and a disk that is slower than memory.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/node/cluster/placement_groups.h"
#include "runtime/node/cluster/view_hub.h"
#include "tests/simulation/cluster/cluster_world.h"

namespace sabir::simulation {

class SimHead {
 public:
  explicit SimHead(ClusterWorld* world);

  void start();
  void die();  // what is not durable is lost
  bool up() const { return life_ != nullptr; }

  // The registry: a new incarnation. Nothing while the head is down.
  std::optional<cluster::NodeKey> join(const cluster::NodeId& id);
  void on_message(const cluster::NodeKey& from, const Message& message);
  // Tries until the head is up.
  void create_group(const cluster::GroupSpec& spec);
  void remove_group(const cluster::GroupId& group);

  // Of a head that is up.
  cluster::PlacementGroups& groups() { return life_->groups; }
  cluster::ResourceView& view() { return life_->view; }
  bool durable(const cluster::GroupId& group) const { return disk_.contains(group); }
  std::map<cluster::WaiterId, Result<void>> answers;

 private:
  struct Life {
    Life(uint64_t epoch, ClusterWorld* world);
    cluster::ResourceView view;
    cluster::ViewHub hub;
    cluster::GroupInstructions out;
    cluster::PlacementGroups groups;
    std::deque<cluster::GroupInstruction> waiting;  // behind a write
    bool writing = false;
    std::map<cluster::NodeId, int64_t> heard_ns;
    std::set<cluster::NodeKey> subscribed;
    std::map<cluster::GroupId, std::set<cluster::NodeKey>> wanted;  // who is told where its bundles are
    std::optional<int64_t> wake_ns;
  };

  void act();
  void carry_out();
  void declare_dead(cluster::NodeKey node);
  void look_for_dead(uint64_t epoch);
  void publish(const cluster::GroupId& group);
  void answer(const cluster::NodeKey& to, Message message);

  ClusterWorld* const world_;
  std::unique_ptr<Life> life_;
  uint64_t epoch_ = 0;
  uint64_t publications_ = 0;
  // Durable.
  std::map<cluster::GroupId, std::string> disk_;
  struct Registered {
    uint64_t incarnation = 0;
    bool alive = false;
  };
  std::map<cluster::NodeId, Registered> registry_;
};

}  // namespace sabir::simulation
