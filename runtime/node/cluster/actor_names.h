// The names of actors as nodes speak of them; who has which is the control store's (control/actor_names.h).
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace sabir::cluster
