// A library or a daemon that is linked with this file is of another release: its memory has another layout, or, with
// SABIR_TEST_OTHER=protocol, it speaks another version of the protocol.
#include "runtime/rpc/release.h"

#include <cstdlib>
#include <string_view>

namespace sabir::rpc {

Release own_release() {
  const char* what = std::getenv("SABIR_TEST_OTHER");
  bool protocol = what != nullptr && std::string_view(what) == "protocol";
  return {.version = "99.0.0", .protocol_version = kProtocolVersion + (protocol ? 7u : 0u), .layout_hash = 12345};
}

}  // namespace sabir::rpc
