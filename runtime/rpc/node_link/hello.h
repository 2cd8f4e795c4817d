// The two frames that open a connection between nodes, as schema/node_link.capnp describes them.
//
// What arrives here comes from anybody, so decoding is bounded, total and without side effects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/ids.h"
#include "runtime/base/result.h"
#include "runtime/rpc/node_link/refusal.h"

namespace sabir::node_link {

using NodeId = Id<struct NodeIdTag>;
using ClusterId = Id<struct ClusterIdTag>;

inline constexpr uint32_t kMaxLoginFrameBytes = 4096;
inline constexpr uint32_t kNodeProtocolVersion = 1;

enum class Lane : uint8_t { kCalls = 0, kBulk = 1 };

// One life of a node.
struct NodeKey {
  NodeId id;
  uint64_t incarnation = 0;  // 0: none yet (a joiner), or any

  bool operator==(const NodeKey&) const = default;
  std::string text() const;  // for messages
};

struct Hello {
  uint32_t min_version = kNodeProtocolVersion;
  uint32_t max_version = kNodeProtocolVersion;
  std::string release;
  NodeKey node;
  ClusterId cluster;  // nil: a joiner
  Lane lane = Lane::kCalls;
  std::string token;  // bytes; empty: not a joiner
  NodeKey expected;   // nil: a joiner

  bool operator==(const Hello&) const = default;
};

struct Welcome {
  Failure failure;  // its refusal is kNone: welcome
  uint32_t version = kNodeProtocolVersion;
  std::string release;
  NodeKey node;
  ClusterId cluster;
};

// A whole frame, prefix included. What is too long for one (a release text) is cut.
std::string encode_hello(const Hello& hello);
std::string encode_welcome(const Welcome& welcome);

// The size of the message behind a prefix of 4 bytes; kInvalid if no login frame has that size.
Result<uint32_t> decode_login_prefix(std::string_view prefix);
// Of the message behind the prefix.
Result<Hello> decode_hello(std::string_view message);
Result<Welcome> decode_welcome(std::string_view message);

}  // namespace sabir::node_link
