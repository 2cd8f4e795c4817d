#include "runtime/client/future.h"

#include <cstdlib>
#include <new>

#include "runtime/base/check.h"
#include "runtime/client/actor_peer.h"

namespace sabir::client {

FutureExtra::FutureExtra() = default;
FutureExtra::~FutureExtra() = default;

uint8_t* Future::make_room(uint64_t bytes) {
  size_bytes = bytes;
  if (bytes <= kInlineBytes) {
    data = inline_bytes;
    return inline_bytes;
  }
  auto* heap = static_cast<uint8_t*>(std::malloc(bytes));
  SABIR_CHECK(heap != nullptr, "no memory for bytes=", bytes);
  on_heap = true;
  data = heap;
  return heap;
}

}  // namespace sabir::client
