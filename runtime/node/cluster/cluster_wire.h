// What node managers say to each other, as bytes (schema/cluster.capnp). No KJ in this header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/cluster/control_requests.h"
#include "runtime/node/cluster/group_messages.h"
#include "runtime/node/cluster/node_report.h"
#include "runtime/node/cluster/remote_lease.h"
#include "runtime/node/cluster/report_publisher.h"
#include "runtime/rpc/session_types.h"

namespace sabir::cluster {

inline constexpr size_t kMaxClusterMessageBytes = 4 << 20;
inline constexpr size_t kMaxNodeNameBytes = 256;
inline constexpr size_t kMaxHostBytes = 253;
inline constexpr size_t kMaxReleaseBytes = 64;
inline constexpr size_t kFingerprintBytes = 32;
inline constexpr size_t kClusterIdBytes = 16;
inline constexpr size_t kMaxActorNameBytes = 1024;  // and of a namespace, and of a class
inline constexpr size_t kMaxClassInfoBytes = 1 << 20;
inline constexpr size_t kJobIdBytes = 16;
inline constexpr size_t kMaxLogEntries = 1024;
inline constexpr size_t kMaxLogBytes = 1 << 20;  // all texts of a message

struct MemberInfo {
  NodeKey node;
  std::string host = {};
  uint16_t port = 0;
  std::string fingerprint = {};  // kFingerprintBytes; empty without TLS
  bool dead = false;             // fenced: this incarnation and those before it
  std::string name = {};         // for people
  bool draining = false;         // it gets nothing new, and leaves when it has nothing left to do ...
  int64_t drain_left_ns = -1;    // ... or after so long; -1: it has as long as it takes
  bool operator==(const MemberInfo&) const = default;
};

struct RegisterRequest {
  NodeId node_id;
  std::string name = {};
  std::string host = {};  // where others reach its port; empty: where its connection came from
  uint16_t port = 0;
  std::string release = {};
  uint64_t layout_hash = 0;
  std::string start_id = {};  // 16 bytes: of this start of the node
};

struct RegisterAnswer {
  std::optional<Error> failure = {};  // then nothing else counts
  uint64_t incarnation = 0;
  std::string cluster_id = {};  // kClusterIdBytes
  NodeKey head;
  uint64_t epoch = 0;
  std::vector<MemberInfo> members = {};
};

// All of them. Of two messages that with the higher epoch counts, then that with the higher version.
struct MembersMessage {
  uint64_t epoch = 0;  // of the control store's life
  uint64_t version = 0;
  std::vector<MemberInfo> members = {};
};

struct ReportAnswerMessage {
  uint64_t version = 0;  // of the report
  ReportAnswer answer = ReportAnswer::kAccepted;
};

struct Heartbeat {
  uint64_t sequence = 0;
  // Of the last MembersMessage that its sender has; 0: none.
  uint64_t members_epoch = 0;
  uint64_t members_version = 0;
};
struct HeartbeatAnswer {
  uint64_t sequence = 0;
};

struct Leaving {
  std::string reason = {};  // for people
};

struct LogLinesMessage {
  std::string job_id;  // kJobIdBytes
  uint64_t sequence = 0;
  std::vector<rpc::LogLines> lines = {};
};
struct LogAnswer {
  std::string job_id;
  uint64_t sequence = 0;
};

// A11. The id has IdBits::kSizeBytes; the incarnation is the home's.
struct ReclaimActor {
  std::string actor_id;
  uint32_t incarnation = 0;
};
struct ActorReclaimed {
  std::string actor_id;
  uint32_t incarnation = 0;
};

using ClusterMessage = std::variant<RegisterRequest, RegisterAnswer, MembersMessage, NodeReport, ReportAnswerMessage,
                                    ViewBatch, ViewPosition, LeaseRequest, LeaseAnswer, LeaseStatus, LeaseStatusAnswer,
                                    LeaseRecall, Heartbeat, HeartbeatAnswer, Leaving, ControlRequest, ControlAnswer,
                                    LogLinesMessage, LogAnswer, GroupMessage, ReclaimActor, ActorReclaimed>;

// The message without a prefix of its length. Texts for people (names, releases, reasons) are cut to their bounds, but
// for those in a NodeReport; what breaks another bound is encoded all the same, and refused by whoever decodes it.
std::string encode(const ClusterMessage& message);

// Of bytes from anywhere. kInvalid: malformed, or a bound of the schema is broken. kUnsupported: a kind of message, or
// a word in it, that this release does not know. Every report in what it returns has passed check_report(), every node
// key names a node and an incarnation.
Result<ClusterMessage> decode_cluster_message(std::string_view bytes);

}  // namespace sabir::cluster
