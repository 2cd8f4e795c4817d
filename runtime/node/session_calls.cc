// The control channel's calls about everything but actors.
#include <memory>

#include "runtime/node/cluster/read_strategy.h"
#include "runtime/node/node_manager.h"
#include "runtime/node/status.h"

namespace sabir::node {

namespace {

constexpr int64_t kStatusPatienceNs = 2 * kSecondNs;

}  // namespace

void NodeManager::lend(rpc::ProcessKey key, rpc::LendKind kind, rpc::Reply<uint32_t> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  switch (kind) {
    case rpc::LendKind::kCells:
      reply(lends_.lend_cells(*process));
      return;
    case rpc::LendKind::kEntries:
      reply(objects_->lend_entries(*process));
      return;
    case rpc::LendKind::kBlocks:
      reply(lends_.lend_blocks(*process));
      return;
  }
  reply(invalid_error("unknown kind of memory"));
}

void NodeManager::loan(rpc::ProcessKey key, uint64_t size_bytes, int64_t wait_ns, rpc::Reply<rpc::LoanInfo> reply) {
  if (Process* process = caller(key, reply)) {
    // What it has released by now may make the room that it asks for.
    objects_->rounds();
    objects_->loan(*process, size_bytes, wait_ns, std::move(reply));
    look_->now();
  }
}

void NodeManager::return_loan(rpc::ProcessKey key, uint64_t offset, rpc::Reply<void> reply) {
  if (Process* process = caller(key, reply)) {
    objects_->rounds();  // its announcements in this loan come first
    reply(objects_->return_loan(*process, offset));
  }
}

void NodeManager::declare_class(rpc::ProcessKey key, uint8_t language, std::vector<rpc::ResourceAmount> amounts,
                                Scheduling scheduling, rpc::Reply<rpc::ClassInfo> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  std::vector<ResourceRequest> resources;
  for (rpc::ResourceAmount& amount : amounts) {
    resources.push_back({std::move(amount.name), amount.units});
  }
  Result<ClassPlace> place = place_of(*process, scheduling);
  if (!place.ok()) {
    reply(std::move(place).error());
    return;
  }
  cluster::Placement placement = place->placement();
  if (place->here_only || !placement.in_group()) {
    declare_checked(key, language, resources, *std::move(place), reply);
    return;
  }
  check_placement(placement, resources,
                  [this, key, language, resources, place = *std::move(place), reply](const Result<void>& fits) {
                    if (!fits.ok()) {
                      reply(fits.error());
                    } else {
                      declare_checked(key, language, resources, place, reply);
                    }
                  });
  tend_groups();
}

void NodeManager::declare_checked(rpc::ProcessKey key, uint8_t language, const std::vector<ResourceRequest>& resources,
                                  ClassPlace place, const rpc::Reply<rpc::ClassInfo>& reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  cluster::Placement placement = place.placement();
  Result<Scheduler::Declared> declared =
      coordinator_.declare_class(process->job, language, resources, std::move(place));
  if (!declared.ok()) {
    reply(std::move(declared).error());
    return;
  }
  directory_.set_place(declared->class_index, process->job, cluster::words_of(placement));
  Result<Directory::Queue> queue = directory_.open_queue(*process, declared->class_index);
  if (!queue.ok()) {
    reply(std::move(queue).error());
    return;
  }
  if (queue->is_new) {
    coordinator_.open_queue(queue->index, declared->class_index, key.slot);
  }
  if (placement.in_group()) {
    place_groups();
  }
  settle();
  reply(rpc::ClassInfo{declared->class_index, queue->index, infeasible(declared->class_index)});
}

void NodeManager::export_function(rpc::ProcessKey key, rpc::FunctionInfo function, rpc::Reply<uint32_t> reply) {
  if (Process* process = caller(key, reply)) {
    reply(control_.functions().add(
        process->job, {function.kind, function.language, std::move(function.name), std::move(function.code)}));
  }
}

void NodeManager::fetch_function(rpc::ProcessKey key, uint32_t index, rpc::Reply<rpc::FunctionInfo> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  const control::FunctionRecord* record = control_.functions().find(index);
  if (record == nullptr) {
    reply(not_found_error("no function with index " + std::to_string(index) + ": the job that exported it has ended"));
    return;
  }
  reply(rpc::FunctionInfo{record->kind, record->language, record->name, record->code});
}

void NodeManager::leave(rpc::ProcessKey key, std::string crash, rpc::Reply<void> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  if (process->relay && !crash.empty()) {
    process->crash = std::move(crash);  // its connection ends next (relay_gone)
    reply({});
    return;
  }
  process->leaving = true;
  if (process->is_worker()) {
    coordinator_.worker_leaving(key.slot);
    settle();
  }
  reply({});
}

// Keys and values of a cluster are its control store's.

namespace {

template <typename T>
cluster::ControlClient::Answered answer_with(rpc::Reply<T> reply) {
  return [reply = std::move(reply)](Result<cluster::ControlResult> result) {
    if (!result.ok()) {
      reply(std::move(result).error());
    } else if (auto* value = std::get_if<T>(&*result)) {
      reply(std::move(*value));
    } else {
      reply(internal_error("the control store answered something else"));
    }
  };
}

Result<void> check_cluster_key(const std::string& key) {
  if (key.empty() || key.size() > cluster::kMaxValueKeyBytes) {
    return invalid_error("in a cluster a key has 1 to " + std::to_string(cluster::kMaxValueKeyBytes) + " bytes");
  }
  return {};
}

}  // namespace

void NodeManager::kv_put(rpc::ProcessKey, std::string key, std::string value, bool overwrite, rpc::Reply<bool> reply) {
  if (!cluster_) {
    return reply(control_.key_value().put(key, value, overwrite));
  }
  if (Result<void> good = check_cluster_key(key); !good.ok()) {
    return reply(std::move(good).error());
  }
  if (value.size() > cluster::kMaxValueBytes) {
    return reply(invalid_error("in a cluster a value has at most " + std::to_string(cluster::kMaxValueBytes) +
                               " bytes: put larger ones into the object store"));
  }
  cluster_->ask(cluster::PutValue{std::move(key), std::move(value), overwrite}, answer_with(std::move(reply)));
}

void NodeManager::kv_get(rpc::ProcessKey, std::string key, rpc::Reply<std::string> reply) {
  if (!cluster_) {
    return reply(control_.key_value().get(key));
  }
  if (Result<void> good = check_cluster_key(key); !good.ok()) {
    return reply(std::move(good).error());
  }
  cluster_->ask(cluster::GetValue{std::move(key)}, answer_with(std::move(reply)));
}

void NodeManager::kv_delete(rpc::ProcessKey, std::string key, rpc::Reply<bool> reply) {
  if (!cluster_) {
    return reply(control_.key_value().erase(key));
  }
  if (Result<void> good = check_cluster_key(key); !good.ok()) {
    return reply(std::move(good).error());
  }
  cluster_->ask(cluster::EraseValue{std::move(key)}, answer_with(std::move(reply)));
}

void NodeManager::drain(std::string node, int64_t deadline_ns, rpc::Reply<std::string> reply) {
  if (!cluster_ || node.empty() || node.size() > cluster::kMaxNodeNameBytes || deadline_ns < -1) {
    return reply(invalid_error(cluster_ ? "a node is named by its name or the beginning of its id"
                                        : "this session has one node and is no cluster: stop it instead"));
  }
  cluster_->ask(cluster::DrainNode{std::move(node), deadline_ns},
                [reply = std::move(reply)](Result<cluster::ControlResult> result) {
                  if (!result.ok()) {
                    return reply(std::move(result).error());
                  }
                  auto* drained = std::get_if<cluster::NodeKey>(&*result);
                  reply(drained != nullptr ? Result<std::string>(drained->id.hex())
                                           : internal_error("the control store answered something else"));
                });
}

bool NodeManager::has_nothing_to_do() {
  bool busy = false;
  processes_.for_each([&](Process& process) {
    bool runs = process.is_worker() && !process.relay && calls_.function_plus_one(process.key.slot).any() != 0;
    bool own_driver = !process.is_worker() && !is_gateway(process.pid);
    busy |= !process.ended && (runs || own_driver);
  });
  for (const Actors::View& view : coordinator_.actors().views()) {
    busy |= view.phase != ActorPhase::kDead && view.spec->role != control::ActorSpec::Role::kImported;
  }
  for (const auto& [queue, class_index] : directory_.open_queues()) {
    busy |= calls_.queue_length(queue) != 0 || calls_.queue_overflow(queue) != 0;
  }
  // What is still here others need: results that stayed, values on their way.
  return !busy && objects_->ownership().objects() == 0;
}

void NodeManager::status(rpc::Reply<std::string> reply) {
  if (!has_groups()) {
    reply(status_with({}));
    return;
  }
  groups_->find({}, "", "", kStatusPatienceNs,
                [this, reply = std::move(reply)](const Result<std::vector<cluster::GroupState>>& groups) {
                  // Without an answer of whoever knows them it is the status of all the rest.
                  if (!groups.ok() || !cluster_) {
                    reply(status_with(groups.ok() ? *groups : std::vector<cluster::GroupState>()));
                    return;
                  }
                  cluster_->list_jobs(kStatusPatienceNs, [this, reply, groups = *groups](
                                                             const Result<std::vector<cluster::ClusterJob>>& jobs) {
                    reply(status_with(groups, jobs.ok() ? *jobs : std::vector<cluster::ClusterJob>()));
                  });
                });
  tend_groups();
}

std::string NodeManager::status_with(std::vector<cluster::GroupState> groups, std::vector<cluster::ClusterJob> jobs) {
  look_->now();  // queues and objects as they are
  SessionFacts facts;
  facts.session_id = session_id_.hex();
  facts.node_id = node_id_.hex();
  facts.node_name = options_.name;
  facts.labels = labels_;
  facts.path = options_.session_path;
  facts.version = options_.version;
  facts.started_unix_s = started_unix_s_;
  facts.log_lines_dropped = logs_->dropped_lines();
  facts.looks = look_->count();
  facts.deaths = segments_.node.header().death_count.load(std::memory_order_relaxed);
  facts.deaths_unsettled = deaths_->unburied_count();
  return session_status(facts, {coordinator_, control_, processes_, directory_, *objects_, calls_,
                                [this](const Scheduler::ClassView& view) { return story_of(view); }, std::move(groups),
                                groups_.get(), cluster_.get(), std::move(jobs)});
}

void NodeManager::stop(rpc::ProcessKey key, rpc::Reply<void> reply) {
  bool observer = key.slot == 0;
  if (!observer && owner_ != key) {
    reply(invalid_error("only the driver that started this node may stop it; use `sabir stop`"));
    return;
  }
  reply({});
  stop_node(observer ? "it was asked to" : "its driver asked it to");
}

}  // namespace sabir::node
