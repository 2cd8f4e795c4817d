// Refusal: why two nodes do not get together. Part of the protocol: numbers are never reused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace sabir::node_link {

enum class Refusal : uint16_t {
  kNone = 0,
  // Said by an acceptor.
  kMalformed = 1,
  kVersion = 2,  // no protocol version in common; the message names both releases
  kWrongCluster = 3,
  kWrongToken = 4,
  kExpiredToken = 5,
  kUnknownCertificate = 6,  // no token, and not the certificate of a member
  kFenced = 7,              // this incarnation was declared dead: come back as a new one
  kSelf = 8,                // a node dialed itself
  kDuplicateNode = 9,       // another node has the acceptor's id
  kWrongNode = 10,          // not the node, or not the incarnation, that the dialer means
  kOverloaded = 11,         // too many connections, or too many failures from this address
  kNeedsTls = 12,
  kCrossed = 13,  // both dialed at once, and the acceptor's dial counts
  kClosing = 14,  // the acceptor shuts down
  // Found by a dialer; never on the wire.
  kWrongFingerprint = 100,  // the acceptor has another certificate
  kNeedsPlain = 101,        // the acceptor was started without TLS
  kUnreachable = 102,       // no connection, or one that broke off
  kTimeout = 103,           // no connection, or no answer, in time
};

// "wrong token", ...
std::string_view refusal_name(Refusal refusal);

// Whether the same dial may succeed later.
bool may_pass(Refusal refusal);

// A refusal with its message, as the Error that a caller deals with. The text starts with the refusal's name.
Error error_of(Refusal refusal, const std::string& message);

// What a dial or a login came to.
struct Failure {
  Refusal refusal = Refusal::kNone;
  std::string message;

  Error error() const { return error_of(refusal, message); }
};

}  // namespace sabir::node_link
