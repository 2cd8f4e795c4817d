// What sabird and its gateway say to each other, in plain C++ (schema/gateway.capnp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/rpc/session_types.h"

namespace sabir::rpc {

struct NodeKeyBytes {
  std::string id;  // 16 bytes
  uint64_t incarnation = 0;
  auto operator<=>(const NodeKeyBytes&) const = default;
};
struct NodeAddress {
  std::string host;
  uint16_t port = 0;
  std::string fingerprint;  // 32 bytes; empty without TLS
  bool operator==(const NodeAddress&) const = default;
};
struct ClusterMember {
  NodeKeyBytes key;
  NodeAddress address;
  bool dead = false;
};

// --- to the gateway
struct StartGateway {
  NodeKeyBytes node;
  std::string cluster_id;
  std::string host;
  uint16_t port = 0;
  std::string directory;
  bool insecure = false;
  std::string token;
  int64_t token_life_ns = -1;
};
struct JoinCluster {
  std::string join_string;
  std::string request;
};
struct Admitted {
  uint64_t incarnation = 0;
  std::string cluster_id;
};
struct Members {
  std::vector<ClusterMember> members;
};
struct HostWorker {
  std::string token;
  NodeKeyBytes peer;
  uint32_t width = 1;
  std::vector<ResourceAmount> resources;
  Scheduling scheduling = {};  // if it is a placement group
};
struct SetWidth {
  uint16_t slot = 0;
  uint32_t calls = 1;
};
struct Between {
  NodeKeyBytes peer;
  std::string bytes;
  bool control = false;
};
struct JobOver {
  uint32_t job = 0;
};
struct JoinAnswer {
  uint64_t number = 0;
  std::string bytes;
};
struct KillRemoteActor {
  NodeKeyBytes peer;
  ProcessKey worker;
  bool no_restart = true;
  bool abandon = false;
};
using ToGateway = std::variant<StartGateway, JoinCluster, Admitted, Members, HostWorker, SetWidth, Between, JobOver,
                               JoinAnswer, KillRemoteActor>;

// --- from the gateway
struct Listening {
  NodeAddress address;
  std::string join_string;
};
struct GatewayFailed {
  std::string why;
};
struct Joined {
  std::string answer;
};
struct JoinRequest {
  uint64_t number = 0;
  std::string bytes;
  std::string fingerprint;
  std::string host;
};
struct LaneChange {
  NodeKeyBytes peer;
  bool is_up = false;
  std::string why;
};
using FromGateway = std::variant<Listening, GatewayFailed, Joined, JoinRequest, LaneChange, Between>;

// Whole frames.
std::string encode(const ToGateway& message);
std::string encode(const FromGateway& message);
// Of the message behind the prefix. kInvalid: it is none.
Result<ToGateway> decode_to_gateway(std::string_view bytes);
Result<FromGateway> decode_from_gateway(std::string_view bytes);

}  // namespace sabir::rpc
