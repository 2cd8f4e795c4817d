// What a head keeps over its lives, beside its certificate and its control store's file, in its state directory:
//
//   D/head.lock    locked by the head's sabird (flock): the lock goes with the process, however that ends
//   D/head.json    this file, 0600: who the head is, its port, and what lets nodes join
//   D/node.pem     its certificate and key
//   D/control.db   the control store, with its log
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/ids.h"
#include "runtime/base/result.h"

namespace sabir::head {

// $XDG_STATE_HOME/sabir/head, else ~/.local/state/sabir/head.
std::string default_state_directory();

class HeadState {
 public:
  // Makes the directory (0700, and those above it) and the file if they are not there. kAlreadyExists: another head
  // runs on it. kSystem: what is there cannot be read; it is left as it is.
  static Result<HeadState> open(const std::string& directory);

  HeadState(HeadState&&) = default;
  HeadState& operator=(HeadState&&) = delete;

  // Whole or not at all, and on the disk when it returns.
  Result<void> save() const;

  const std::string& directory() const { return directory_; }
  const IdBits& node_id() const { return node_id_; }
  const IdBits& cluster_id() const { return cluster_id_; }
  const std::string& token() const { return token_; }

  // How long the token still lets nodes in: -1 for ever, 0 no longer.
  int64_t token_life_ns(int64_t now_unix_ms) const;
  // Another token, with this life (-1: for ever).
  void renew_token(int64_t life_ns, int64_t now_unix_ms);

  uint16_t port = 0;            // 0: none yet
  bool control_served = false;  // its control store has served: there is a file

 private:
  HeadState(std::string directory, UniqueFd lock) : directory_(std::move(directory)), lock_(std::move(lock)) {}
  Result<void> load(const std::string& text);

  std::string directory_;
  UniqueFd lock_;
  IdBits node_id_;
  IdBits cluster_id_;
  std::string token_;                // 32 bytes
  int64_t token_until_unix_ms_ = 0;  // 0: for ever
};

}  // namespace sabir::head
