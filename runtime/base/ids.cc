#include "runtime/base/ids.h"

#include <sys/random.h>

#include <cerrno>

#include "runtime/base/check.h"

namespace sabir {
namespace {

int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  if (digit >= 'a' && digit <= 'f') {
    return digit - 'a' + 10;
  }
  if (digit >= 'A' && digit <= 'F') {
    return digit - 'A' + 10;
  }
  return -1;
}

}  // namespace

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
  if (hex.size() != 2 * kSizeBytes) {
    return std::nullopt;
  }
  IdBits id;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    int high = digit_value(hex[2 * i]);
    int low = digit_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    id.bytes[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return id;
}

std::string IdBits::hex() const {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kSizeBytes);
  for (uint8_t byte : bytes) {
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text;
}

}  // namespace sabir
