// The control channel's calls about placement groups.
#include "runtime/node/cluster/read_group.h"
#include "runtime/node/group_status.h"
#include "runtime/node/node_manager.h"

namespace sabir::node {

using cluster::GroupState;

namespace {

constexpr uint32_t kMaxWatches = 4096;  // of one process

Result<cluster::GroupId> read_id(const std::string& bytes) {
  std::optional<IdBits> id = IdBits::from_bytes(bytes);
  if (!id) {
    return invalid_error("the id of a placement group has 16 bytes, not " + std::to_string(bytes.size()));
  }
  return cluster::GroupId(*id);
}

}  // namespace

cluster::NodeKey NodeManager::home_of(const Job& job) const {
  std::optional<IdBits> id = IdBits::from_bytes(job.config.driver_node);
  if (cluster_ && id && cluster::NodeId(*id) != groups_->self().id) {
    for (const ClusterAgent::MemberView& member : cluster_->members()) {
      if (member.info.node.id == cluster::NodeId(*id)) {
        return member.info.node;
      }
    }
  }
  return groups_->self();
}

void NodeManager::create_group(rpc::ProcessKey key, rpc::GroupSpec words, rpc::Reply<void> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  auto job = jobs_.find(process->job);
  std::optional<IdBits> job_id = job != jobs_.end() ? IdBits::from_bytes(job->second.id) : std::nullopt;
  if (!has_groups() || !job_id || job->second.over) {
    reply(job_id ? no_groups() : not_found_error("no such job"));
    return;
  }
  if (words.name.empty()) {
    words.name_space.clear();
  } else if (words.name_space.empty()) {
    words.name_space = job->second.config.name_space;
  }
  Result<cluster::GroupSpec> spec = cluster::read_group(words);
  if (!spec.ok()) {
    reply(std::move(spec).error());
    return;
  }
  spec->job = cluster::JobKey(*job_id);
  spec->home = home_of(job->second);
  groups_->create(*std::move(spec), kGroupQuestionNs, std::move(reply));
  tend_groups();
}

void NodeManager::watch_group(rpc::ProcessKey key, std::string id, rpc::Reply<bool> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  Result<cluster::GroupId> group = read_id(id);
  if (!group.ok() || !has_groups()) {
    reply(group.ok() ? no_groups() : std::move(group).error());
    return;
  }
  if (process->group_watches >= kMaxWatches) {
    reply(exhausted_error("more than " + std::to_string(kMaxWatches) + " waits for placement groups"));
    return;
  }
  process->group_watches += 1;
  bool ready = groups_->watch(*group, [this, key, id](Result<void> outcome) {
    Process* waiting = processes_.find(key);
    if (waiting == nullptr) {
      return;
    }
    waiting->group_watches -= 1;
    if (waiting->notices) {
      waiting->notices->group(id, std::move(outcome));
    }
  });
  if (ready) {
    process->group_watches -= 1;
  }
  reply(ready);
  tend_groups();
}

void NodeManager::remove_group(rpc::ProcessKey key, std::string id, rpc::Reply<void> reply) {
  if (caller(key, reply) == nullptr) {
    return;
  }
  Result<cluster::GroupId> group = read_id(id);
  if (!group.ok() || !has_groups()) {
    reply(group.ok() ? no_groups() : std::move(group).error());
    return;
  }
  groups_->remove(*group, kGroupQuestionNs, std::move(reply));
  tend_groups();
}

void NodeManager::find_groups(rpc::ProcessKey key, rpc::GroupQuery query, rpc::Reply<std::string> reply) {
  Process* process = caller(key, reply);
  if (process == nullptr) {
    return;
  }
  cluster::GroupId group;
  if (!query.id.empty()) {
    Result<cluster::GroupId> read = read_id(query.id);
    if (!read.ok()) {
      reply(std::move(read).error());
      return;
    }
    group = *read;
  }
  if (!has_groups()) {
    reply(no_groups());
    return;
  }
  auto job = jobs_.find(process->job);
  if (!query.name.empty() && query.name_space.empty() && job != jobs_.end()) {
    query.name_space = job->second.config.name_space;
  }
  groups_->find(group, query.name, query.name_space, kGroupQuestionNs,
                [reply = std::move(reply)](const Result<std::vector<GroupState>>& found) {
                  if (!found.ok()) {
                    bool gone = found.error().kind() == ErrorKind::kGroupRemoved;
                    reply(gone ? not_found_error(found.error().message()) : found.error());
                    return;
                  }
                  reply(groups_json(*found));
                });
  tend_groups();
}

}  // namespace sabir::node
