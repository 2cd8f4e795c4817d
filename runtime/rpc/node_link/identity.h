// Identity: a node's certificate and private key.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/result.h"
#include "runtime/rpc/node_link/secrets.h"

struct evp_pkey_st;
struct x509_st;

namespace sabir::node_link {

// Self-signed, ECDSA on P-256. Nothing in the certificate is ever believed, names and dates least of all (clocks
// differ): a peer is known by the certificate's fingerprint, and by having its key. Copies share both. Any thread.
class Identity {
 public:
  static Result<Identity> create();

  // DIRECTORY/node.pem, key and certificate in one file of mode 0600, so that there is never one without the other.
  // Made at the first start: written beside its place and renamed, so a reader finds it whole or not at all. A file
  // that others may read, or that is damaged, is an error and stays as it is: a new certificate would make every join
  // string wrong in silence.
  static Result<Identity> load_or_create(const std::string& directory);

  const Fingerprint& fingerprint() const { return fingerprint_; }
  x509_st* certificate() const { return certificate_.get(); }
  evp_pkey_st* key() const { return key_.get(); }

 private:
  Identity() = default;
  static Result<Identity> load(const std::string& path);
  Result<void> save(const std::string& path) const;

  std::shared_ptr<x509_st> certificate_;
  std::shared_ptr<evp_pkey_st> key_;
  Fingerprint fingerprint_;
};

// SHA-256 of the DER form.
Fingerprint fingerprint_of(x509_st* certificate);

}  // namespace sabir::node_link
