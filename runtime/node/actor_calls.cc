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

control::ActorSpec to_control(rpc::ActorSpec spec, JobNumber job, const std::string& job_name_space) {
  control::ActorSpec result;
  IdBits id = IdBits::random();
  result.id.assign(id.bytes.begin(), id.bytes.end());
  result.job = job;
  result.class_function = spec.class_function;
  result.name = std::move(spec.name);
  result.name_space = job_name_space;
  if (!spec.name_space.empty()) {
    result.name_space = std::move(spec.name_space);
  }
  for (rpc::ResourceAmount& amount : spec.resources) {
    result.resources.push_back({std::move(amount.name), amount.units});
  }
  result.max_restarts = spec.max_restarts;
  result.max_task_retries = spec.max_task_retries;
  result.max_concurrency = spec.max_concurrency;
  result.detached = spec.detached;
  result.get_if_exists = spec.get_if_exists;
  result.class_info = std::move(spec.class_info);
  result.language = spec.language;
  result.class_name = std::move(spec.class_name);
  return result;
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
  info.actor_id = view->spec->id;
  info.name = view->spec->name;
  info.class_name = view->spec->class_name;
  info.class_info = view->spec->class_info;
  info.language = view->spec->language;
  info.max_task_retries = view->spec->max_task_retries;
  return info;
}

void NodeManager::create_actor(rpc::ProcessKey key, rpc::ActorSpec spec, rpc::Reply<rpc::ActorInfo> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  auto job = jobs_.find(process->job);
  std::string name_space = job == jobs_.end() ? "" : job->second.config.name_space;
  Result<Actors::Created> created = coordinator_.create_actor(to_control(std::move(spec), process->job, name_space));
  if (!created.ok()) {
    reply(std::move(created).error());
    return;
  }
  shm::ActorIndex actor = created->actor;
  store::Holder holder = store::Holder::process(process->id());
  if (!created->existed) {
    Result<shm::EntryRef> entry = objects_->change([&](store::Ownership& ownership, store::Instructions& out) {
      return ownership.create_actor(actor, holder, out);
    });
    if (!entry.ok()) {
      static_cast<void>(coordinator_.fail_actor(actor, entry.error().message(), ""));
      settle();
      reply(std::move(entry).error());
      return;
    }
    coordinator_.bind_actor_entry(actor, entry->entry, entry->generation);
    if (coordinator_.actors().view(actor)->spec->detached) {
      static_cast<void>(objects_->ownership().hold(store::Holder::node(), *entry));  // it has just been made
    }
  }
  Result<rpc::ActorInfo> info = actor_info(actor);
  if (info.ok() && created->existed) {
    Result<void> held = objects_->ownership().hold(holder, {info->generation, info->entry});
    if (!held.ok()) {
      info = std::move(held).error();
    } else {
      info->existed = true;
    }
  }
  settle();
  reply(std::move(info));
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
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  if (name_space.empty()) {
    auto job = jobs_.find(process->job);
    name_space = job == jobs_.end() ? "" : job->second.config.name_space;
  }
  Result<shm::ActorIndex> actor = coordinator_.actors().find(name_space, name);
  if (!actor.ok()) {
    reply(std::move(actor).error());
    return;
  }
  Result<rpc::ActorInfo> info = actor_info(*actor);
  if (info.ok()) {
    Result<void> held =
        objects_->ownership().hold(store::Holder::process(process->id()), {info->generation, info->entry});
    if (!held.ok()) {
      info = std::move(held).error();
    }
  }
  reply(std::move(info));
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
  Result<void> killed = coordinator_.kill_actor(actor, no_restart);
  settle();
  reply(std::move(killed));
}

}  // namespace sabir::node
