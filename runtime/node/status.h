// The state of a session for people and tools, as JSON (docs/status.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/control/control_store.h"
#include "runtime/node/cluster_agent.h"
#include "runtime/node/coordinator.h"
#include "runtime/node/directory.h"
#include "runtime/node/groups.h"
#include "runtime/node/objects.h"
#include "runtime/node/processes.h"
#include "runtime/shm/untrusted.h"

namespace sabir::node {

struct SessionFacts {
  std::string session_id;
  std::string node_id;
  std::string node_name;
  cluster::Labels labels;
  std::string path;
  std::string version;
  int64_t started_unix_s = 0;
  uint64_t log_lines_dropped = 0;
  uint64_t looks = 0;
  uint64_t deaths = 0;
  uint64_t deaths_unsettled = 0;
};

struct StatusSources {
  const Coordinator& coordinator;
  control::ControlStore& control;
  Processes& processes;
  Directory& directory;
  Objects& objects;
  const shm::UntrustedCalls& calls;
  std::function<ClassStory(const Scheduler::ClassView&)> story_of;
  std::vector<cluster::GroupState> placement_groups = {};
  const Groups* groups = nullptr;         // null: it has not joined yet
  const ClusterAgent* cluster = nullptr;  // null: this node is alone
  std::vector<cluster::ClusterJob> cluster_jobs = {};
};

std::string session_status(const SessionFacts& facts, const StatusSources& sources);

}  // namespace sabir::node
