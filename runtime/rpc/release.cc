#include "runtime/rpc/release.h"

#include "runtime/base/version.h"
#include "runtime/shm/layout_hash.h"

namespace sabir::rpc {

// Not in the header: a weak reference would not be worth a library's member to the linker.
[[gnu::weak]] Release own_release() {
  return {.version = std::string(kVersion), .protocol_version = kProtocolVersion, .layout_hash = shm::kLayoutHash};
}

HelloInfo hello_of(HelloKind kind) {
  Release release = own_release();
  HelloInfo hello;
  hello.kind = kind;
  hello.min_version = release.protocol_version;
  hello.max_version = release.protocol_version;
  hello.layout_hash = release.layout_hash;
  hello.library = release.version;
  return hello;
}

}  // namespace sabir::rpc
