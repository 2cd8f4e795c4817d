// The names of actors over a whole cluster, as its head keeps them. A state machine: no I/O. Each node keeps the names
// of its own actors besides (control/actor_registry.h), and asks before it gives away a new one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "runtime/base/result.h"
#include "runtime/node/cluster/cluster_types.h"

namespace sabir::cluster {

// What another node needs to make handles of it.
struct NamedActor {
  NodeKey home;
  std::string actor_id = {};  // 16 bytes
  std::string class_name = {};
  std::string class_info = {};
  uint8_t language = 0;
  int32_t max_task_retries = 0;
  bool operator==(const NamedActor&) const = default;
};

struct ActorName {
  std::string name_space = {};
  std::string name = {};
  auto operator<=>(const ActorName&) const = default;
};

class ActorNames {
 public:
  // Who has the name from now on: `actor`, unless an actor of another node does. Of its own actors a node knows best
  // whether they live: what it asks for again it gets.
  NamedActor take(const ActorName& name, const NamedActor& actor);
  // kNotFound.
  Result<NamedActor> find(const ActorName& name) const;
  // Unless it is another one's by now.
  void free(const ActorName& name, const std::string& actor_id);
  void node_gone(const NodeKey& node);
  size_t size() const { return names_.size(); }

 private:
  std::map<ActorName, NamedActor> names_;
};

}  // namespace sabir::cluster
