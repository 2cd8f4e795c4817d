// The half of Client that prepares tasks and deals with actors.
#include <algorithm>
#include <cstring>

#include "runtime/base/ids.h"
#include "runtime/client/actor_peer.h"
#include "runtime/client/actors.h"
#include "runtime/client/class_queue.h"
#include "runtime/client/client.h"
#include "runtime/client/execute.h"
#include "runtime/client/refs.h"
#include "runtime/client/submit.h"

namespace sabir::client {
namespace {

constexpr int64_t kTimeoutNs = 60 * kSecondNs;

Result<void> check_count(const char* name, int32_t count) {
  if (count < -1) {
    return invalid_error(std::string(name) + " must be at least -1 (for ever), not " + std::to_string(count));
  }
  return {};
}

}  // namespace

Result<Task*> Client::prepare_task(const Function& function, const sabir_task_options& options) {
  constexpr uint32_t kMostReturns = 65535;
  if (options.num_returns > kMostReturns) {
    return invalid_error("num_returns must be at most 65535");
  }
  SABIR_RETURN_IF_ERROR(check_count("max_retries", options.max_retries));
  SABIR_ASSIGN_OR_RETURN(std::vector<rpc::ResourceAmount> resources,
                         convert_resources(options.resources, options.resource_count));
  if (options.resource_count == 0 && options.resources == nullptr) {
    resources.push_back({"CPU", 10000});
  }
  SABIR_ASSIGN_OR_RETURN(Scheduling scheduling, convert_scheduling(options.scheduling));
  bool outside = stay_outside(scheduling);
  SABIR_ASSIGN_OR_RETURN(ClassQueue * queue, core_->classes->declare(function.language, resources, scheduling));
  auto* task = new Task;
  task->anchor = core_->anchor;
  task->queue = queue;
  task->function = function.index;
  task->num_returns = static_cast<uint16_t>(options.num_returns);
  task->max_retries = options.max_retries;
  task->retry_errors = options.retry_errors != 0;
  task->name = options.name.size == 0 ? function.name : to_string(options.name);
  task->infeasible = queue->infeasible();
  task->follows_parent = !outside && scheduling.is_default();
  return task;
}

void Client::learn(Future* actor, rpc::ActorInfo info) {
  ActorPeer& peer = *actor->extra->actor;
  if (peer.info) {
    return;
  }
  IdBits id;
  std::memcpy(id.bytes.data(), info.actor_id.data(), std::min(info.actor_id.size(), id.bytes.size()));
  peer.id_hex = id.hex();
  peer.info = std::make_shared<const rpc::ActorInfo>(std::move(info));
}

Result<Future*> Client::adopt_actor(rpc::ActorInfo info) {
  shm::EntryRef entry{info.generation, info.entry};
  if (entry.entry >= shm::kMaxEntries || core_->self.node().find_actor(info.actor) == nullptr) {
    return internal_error("the node named an actor that cannot exist");
  }
  Lock lock(core_->lock);
  Future* actor = core_->refs->adopt_actor(
      entry, info.actor, {reinterpret_cast<const uint8_t*>(info.actor_id.data()), info.actor_id.size()});
  learn(actor, std::move(info));
  core_->unlock(lock);
  return actor;
}

Result<Future*> Client::create_actor(const Function& actor_class, const sabir_actor_options& options,
                                     std::span<const sabir_arg> args) {
  SABIR_RETURN_IF_ERROR(check_count("max_restarts", options.max_restarts));
  SABIR_RETURN_IF_ERROR(check_count("max_task_retries", options.max_task_retries));
  rpc::ActorSpec spec;
  spec.class_function = actor_class.index;
  spec.name = to_string(options.name);
  spec.name_space = to_string(options.name_space);
  SABIR_ASSIGN_OR_RETURN(spec.resources, convert_resources(options.resources, options.resource_count));
  SABIR_ASSIGN_OR_RETURN(spec.scheduling, convert_scheduling(options.scheduling));
  if (!stay_outside(spec.scheduling) && spec.scheduling.is_default() && core_->executor->captures()) {
    Lock lock(core_->lock);
    spec.scheduling = core_->executor->captured();
  }
  spec.max_restarts = options.max_restarts;
  spec.max_task_retries = options.max_task_retries;
  spec.max_concurrency = options.max_concurrency;
  spec.detached = options.detached != 0;
  spec.get_if_exists = options.get_if_exists != 0;
  spec.class_info.assign(static_cast<const char*>(options.class_info.data), options.class_info.size);
  spec.language = actor_class.language;
  spec.class_name = actor_class.name;
  return create_actor(spec, args);
}

Result<Future*> Client::create_actor(const rpc::ActorSpec& spec, std::span<const sabir_arg> args) {
  SABIR_ASSIGN_OR_RETURN(rpc::ActorInfo info, core_->self.session().create_actor(spec, kTimeoutNs));
  bool existed = info.existed;
  SABIR_ASSIGN_OR_RETURN(Future * actor, adopt_actor(std::move(info)));
  if (!existed) {
    if (Result<void> started = core_->submitter->start_actor(actor, args); !started.ok()) {
      (void)kill_actor(actor, true);
      release(actor);
      return std::move(started).error();
    }
  }
  return actor;
}

Result<Future*> Client::find_actor(const std::string& name, const std::string& name_space) {
  SABIR_ASSIGN_OR_RETURN(rpc::ActorInfo info, core_->self.session().get_actor(name, name_space, kTimeoutNs));
  return adopt_actor(std::move(info));
}

Result<std::shared_ptr<const rpc::ActorInfo>> Client::describe_actor(Future* actor) {
  shm::EntryRef entry;
  shm::ActorIndex index;
  {
    Lock lock(core_->lock);
    if (actor->extra->actor->info) {
      return actor->extra->actor->info;
    }
    entry = actor->extra->entry;
    index = actor->extra->actor->index;
  }
  SABIR_ASSIGN_OR_RETURN(rpc::ActorDescription description,
                         core_->self.session().describe_actor(index, entry.generation, kTimeoutNs));
  Lock lock(core_->lock);
  learn(actor, std::move(description.info));
  return actor->extra->actor->info;
}

Result<Future*> Client::open_actor(const rpc::ActorSpec& spec) {
  SABIR_ASSIGN_OR_RETURN(rpc::ActorInfo info, core_->self.session().create_actor(spec, kTimeoutNs));
  return adopt_actor(std::move(info));
}

void Client::watch_actor(Future* actor, std::shared_ptr<EventQueue> queue, uint64_t tag) {
  Lock lock(core_->lock);
  core_->actors->watch(actor, std::move(queue), tag);
  core_->unlock(lock);
}

void Client::unwatch_actor(Future* actor, const EventQueue* queue, uint64_t tag) {
  Lock lock(core_->lock);
  core_->actors->unwatch(actor, queue, tag);
  core_->unlock(lock);
}

shm::ActorWord Client::actor_word(const Future* actor) const {
  const shm::ActorRecord* record = core_->self.node().find_actor(actor->extra->actor->index);
  return record == nullptr ? shm::ActorWord{} : shm::ActorWord::unpack(record->word.load(std::memory_order_seq_cst));
}

std::string Client::death_reason(const Future* actor) const {
  const shm::ActorRecord* record = core_->self.node().find_actor(actor->extra->actor->index);
  return record == nullptr ? std::string() : std::string(shm::death_reason(*record));
}

Result<rpc::ActorDescription> Client::describe_death(Future* actor) {
  return core_->self.session().describe_actor(actor->extra->actor->index, actor->extra->entry.generation, kTimeoutNs);
}

Result<void> Client::kill_actor(Future* actor, bool no_restart) {
  return core_->self.session().kill_actor(actor->extra->actor->index, no_restart, kTimeoutNs);
}

}  // namespace sabir::client
