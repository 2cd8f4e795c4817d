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
  // A key of AES-GCM wears off with what it encrypts (RFC 8446, 5.5: after some 380 GB); a bulk connection comes there.
  static constexpr uint64_t kRekeyBytes = 64ull << 30;

  // A wire changes its sending key after each `rekey_bytes`.
  static Result<TlsContext> create(const Identity& identity, uint64_t rekey_bytes = kRekeyBytes);

  std::unique_ptr<Wire> accept(UniqueFd socket) const;
  std::unique_ptr<Wire> dial(UniqueFd socket, const Fingerprint& expected) const;

 private:
  TlsContext(std::shared_ptr<ssl_ctx_st> context, uint64_t rekey_bytes)
      : context_(std::move(context)), rekey_bytes_(rekey_bytes) {}

  std::shared_ptr<ssl_ctx_st> context_;
  uint64_t rekey_bytes_;
};

}  // namespace sabir::node_link
