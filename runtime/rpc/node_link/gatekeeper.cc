#include "runtime/rpc/node_link/gatekeeper.h"

#include <algorithm>

namespace sabir::node_link {

namespace {

std::string versions(uint32_t min, uint32_t max) {
  return min == max ? "version " + std::to_string(min)
                    : "versions " + std::to_string(min) + " to " + std::to_string(max);
}

Verdict refuse(Refusal refusal, std::string message) { return {.failure = {refusal, std::move(message)}}; }

Verdict judge_login(const Hello& hello, const std::optional<Fingerprint>& fingerprint, const Members& members,
                    const TokenBook& tokens, int64_t now_ns) {
  if (hello.token.empty()) {
    if (!members.knows(hello.node, fingerprint)) {
      return refuse(Refusal::kUnknownCertificate,
                    "node " + hello.node.text() + " is no member with this certificate, and showed no token");
    }
    return {};
  }
  switch (tokens.check(hello.token, now_ns)) {
    case TokenBook::Verdict::kGood:
      return {.joiner = true};
    case TokenBook::Verdict::kExpired:
      return refuse(Refusal::kExpiredToken, "make a new join string at the head");
    case TokenBook::Verdict::kUnknown:
      break;
  }
  return refuse(Refusal::kWrongToken,
                tokens.empty() ? "nodes join at the head, which this node is not" : "it is none of this cluster's");
}

}  // namespace

Verdict judge_version(const Hello& hello, const LocalNode& local) {
  uint32_t highest = std::min(hello.max_version, local.max_version);
  if (hello.min_version > hello.max_version || highest < hello.min_version || highest < local.min_version) {
    // Both sides read this.
    return refuse(Refusal::kVersion, "the node that was dialed runs sabir " + local.release + ", which speaks " +
                                         versions(local.min_version, local.max_version) +
                                         " of the protocol between nodes; the one that dialed runs sabir " +
                                         hello.release + ", which speaks " +
                                         versions(hello.min_version, hello.max_version) +
                                         ": use the same release on both");
  }
  return {.version = highest};
}

Verdict judge_hello(const Hello& hello, const std::optional<Fingerprint>& fingerprint, const LocalNode& local,
                    const Members& members, const TokenBook& tokens, int64_t now_ns) {
  Verdict version = judge_version(hello, local);
  if (version.failure.refusal != Refusal::kNone) {
    return version;
  }
  bool shows_token = !hello.token.empty();
  if (hello.node.id.is_nil() || (hello.node.incarnation == 0) != shows_token ||
      (shows_token && hello.lane != Lane::kCalls)) {
    return refuse(Refusal::kMalformed, "a hello of no node");
  }
  if (hello.node == local.node) {
    return refuse(Refusal::kSelf, "the address is the dialing node's own");
  }
  Verdict verdict = judge_login(hello, fingerprint, members, tokens, now_ns);
  if (verdict.failure.refusal != Refusal::kNone) {
    return verdict;
  }
  if (hello.node.id == local.node.id) {
    return refuse(Refusal::kDuplicateNode, "node " + hello.node.text() + " has the id of the node that it dialed, " +
                                               local.node.text() + ": a copied session directory?");
  }
  if (hello.cluster != local.cluster && !(hello.cluster.is_nil() && verdict.joiner)) {
    return refuse(Refusal::kWrongCluster, "this node is of cluster " + local.cluster.hex().substr(0, 12) +
                                              ", the other of " + hello.cluster.hex().substr(0, 12));
  }
  if (!verdict.joiner && members.fenced(hello.node)) {
    return refuse(Refusal::kFenced, "node " + hello.node.text() + " was declared dead");
  }
  bool meant = hello.expected.id.is_nil() ? verdict.joiner : hello.expected.id == local.node.id;
  if (!meant || (hello.expected.incarnation != 0 && hello.expected.incarnation != local.node.incarnation)) {
    return refuse(Refusal::kWrongNode,
                  "here is node " + local.node.text() + ", not " + hello.expected.text() + " which was meant");
  }
  verdict.version = version.version;
  return verdict;
}

Failure judge_welcome(const Welcome& welcome, const Hello& hello) {
  if (welcome.failure.refusal != Refusal::kNone) {
    // What only a dialer finds is nothing that an acceptor may say.
    bool sayable = static_cast<uint16_t>(welcome.failure.refusal) < static_cast<uint16_t>(Refusal::kWrongFingerprint);
    return sayable ? welcome.failure : Failure{Refusal::kMalformed, "a refusal that is none"};
  }
  if (welcome.version < hello.min_version || welcome.version > hello.max_version) {
    return {Refusal::kVersion, "the node runs sabir " + welcome.release + " and chose version " +
                                   std::to_string(welcome.version) + ", which sabir " + hello.release +
                                   " does not speak"};
  }
  if (welcome.node.id.is_nil() || welcome.cluster.is_nil()) {
    return {Refusal::kMalformed, "a welcome of no node"};
  }
  if (welcome.node.id == hello.node.id) {
    return {Refusal::kSelf, "the address is the dialing node's own"};
  }
  if (!hello.cluster.is_nil() && welcome.cluster != hello.cluster) {
    return {Refusal::kWrongCluster, "the node is of cluster " + welcome.cluster.hex().substr(0, 12)};
  }
  bool meant = hello.expected.id.is_nil() || welcome.node.id == hello.expected.id;
  if (!meant || (hello.expected.incarnation != 0 && welcome.node.incarnation != hello.expected.incarnation)) {
    return {Refusal::kWrongNode, "there is node " + welcome.node.text() + ", not " + hello.expected.text()};
  }
  return {};
}

}  // namespace sabir::node_link
