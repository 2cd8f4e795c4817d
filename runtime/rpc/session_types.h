// What a process and its node say to each other over the control channel, in plain C++ (no KJ). Both ends of rpc/ speak
// these; schema/session.capnp is the protocol and says what each field means.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/base/scheduling.h"

namespace sabir::rpc {

// One life of one process at its node.
struct ProcessKey {
  uint16_t slot = 0;
  uint32_t incarnation = 0;
  bool operator==(const ProcessKey&) const = default;
};

struct ResourceAmount {
  std::string name;
  int64_t units = 0;  // 1/10000
  bool operator==(const ResourceAmount&) const = default;
};

// Workers that may share a process.
inline constexpr uint32_t kMaxSlotsPerProcess = 64;

struct GroupBundle {
  std::vector<ResourceAmount> resources;
  LabelConditions labels;
};

// As GroupStrategy of node/cluster/group_messages.h and sabir_group_strategy.
inline constexpr uint8_t kLastGroupStrategy = 3;
struct GroupSpec {
  std::string id;  // 16 bytes
  std::string name;
  std::string name_space;
  bool detached = false;
  uint8_t strategy = 0;  // above kLastGroupStrategy: of a later version
  std::vector<GroupBundle> bundles;
};

// By id, or by name, or all.
struct GroupQuery {
  std::string id;
  std::string name;
  std::string name_space;
};

enum class LaunchMode : uint8_t { kNone = 0, kZygote = 1, kExec = 2 };
struct LanguageEnv {
  uint8_t language = 0;
  LaunchMode mode = LaunchMode::kNone;
  std::vector<std::string> argv;
  uint32_t slots_per_process = 1;  // workers that share a process; more than one with kExec only
  bool operator==(const LanguageEnv&) const = default;
};

struct JobConfig {
  std::string name;
  std::string name_space;
  std::vector<LanguageEnv> language_envs;
  std::string opaque;
  bool log_to_driver = true;
  uint8_t language = 0;  // the driver's own
  std::string id;        // 16 bytes: of a job that began on another node (the gateway alone says so); empty: a new one
  // Of a job of a cluster: the node that its driver is on, which sets it; 16 bytes.
  std::string driver_node;
};

enum class HelloKind : uint8_t { kDriver, kWorker, kObserver };
struct HelloInfo {
  HelloKind kind = HelloKind::kObserver;
  uint32_t min_version = 1;
  uint32_t max_version = 1;
  uint64_t layout_hash = 0;
  std::string library;
  JobConfig job;      // kDriver
  std::string token;  // kWorker
};

struct HostedActor {
  bool present = false;
  uint32_t actor = 0;
  uint32_t incarnation = 0;
  std::string actor_id;  // 16 bytes
  uint32_t class_function = 0;
  std::string args;
  uint32_t max_concurrency = 1;
  std::string name;
  // For a gateway's worker only.
  std::string class_info;
  std::string class_name;
  bool imported = false;
  Scheduling scheduling;  // if it is in a placement group
};

struct WelcomeInfo {
  uint32_t version = 1;
  std::string session_id;  // 16 bytes
  std::string node_id;     // 16 bytes
  ProcessKey process;
  uint32_t job = 0;
  std::string job_id;  // 16 bytes
  JobConfig job_config;
  HostedActor actor;
  std::string session_path;
  std::string daemon_version;
  uint8_t language = 0;
  // The client's own copies, in this order on the wire. sabird fills them with descriptors to be sent (dup'ed by rpc/).
  UniqueFd node_fd, calls_fd, objects_fd, daemon_doorbell_fd;
};

enum class LendKind : uint8_t { kCells = 0, kEntries = 1, kBlocks = 2 };

struct LoanInfo {
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
  bool reused = false;
};

struct ClassInfo {
  uint32_t class_index = 0;
  uint32_t queue = 0;
  std::string infeasible;
};

struct FunctionInfo {
  uint32_t kind = 0;
  uint8_t language = 0;
  std::string name;
  std::string code;
};

enum class ActorRole : uint8_t { kOwn = 0, kHosted = 1, kImported = 2, kKnown = 3 };

struct ActorOrigin {
  ActorRole role = ActorRole::kOwn;
  std::string actor_id;  // 16 bytes, unless kOwn
  std::string node;      // 16 bytes, of its home
  uint64_t incarnation = 0;
};

struct ActorSpec {
  uint32_t class_function = 0;
  std::string name;
  std::string name_space;
  std::vector<ResourceAmount> resources;
  int32_t max_restarts = 0;
  int32_t max_task_retries = 0;
  uint32_t max_concurrency = 1;
  bool detached = false;
  bool get_if_exists = false;
  std::string class_info;
  uint8_t language = 0;
  std::string class_name;
  ActorOrigin origin;
  Scheduling scheduling;
};

struct ActorInfo {
  uint32_t actor = 0;
  uint32_t entry = 0;
  uint64_t generation = 0;
  std::string actor_id;  // 16 bytes
  std::string name;
  std::string class_name;
  std::string class_info;
  uint8_t language = 0;
  int32_t max_task_retries = 0;
  bool existed = false;
  std::string home_node;  // 16 bytes; empty: this node
  uint64_t home_incarnation = 0;
};

struct ActorDescription {
  ActorInfo info;
  std::string error;  // the error value that ended it, or empty
  bool crashed = false;
};

struct EntryKey {
  uint32_t entry = 0;
  uint64_t generation = 0;
  bool operator==(const EntryKey&) const = default;
};

// About a value that the process said is elsewhere, or can make again (schema/session.capnp).
struct ObjectChange {
  enum class Kind : uint8_t { kWanted, kUnheld, kLost };
  Kind kind = Kind::kWanted;
  EntryKey entry;
  bool operator==(const ObjectChange&) const = default;
};

struct LogLines {
  uint32_t pid = 0;
  uint32_t stream = 1;
  std::string task_name;
  std::string text;
  uint64_t dropped_lines = 0;
};

}  // namespace sabir::rpc
