#include "runtime/node/status.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/base/hex.h"
#include "runtime/base/ids.h"
#include "runtime/node/cluster/read_strategy.h"
#include "runtime/node/group_status.h"

namespace sabir::node {
namespace {

using Json = nlohmann::json;

double amount(Units units) { return static_cast<double>(units) / static_cast<double>(kUnit); }

Json amounts(const NodeResources& resources, const std::function<Units(ResourceId)>& units_of) {
  Json result = Json::object();
  for (size_t i = 0; i < resources.name_count(); ++i) {
    auto id = static_cast<ResourceId>(i);
    if (resources.total(id) != 0) {
      result[resources.name(id)] = amount(units_of(id));
    }
  }
  return result;
}

// Claims of the worker (T3), for people.
const char* worker_state(const WorkerPool::WorkerView& worker, const StatusSources& sources, bool running) {
  if ((sources.calls.blocked(worker.slot).any() & 1) != 0) {
    return "blocked";
  }
  if (worker.actor) {
    return "actor";
  }
  return running ? "busy" : "idle";
}

Json worker_list(const StatusSources& sources) {
  Json list = Json::array();
  for (const WorkerPool::WorkerView& worker : sources.coordinator.pool().workers()) {
    const Process* process = sources.processes.at(worker.slot);
    if (process == nullptr) {
      continue;
    }
    uint32_t function = sources.calls.function_plus_one(worker.slot).any();
    const control::FunctionRecord* record = function != 0 ? sources.control.functions().find(function - 1) : nullptr;
    list.push_back({{"pid", process->pid},
                    {"slot", worker.slot},
                    {"state", worker_state(worker, sources, function != 0)},
                    {"language", worker.language},
                    {"job", worker.job},
                    {"running", record != nullptr ? record->name : ""},
                    {"executed", sources.calls.executed(worker.slot).any()}});
  }
  for (size_t i = 0; i < sources.coordinator.pool().launch_count(); ++i) {
    list.push_back({{"pid", 0},
                    {"slot", 0},
                    {"state", "starting"},
                    {"language", 0},
                    {"job", 0},
                    {"running", ""},
                    {"executed", 0}});
  }
  return list;
}

Json class_list(const StatusSources& sources) {
  const NodeResources& resources = sources.coordinator.scheduler().resources();
  Json list = Json::array();
  for (const Scheduler::ClassView& view : sources.coordinator.scheduler().classes()) {
    Json needs = Json::object();
    for (const ResourceSet::Amount& entry : *view.resources) {
      needs[resources.name(entry.id)] = amount(entry.units);
    }
    uint64_t overflow = 0;  // what submitters say of their private lists (Q4)
    for (shm::QueueIndex queue : sources.directory.queues(view.class_index)) {
      overflow += sources.calls.queue_overflow(queue);
    }
    ClassStory story = sources.story_of(view);
    list.push_back({{"class", view.class_index},
                    {"job", view.job},
                    {"language", view.language},
                    {"resources", needs},
                    {"queued", view.waiting},
                    {"overflow", overflow},
                    {"leases", view.leases},
                    {"strategy", cluster::describe(view.place->strategy)},
                    {"infeasible", story.infeasible},
                    {"reason", story.reason}});
  }
  return list;
}

// The other nodes of the cluster, as this one knows them.
Json other_nodes(const ClusterAgent& cluster) {
  Json list = Json::array();
  for (const ClusterAgent::MemberView& member : cluster.members()) {
    if (member.info.node.id == cluster.self().id) {
      continue;
    }
    Json total = Json::object();
    Json available = Json::object();
    Json labels = Json::object();
    if (const cluster::ResourceView::Node* node = member.node; node != nullptr && node->statics && !member.info.dead) {
      for (size_t i = 0; i < node->statics->total.size(); ++i) {
        const ResourceRequest& resource = node->statics->total[i];
        total[resource.name] = amount(resource.units);
        std::optional<ResourceId> id = node->ids[i];
        available[resource.name] = id ? amount(node->reported_capacity.free().get(*id)) : 0.0;
      }
      for (const auto& [name, value] : node->labels()) {
        labels[name] = value;
      }
    }
    list.push_back({{"node_id", member.info.node.id.hex()},
                    {"incarnation", member.info.node.incarnation},
                    {"name", member.info.name},
                    {"address", member.info.host + ":" + std::to_string(member.info.port)},
                    {"alive", !member.info.dead},
                    {"draining", member.info.draining && !member.info.dead},
                    {"resources_total", total},
                    {"resources_available", available},
                    {"labels", labels},
                    {"store",
                     {{"capacity_bytes", member.node != nullptr ? member.node->store_capacity_bytes : 0},
                      {"used_bytes", member.node != nullptr ? member.node->store_used_bytes : 0}}},
                    {"waiting", member.node != nullptr ? member.node->waiting : 0}});
  }
  return list;
}

// What this node has to do with an actor.
std::string role_name(control::ActorSpec::Role role) {
  switch (role) {
    case control::ActorSpec::Role::kOwn:
      return "own";
    case control::ActorSpec::Role::kHosted:
      return "hosted for another node";
    case control::ActorSpec::Role::kImported:
      return "of another node";
  }
  return "?";
}

Json actor_list(const StatusSources& sources) {
  Json list = Json::array();
  for (const Actors::View& view : sources.coordinator.actors().views()) {
    const Process* process = view.slot ? sources.processes.at(*view.slot) : nullptr;
    list.push_back({{"actor_id", to_hex(view.spec->shown_id())},
                    {"name", view.spec->shown_name()},
                    {"role", role_name(view.spec->role)},
                    {"class", view.spec->class_name},
                    {"state", std::string(actor_phase_name(view.phase))},
                    {"pid", process != nullptr ? process->pid : 0},
                    {"restarts", view.restarts},
                    {"job", view.spec->job},
                    {"detached", view.spec->detached},
                    {"death_reason", *view.death_reason}});
  }
  return list;
}

Json job_list(const StatusSources& sources) {
  Json list = Json::array();
  for (const control::JobRecord* job : sources.control.jobs().all()) {
    list.push_back({{"job_id", to_hex(job->id)},
                    {"number", job->number},
                    {"name", job->name},
                    {"driver_pid", job->driver_pid},
                    {"state", job->running ? "running" : "ended"}});
  }
  return list;
}

Json cluster_job_list(const std::vector<cluster::ClusterJob>& jobs) {
  Json list = Json::array();
  for (const cluster::ClusterJob& job : jobs) {
    list.push_back({{"job_id", to_hex(job.id)},
                    {"name", job.name},
                    {"namespace", job.name_space},
                    {"node_id", job.node.id.hex()},
                    {"driver_pid", job.driver_pid},
                    {"state", job.ended_unix_ms == 0 ? "running" : "ended"},
                    {"started_unix_ms", job.started_unix_ms},
                    {"ended_unix_ms", job.ended_unix_ms},
                    {"end", job.end}});
  }
  return list;
}

}  // namespace

std::string session_status(const SessionFacts& facts, const StatusSources& sources) {
  const Scheduler& scheduler = sources.coordinator.scheduler();
  store::LoanLedger::Usage usage = sources.objects.ledger().usage();
  const store::Ownership::Counters& counters = sources.objects.ownership().counters();
  Json node = {
      {"node_id", facts.node_id},
      {"name", facts.node_name},
      {"alive", true},
      {"labels", facts.labels},
      {"resources_total",
       amounts(scheduler.resources(), [&](ResourceId id) { return scheduler.resources().total(id); })},
      {"resources_available", amounts(scheduler.resources(), [&](ResourceId id) { return scheduler.available(id); })},
      {"store",
       {{"capacity_bytes", usage.capacity_bytes},
        {"used_bytes", usage.object_bytes},
        {"objects", usage.objects},
        {"loans_bytes", usage.used_bytes},
        {"idle_bytes", usage.idle_bytes},
        {"waiting", usage.waiting},
        {"allocator", sources.objects.allocator_name()}}},
      {"workers", worker_list(sources)},
      {"queues", class_list(sources)},
      {"bundles", sources.groups == nullptr ? Json::array() : bundle_list(*sources.groups, scheduler.resources())}};
  Json nodes = Json::array({node});
  if (sources.cluster != nullptr) {
    nodes[0]["address"] = sources.cluster->address();
    nodes[0]["incarnation"] = sources.cluster->self().incarnation;
    nodes[0]["is_head"] = sources.cluster->is_head();
    nodes[0]["draining"] = sources.cluster->is_draining();
    if (const ControlProcess* control = sources.cluster->control()) {
      nodes[0]["control"] = {{"pid", control->pid()},
                             {"restarts", control->restarts()},
                             {"epoch", control->epoch()},
                             {"trouble", control->trouble()}};
    }
    for (Json& other : other_nodes(*sources.cluster)) {
      nodes.push_back(std::move(other));
    }
  }
  Json status = {{"session",
                  {{"id", facts.session_id},
                   {"path", facts.path},
                   {"version", facts.version},
                   {"pid", ::getpid()},
                   {"started_unix_s", facts.started_unix_s}}},
                 {"nodes", nodes},
                 {"actors", actor_list(sources)},
                 {"jobs", job_list(sources)},
                 {"cluster_jobs", cluster_job_list(sources.cluster_jobs)},
                 {"placement_groups", group_list(sources.placement_groups)},
                 {"counters",
                  {{"processes", sources.processes.count()},
                   {"looks", facts.looks},
                   {"deaths", facts.deaths},
                   {"deaths_unsettled", facts.deaths_unsettled},
                   {"entries", sources.objects.ownership().objects()},
                   {"object_rounds", counters.rounds},
                   {"objects_announced", counters.announced},
                   {"objects_freed", counters.freed},
                   {"escapes", counters.escaped},
                   {"objects_lost", counters.lost},
                   {"ignored_releases", counters.ignored_releases},
                   {"ignored_records", counters.ignored_records},
                   {"violations", counters.violations},
                   {"log_lines_dropped", facts.log_lines_dropped}}}};
  return status.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sabir::node
