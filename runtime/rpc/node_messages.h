// What gateways of two nodes say to each other, in plain C++ (schema/node.capnp has its meaning).
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/rpc/gateway_messages.h"
#include "runtime/rpc/session_types.h"

namespace sabir::rpc {

struct ObjectId {
  uint64_t uid = 0;
  uint64_t sequence = 0;
  auto operator<=>(const ObjectId&) const = default;
};

struct WireRef;
struct WireValue {
  struct Stored {
    ObjectId id;
    uint64_t size_bytes = 0;
    bool is_yours = false;  // the receiver's own, which it had named to the sender
    bool operator==(const Stored&) const = default;
  };
  uint8_t encoding = 0;
  uint8_t language = 0;
  uint8_t variant = 0;
  bool is_error = false;
  std::string bytes;             // unless it is stored
  std::optional<Stored> stored;  // its bytes are in the sender's store
  std::vector<WireRef> refs;
};
struct WireActor {
  NodeKeyBytes home;
  std::string name;
  std::string class_name;
  std::string class_info;
  uint8_t language = 0;
  int32_t max_task_retries = 0;
};
struct WireRef {
  ObjectId id;
  std::unique_ptr<WireValue> value;  // null, and no actor: promised
  std::unique_ptr<WireActor> actor;
};

struct WireArg {
  std::string name;
  WireValue value;
};

struct JobDefinition {
  uint32_t number = 0;
  std::string id;
  JobConfig config;
};
struct FunctionDefinition {
  uint32_t number = 0;
  FunctionInfo function;
};
struct ClassDefinition {
  uint32_t number = 0;
  std::vector<ResourceAmount> resources;
  Scheduling scheduling = {};  // if it is a placement group
  bool operator==(const ClassDefinition&) const = default;
};
struct CallMessage {
  uint64_t number = 0;
  uint32_t job = 0;
  uint32_t function = 0;
  uint32_t class_number = 0;
  uint16_t num_returns = 1;
  uint16_t attempt = 0;
  std::vector<WireArg> args;
  uint64_t actor = 0;
};
struct OpenActorMessage {
  struct Creation {
    uint32_t function = 0;
    uint32_t class_number = 0;
    uint32_t max_concurrency = 1;
    std::string name;
    std::string class_name;
    std::string class_info;
    std::vector<WireArg> args;
  };
  uint64_t number = 0;
  uint32_t job = 0;
  std::string actor_id;
  std::optional<Creation> creation;
};
enum class RemoteActorState : uint8_t { kAlive, kFailed, kLeft, kCrashed };
struct ActorStateMessage {
  uint64_t number = 0;
  RemoteActorState state = RemoteActorState::kAlive;
  std::string message;
  std::string error;
};
struct CloseActorMessage {
  uint64_t number = 0;
  bool kill = false;
};
struct KillActorMessage {
  uint64_t number = 0;
  bool no_restart = true;
};
enum class Outcome : uint8_t { kValues, kFailed, kRetryable, kLost, kNotBegun };
struct ResultMessage {
  uint64_t number = 0;
  Outcome outcome = Outcome::kValues;
  std::vector<WireValue> values;
  std::string message;
};
struct ResolvedMessage {
  ObjectId id;
  WireValue value;
};
struct ReleasedMessage {
  std::vector<ObjectId> ids;
};
struct JobOverMessage {
  uint32_t job = 0;
};
struct PullMessage {
  ObjectId id;
  uint64_t transfer = 0;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
};
struct LocateMessage {
  ObjectId id;
};
struct LocatedMessage {
  ObjectId id;
  bool self = false;
  std::vector<NodeKeyBytes> others;
};
enum class CopyState : uint8_t { kHas, kGone, kFailed };
struct CopyStateMessage {
  ObjectId id;
  CopyState state = CopyState::kHas;
  NodeKeyBytes source;  // kFailed
};
struct BetweenMessage {
  std::string bytes;
  bool control = false;  // to, or from, the control store behind the head
};

using NodeMessage =
    std::variant<JobDefinition, FunctionDefinition, ClassDefinition, CallMessage, ResultMessage, ResolvedMessage,
                 ReleasedMessage, JobOverMessage, PullMessage, BetweenMessage, OpenActorMessage, ActorStateMessage,
                 CloseActorMessage, KillActorMessage, LocateMessage, LocatedMessage, CopyStateMessage>;

// References inside references: deeper ones are refused.
inline constexpr int kMaxWireDepth = 16;

// About what it takes on the wire.
size_t size_bytes(const NodeMessage& message);
// Of one that is not in its variant yet.
size_t wire_bytes(const CallMessage& message);
size_t wire_bytes(const std::vector<WireArg>& args);
size_t wire_bytes(const ResultMessage& message);
size_t wire_bytes(const ResolvedMessage& message);

// Larger ones are not to be posted: a connection refuses messages of 64 MiB, and with them everything that it carries.
inline constexpr size_t kMaxNodeMessageBytes = 32 << 20;

// Values have one owner; this makes another one.
WireValue copy_of(const WireValue& value);

}  // namespace sabir::rpc
