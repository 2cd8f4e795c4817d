#include "runtime/node/cluster/actor_names.h"

namespace sabir::cluster {

NamedActor ActorNames::take(const ActorName& name, const NamedActor& actor) {
  auto [place, added] = names_.try_emplace(name, actor);
  if (!added && place->second.home == actor.home) {
    place->second = actor;
  }
  return place->second;
}

Result<NamedActor> ActorNames::find(const ActorName& name) const {
  auto found = names_.find(name);
  if (found == names_.end()) {
    return not_found_error("no actor named " + name.name + " in namespace " + name.name_space);
  }
  return found->second;
}

void ActorNames::free(const ActorName& name, const std::string& actor_id) {
  auto found = names_.find(name);
  if (found != names_.end() && found->second.actor_id == actor_id) {
    names_.erase(found);
  }
}

void ActorNames::node_gone(const NodeKey& node) {
  std::erase_if(names_, [&](const auto& entry) { return entry.second.home == node; });
}

}  // namespace sabir::cluster
