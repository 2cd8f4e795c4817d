// What a node asks of the control store, and what it is answered (schema/cluster.capnp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/cluster/actor_names.h"

namespace sabir::cluster {

inline constexpr size_t kMaxValueKeyBytes = 1 << 10;
inline constexpr size_t kMaxValueBytes = 1 << 20;
inline constexpr size_t kMaxListedKeys = 1024;
inline constexpr size_t kMaxListedJobs = 2048;
inline constexpr size_t kMaxJobNameBytes = 1024;  // also of a namespace
inline constexpr size_t kMaxJobEndBytes = 512;

struct NameRequest {
  enum class Kind : uint8_t { kTake, kFind, kFree };
  Kind kind = Kind::kFind;
  ActorName name = {};
  std::optional<NamedActor> actor = {};  // unless kFind
};
struct PutValue {
  std::string key = {};
  std::string value = {};
  bool overwrite = true;
};
struct GetValue {
  std::string key = {};
};
struct EraseValue {
  std::string key = {};
};
struct ListKeys {
  std::string prefix = {};
  std::string after = {};
  uint16_t limit = kMaxListedKeys;
};
struct DrainNode {
  std::string node = {};  // its name, or the beginning of its id in hex
  int64_t deadline_ns = -1;
};
// A program that uses the cluster, and what became of it.
struct ClusterJob {
  std::string id = {};  // 16 bytes
  std::string name = {};
  std::string name_space = {};
  uint32_t driver_pid = 0;
  NodeKey node = {};  // of its driver
  int64_t started_unix_ms = 0;
  int64_t ended_unix_ms = 0;  // 0: it runs
  std::string end = {};       // how it ended, for people
  bool operator==(const ClusterJob&) const = default;
};
struct StartJob {
  ClusterJob job = {};
};
struct EndJob {
  std::string id = {};
  std::string end = {};
};
struct ListJobs {};
using ControlQuestion =
    std::variant<NameRequest, PutValue, GetValue, EraseValue, ListKeys, DrainNode, StartJob, EndJob, ListJobs>;

struct ControlRequest {
  uint64_t number = 0;
  uint64_t lowest_unanswered = 0;
  uint64_t epoch = 0;  // of the life of the control store that it is sent to
  ControlQuestion what = {};
};

struct Done {
  bool operator==(const Done&) const = default;
};
struct KeyList {
  std::vector<std::string> keys = {};
};
struct JobList {
  std::vector<ClusterJob> jobs = {};
};
// By the kind of the question: see the schema.
using ControlResult = std::variant<Done, NamedActor, bool, std::string, KeyList, NodeKey, JobList>;

struct ControlAnswer {
  uint64_t number = 0;
  std::optional<Error> failure = {};  // then nothing else counts
  ControlResult result = {};
};

}  // namespace sabir::cluster
