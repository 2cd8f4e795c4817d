#include "runtime/base/ids.h"

#include <sys/random.h>

#include <cerrno>

#include "runtime/base/check.h"
#include "runtime/base/hex.h"

namespace sabir {

IdBits IdBits::random() {
  IdBits id;
  ssize_t size_bytes = 0;
  do {
    size_bytes = ::getrandom(id.bytes.data(), kSizeBytes, 0);
  } while (size_bytes < 0 && errno == EINTR);
  // Up to 256 bytes come whole once the generator is seeded.
  SABIR_CHECK(size_bytes == ssize_t{kSizeBytes}, "errno=", errno);
  return id;
}

std::optional<IdBits> IdBits::from_hex(std::string_view hex) {
  IdBits id;
  return read_hex(hex, id.bytes) ? std::optional(id) : std::nullopt;
}

std::optional<IdBits> IdBits::from_bytes(std::string_view bytes) {
  if (bytes.size() != kSizeBytes) {
    return std::nullopt;
  }
  IdBits id;
  std::memcpy(id.bytes.data(), bytes.data(), kSizeBytes);
  return id;
}

std::string IdBits::hex() const { return to_hex(bytes); }

}  // namespace sabir
