// JoinString: what `sabir start --head` prints and `sabir start --join` takes.
//
//   sabir://HOST:PORT#TOKEN#FINGERPRINT     HOST: a name, an IPv4 address, or an IPv6 address in brackets
//   sabir://HOST:PORT#TOKEN#insecure        of a head that was started without TLS
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/rpc/node_link/secrets.h"

namespace sabir::node_link {

// Where a node listens.
struct HostPort {
  std::string host;  // IPv6 without brackets, with a zone (%eth0) if need be
  uint16_t port = 0;

  // "HOST:PORT". kInvalid says what is wrong and at which character, counted from 1.
  static Result<HostPort> parse(std::string_view text);
  std::string text() const;
  bool operator==(const HostPort&) const = default;
};

struct JoinString {
  HostPort address;
  Token token;
  std::optional<Fingerprint> fingerprint;  // none: plain TCP

  // kInvalid says what is wrong and at which character, counted from 1, and never shows the token. White space around
  // it is ignored.
  static Result<JoinString> parse(std::string_view text);
  std::string text() const;
};

}  // namespace sabir::node_link
