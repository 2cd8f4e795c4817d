// TlsContext: makes wires that speak TLS 1.3, each side known by its certificate's fingerprint.
//
// OpenSSL, and not KJ's wrapper of it: that one accepts a peer by a chain of signatures and a host name, hides the
// certificate from its user, and gives no way to compare a fingerprint (kj/compat/tls.h of 0.9.2).
#pragma once

#include <memory>

#include "runtime/rpc/node_link/identity.h"
#include "runtime/rpc/node_link/wire.h"

struct ssl_ctx_st;

namespace sabir::node_link {

// Both sides show their certificates. A dialer ends the handshake, before it has said a word, if the fingerprint is
// not the one it expects. An acceptor takes every certificate: who that is it decides by hello and fingerprint.
// No resumption, no renegotiation: each connection proves both keys. Any thread; wires may outlive it.
class TlsContext {
 public:
  static Result<TlsContext> create(const Identity& identity);

  std::unique_ptr<Wire> accept(UniqueFd socket) const;
  std::unique_ptr<Wire> dial(UniqueFd socket, const Fingerprint& expected) const;

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace sabir::node_link
