// What this build says of itself when it meets another one.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/rpc/session_types.h"

namespace sabir::rpc {

inline constexpr uint32_t kProtocolVersion = 1;

struct Release {
  std::string version;
  uint32_t protocol_version = kProtocolVersion;
  uint64_t layout_hash = 0;  // T6
};

// Its definition is weak, so that tests can link libraries and daemons of "another release":
// tests/abi/other/release.cc.
Release own_release();

// With what own_release says.
HelloInfo hello_of(HelloKind kind);

}  // namespace sabir::rpc
