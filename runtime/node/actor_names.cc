// Names in a cluster: this node asks its head before an actor of its own gets one, and for those that it does not know.
#include <algorithm>

#include "runtime/node/node_manager.h"

namespace sabir::node {

using cluster::ActorName;
using cluster::NamedActor;

NamedActor NodeManager::named_actor(const control::ActorSpec& spec) const {
  return {.home = cluster_->self(),
          .actor_id = spec.id,
          .class_name = spec.class_name,
          .class_info = spec.class_info,
          .language = spec.language,
          .max_task_retries = spec.max_task_retries};
}

void NodeManager::create_named(rpc::ProcessKey creator, control::ActorSpec spec,
                               const rpc::Reply<rpc::ActorInfo>& reply) {
  ActorName name{spec.name_space, spec.name};
  if (auto asked = naming_.find(name); asked != naming_.end()) {
    asked->second.waiting.push_back(
        [this, creator, spec = std::move(spec), reply] { create_named(creator, spec, reply); });
    return;
  }
  if (control_.actors().find_by_name(name.name_space, name.name) != nullptr) {
    create_new(creator, std::move(spec), reply);  // there is one here: it says what that means
    return;
  }
  naming_[name].actor_id = spec.id;
  NamedActor wanted = named_actor(spec);
  cluster_->take_name(name, wanted, [this, creator, wanted, spec = std::move(spec), reply](Result<NamedActor> owner) {
    if (!owner.ok()) {
      cluster_->free_name({spec.name_space, spec.name}, wanted);  // the head may have given it all the same, or yet
    }
    auto waiting = naming_.extract(ActorName{spec.name_space, spec.name});
    named(creator, spec, std::move(owner), reply);
    for (const std::function<void()>& next : waiting.mapped().waiting) {
      next();
    }
  });
}

void NodeManager::named(rpc::ProcessKey creator, control::ActorSpec spec, Result<NamedActor> owner,
                        const rpc::Reply<rpc::ActorInfo>& reply) {
  if (!owner.ok()) {
    reply(std::move(owner).error());
    return;
  }
  if (owner->actor_id == spec.id) {
    names_taken_.insert_or_assign(ActorName{spec.name_space, spec.name}, *owner);
    create_new(creator, std::move(spec), reply);
    free_names();  // it may have been refused
    return;
  }
  if (spec.get_if_exists) {
    import_named(creator, spec.name, *owner, true, reply);
    return;
  }
  reply(already_exists_error("an actor named " + spec.name + " lives in namespace " + spec.name_space +
                             ", on another node"));
}

bool NodeManager::wait_for_name(const std::string& actor_id, std::function<void()> then) {
  auto asked = std::find_if(naming_.begin(), naming_.end(),
                            [&](const auto& entry) { return entry.second.actor_id == actor_id; });
  if (asked == naming_.end()) {
    return false;
  }
  asked->second.waiting.push_back(std::move(then));
  return true;
}

// A handle for the process, of an actor that has its home on another node.
void NodeManager::import_named(rpc::ProcessKey key, const std::string& name, const NamedActor& actor, bool existed,
                               const rpc::Reply<rpc::ActorInfo>& reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  rpc::ActorSpec spec;
  spec.name = name;
  spec.class_name = actor.class_name;
  spec.class_info = actor.class_info;
  spec.language = actor.language;
  spec.max_task_retries = actor.max_task_retries;
  spec.origin = {rpc::ActorRole::kImported, actor.actor_id, std::string(actor.home.id.bits().view()),
                 actor.home.incarnation};
  if (is_own(spec.origin)) {
    auto once_named = [this, key, name, actor, existed, reply] { import_named(key, name, actor, existed, reply); };
    if (const control::ActorEntry* known = control_.actors().find(actor.actor_id)) {
      Result<rpc::ActorInfo> info = actor_info_for(*process, known->index);
      if (info.ok()) {
        info->existed = existed;
      }
      reply(std::move(info));
    } else if (!wait_for_name(actor.actor_id, std::move(once_named))) {
      reply(not_found_error("no actor named " + name));  // it has just died here
    }
    return;
  }
  Result<control::ActorSpec> wanted = spec_for(*process, std::move(spec), true);
  if (!wanted.ok()) {
    reply(std::move(wanted).error());
    return;
  }
  create_new(key, *std::move(wanted), [existed, reply](Result<rpc::ActorInfo> info) {
    if (info.ok()) {
      info->existed = existed;
    }
    reply(std::move(info));
  });
}

void NodeManager::free_names() {
  for (auto taken = names_taken_.begin(); taken != names_taken_.end();) {
    const control::ActorEntry* alive = control_.actors().find(taken->second.actor_id);
    if (alive != nullptr && alive->spec.name == taken->first.name) {
      ++taken;
      continue;
    }
    cluster_->free_name(taken->first, taken->second);
    taken = names_taken_.erase(taken);
  }
}

}  // namespace sabir::node
