// The control channel's calls about actors.
#include "runtime/base/ids.h"
#include "runtime/client/error_value.h"
#include "runtime/client/value_format.h"
#include "runtime/node/node_manager.h"

namespace sabir::node {
namespace {

std::string as_string(const std::vector<uint8_t>& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

Result<rpc::ActorInfo> NodeManager::actor_info(shm::ActorIndex actor) {
  std::optional<Actors::View> view = coordinator_.actors().view(actor);
  if (!view) {
    return not_found_error("no such actor");
  }
  rpc::ActorInfo info;
  info.actor = actor;
  info.entry = view->entry;
  info.generation = view->entry_generation;
  info.actor_id = view->spec->shown_id();
  info.home_node = view->spec->home.id;
  info.home_incarnation = view->spec->home.incarnation;
  info.name = view->spec->shown_name();
  info.class_name = view->spec->class_name;
  info.class_info = view->spec->class_info;
  info.language = view->spec->language;
  info.max_task_retries = view->spec->max_task_retries;
  return info;
}

Result<rpc::ActorInfo> NodeManager::actor_info_for(const Process& process, shm::ActorIndex actor) {
  SABIR_ASSIGN_OR_RETURN(rpc::ActorInfo info, actor_info(actor));
  SABIR_RETURN_IF_ERROR(
      objects_->ownership().hold(store::Holder::process(process.id()), {info.generation, info.entry}));
  return info;
}

// Its handles have an entry from now on, which the creator holds.
Result<void> NodeManager::bind_new_actor(shm::ActorIndex actor, const Process& creator) {
  store::Holder holder = store::Holder::process(creator.id());
  Result<shm::EntryRef> entry = objects_->change([&](store::Ownership& ownership, store::Instructions& out) {
    return ownership.create_actor(actor, holder, out);
  });
  if (!entry.ok()) {
    static_cast<void>(coordinator_.fail_actor(actor, entry.error().message(), ""));
    settle();
    return std::move(entry).error();
  }
  coordinator_.bind_actor_entry(actor, entry->entry, entry->generation);
  if (coordinator_.actors().view(actor)->spec->detached) {
    static_cast<void>(objects_->ownership().hold(store::Holder::node(), *entry));  // it has just been made
  }
  return {};
}

void NodeManager::create_actor(rpc::ProcessKey key, rpc::ActorSpec spec, rpc::Reply<rpc::ActorInfo> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  bool trusted = is_gateway(process->pid);
  if (spec.origin.role == rpc::ActorRole::kKnown || is_own(spec.origin)) {
    if (trusted) {
      create_known(key, spec.origin, reply);
    } else {
      reply(invalid_error("an actor's origin is the gateway's to say"));
    }
    return;
  }
  Result<control::ActorSpec> wanted = spec_for(*process, std::move(spec), trusted);
  if (!wanted.ok()) {
    reply(std::move(wanted).error());
    return;
  }
  cluster::Placement placement = placement_of(wanted->scheduling);
  if (trusted || !placement.in_group()) {
    create_checked(key, *std::move(wanted), reply);
    return;
  }
  cluster::Amounts request;
  for (const control::ActorResource& amount : wanted->resources) {
    request.push_back({amount.name, amount.units});
  }
  check_placement(placement, std::move(request),
                  [this, key, spec = *std::move(wanted), reply](const Result<void>& fits) mutable {
                    if (!fits.ok()) {
                      reply(fits.error());
                    } else {
                      create_checked(key, std::move(spec), reply);
                    }
                  });
  tend_groups();
}

void NodeManager::create_checked(rpc::ProcessKey key, control::ActorSpec spec,
                                 const rpc::Reply<rpc::ActorInfo>& reply) {
  if (cluster_ && !spec.name.empty()) {
    create_named(key, std::move(spec), reply);
  } else {
    create_new(key, std::move(spec), reply);
  }
}

void NodeManager::create_new(rpc::ProcessKey creator, control::ActorSpec spec,
                             const rpc::Reply<rpc::ActorInfo>& reply) {
  Process* process = caller(creator, reply);
  if (process == nullptr) {
    return;
  }
  bool imported = spec.role == control::ActorSpec::Role::kImported;
  Result<Actors::Created> created = coordinator_.create_actor(std::move(spec));
  if (!created.ok()) {
    reply(std::move(created).error());
    return;
  }
  shm::ActorIndex actor = created->actor;
  if (created->existed) {
    Result<rpc::ActorInfo> info = actor_info_for(*process, actor);
    if (info.ok()) {
      info->existed = true;
    }
    reply(std::move(info));
    return;
  }
  if (Result<void> bound = bind_new_actor(actor, *process); !bound.ok()) {
    reply(std::move(bound).error());
    return;
  }
  if (imported && !created->revived) {
    static_cast<void>(coordinator_.start_actor(actor, "", {}));  // it has just been made, and takes no arguments
  }
  settle();
  reply(actor_info(actor));
}

void NodeManager::start_actor(rpc::ProcessKey key, uint32_t actor, std::string args, std::vector<rpc::EntryKey> refs,
                              rpc::Reply<void> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  std::optional<Actors::View> view = coordinator_.actors().view(actor);
  if (!view || view->spec->job != process->job) {
    reply(not_found_error("no actor of this job has that number"));
    return;
  }
  objects_->rounds();  // the arguments may have been announced a moment ago
  std::vector<shm::EntryRef> held;
  held.reserve(refs.size());
  for (const rpc::EntryKey& ref : refs) {
    held.push_back({ref.generation, ref.entry});
  }
  Result<void> started = coordinator_.start_actor(actor, std::move(args), std::move(held));
  settle();
  reply(std::move(started));
}

void NodeManager::fail_actor(rpc::ProcessKey key, uint32_t actor, std::string message, std::string error,
                             rpc::Reply<void> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  std::optional<Actors::View> view = coordinator_.actors().view(actor);
  bool by_worker = view && process->actor == actor;
  if (!view || (!by_worker && view->spec->job != process->job)) {
    reply(not_found_error("no actor of this job has that number"));
    return;
  }
  Result<void> failed = coordinator_.fail_actor(actor, std::move(message), std::move(error));
  settle();
  reply(std::move(failed));
}

void NodeManager::actor_started(rpc::ProcessKey key, uint32_t actor, uint32_t incarnation, rpc::Reply<void> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  if (process->actor != actor) {
    reply(invalid_error("this process does not host that actor"));
    return;
  }
  Result<void> started = coordinator_.actor_started(actor, incarnation, key.slot);
  settle();
  reply(std::move(started));
}

void NodeManager::get_actor(rpc::ProcessKey key, std::string name, std::string name_space,
                            rpc::Reply<rpc::ActorInfo> reply) {
  if (name.size() > cluster::kMaxActorNameBytes || name_space.size() > cluster::kMaxActorNameBytes) {
    reply(not_found_error("no actor has a name or namespace of more than " +
                          std::to_string(cluster::kMaxActorNameBytes) + " bytes"));
    return;
  }
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  if (name_space.empty()) {
    auto job = jobs_.find(process->job);
    name_space = job == jobs_.end() ? "" : job->second.config.name_space;
  }
  Result<shm::ActorIndex> actor = coordinator_.actors().find(name_space, name);
  if (!actor.ok() && cluster_) {
    cluster_->find_name({name_space, name}, [this, key, name, reply](Result<cluster::NamedActor> found) {
      if (found.ok()) {
        import_named(key, name, *found, false, reply);
      } else {
        reply(std::move(found).error());
      }
    });
    return;
  }
  if (!actor.ok()) {
    reply(std::move(actor).error());
    return;
  }
  reply(actor_info_for(*process, *actor));
}

void NodeManager::describe_actor(rpc::ProcessKey key, uint32_t actor, uint64_t generation,
                                 rpc::Reply<rpc::ActorDescription> reply) {
  if (caller(key, reply) == nullptr) {
    return;
  }
  std::optional<Actors::View> view = coordinator_.actors().view(actor);
  Result<rpc::ActorInfo> info = actor_info(actor);
  if (!view || !info.ok() || view->entry_generation != generation) {
    reply(not_found_error("this handle names an actor that is gone"));
    return;
  }
  rpc::ActorDescription description;
  description.info = std::move(*info);
  description.crashed = view->crashed;
  if (view->phase == ActorPhase::kDead) {
    description.error =
        !view->error_value->empty()
            ? *view->error_value
            : as_string(client::make_error_value(ErrorKind::kActorDied, *view->death_reason, client::kCallAlignment));
  }
  reply(std::move(description));
}

void NodeManager::kill_actor(rpc::ProcessKey key, uint32_t actor, bool no_restart, rpc::Reply<void> reply) {
  if (caller(key, reply) == nullptr) {
    return;
  }
  if (std::optional<Actors::View> view = coordinator_.actors().view(actor);
      view && kill_at_home(*view, no_restart, reply)) {
    return;
  }
  Result<void> killed = coordinator_.kill_actor(actor, no_restart);
  settle();
  reply(std::move(killed));
}

}  // namespace sabir::node
