// Who is let in: decided from a hello, without input or output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/rpc/node_link/hello.h"
#include "runtime/rpc/node_link/secrets.h"

namespace sabir::node_link {

// What a node says of itself.
struct LocalNode {
  NodeKey node;       // incarnation 0 until the control store has given one
  ClusterId cluster;  // nil until it has joined
  std::string release;
  uint32_t min_version = kNodeProtocolVersion;
  uint32_t max_version = kNodeProtocolVersion;
};

// What the control store knows of the cluster's nodes. Asked on the loop's thread; answers at once.
class Members {
 public:
  virtual ~Members() = default;
  // Whether the node is a member and this is its certificate. No fingerprint: a connection without TLS, where being a
  // member has to do.
  virtual bool knows(const NodeKey& node, const std::optional<Fingerprint>& fingerprint) const = 0;
  // Whether this incarnation was declared dead, or a higher one is known.
  virtual bool fenced(const NodeKey& node) const = 0;
};

struct Verdict {
  Failure failure;       // kNone: let in
  uint32_t version = 0;  // to speak
  bool joiner = false;   // let in by a token
};

// The highest version that both speak; none: kVersion, with both releases.
Verdict judge_version(const Hello& hello, const LocalNode& local);

// What an acceptor thinks of a hello. `tokens` are those that are accepted here (a node that is not the head has none);
// `now_ns` is in their time.
Verdict judge_hello(const Hello& hello, const std::optional<Fingerprint>& fingerprint, const LocalNode& local,
                    const Members& members, const TokenBook& tokens, int64_t now_ns);

// What a dialer thinks of the answer to its hello.
Failure judge_welcome(const Welcome& welcome, const Hello& hello);

}  // namespace sabir::node_link
