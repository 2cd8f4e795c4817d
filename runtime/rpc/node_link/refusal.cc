#include "runtime/rpc/node_link/refusal.h"

namespace sabir::node_link {

namespace {

struct Row {
  Refusal refusal;
  std::string_view name;
  ErrorKind kind;
  bool may_pass;
};

constexpr Row kRows[] = {
    {Refusal::kMalformed, "malformed", ErrorKind::kInvalid, false},
    {Refusal::kVersion, "version skew", ErrorKind::kUnsupported, false},
    {Refusal::kWrongCluster, "wrong cluster", ErrorKind::kInvalid, false},
    {Refusal::kWrongToken, "wrong token", ErrorKind::kInvalid, false},
    {Refusal::kExpiredToken, "expired token", ErrorKind::kInvalid, false},
    // The control store may be about to tell the acceptor of a new member.
    {Refusal::kUnknownCertificate, "unknown certificate", ErrorKind::kInvalid, true},
    {Refusal::kFenced, "fenced incarnation", ErrorKind::kClosed, false},
    {Refusal::kSelf, "dialed itself", ErrorKind::kInvalid, false},
    {Refusal::kDuplicateNode, "duplicate node id", ErrorKind::kAlreadyExists, false},
    {Refusal::kWrongNode, "wrong node", ErrorKind::kDisconnected, false},
    {Refusal::kOverloaded, "overloaded", ErrorKind::kExhausted, true},
    {Refusal::kNeedsTls, "needs TLS", ErrorKind::kInvalid, false},
    {Refusal::kCrossed, "crossed", ErrorKind::kDisconnected, true},
    {Refusal::kClosing, "closing", ErrorKind::kDisconnected, true},
    {Refusal::kWrongFingerprint, "wrong fingerprint", ErrorKind::kInvalid, false},
    {Refusal::kNeedsPlain, "runs without TLS", ErrorKind::kInvalid, false},
    {Refusal::kUnreachable, "unreachable", ErrorKind::kDisconnected, true},
    {Refusal::kTimeout, "no answer", ErrorKind::kTimeout, true},
};

// One that a later release added counts as a node that is gone for good.
constexpr Row kUnknown = {Refusal::kNone, "refused", ErrorKind::kUnsupported, false};

const Row& row_of(Refusal refusal) {
  for (const Row& row : kRows) {
    if (row.refusal == refusal) {
      return row;
    }
  }
  return kUnknown;
}

}  // namespace

std::string_view refusal_name(Refusal refusal) { return row_of(refusal).name; }

bool may_pass(Refusal refusal) { return row_of(refusal).may_pass; }

Error error_of(Refusal refusal, const std::string& message) {
  const Row& row = row_of(refusal);
  return {row.kind, std::string(row.name) + (message.empty() ? "" : ": " + message)};
}

}  // namespace sabir::node_link
