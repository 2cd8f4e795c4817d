#include "runtime/rpc/node_link/secrets.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/base/hex.h"

namespace sabir::node_link {

namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
// 32 bytes are 10 groups of 3 bytes and one of 2.
constexpr size_t kTokenTextBytes = 43;

}  // namespace

Token Token::random() {
  Token token;
  ssize_t size_bytes = 0;
  do {
    size_bytes = getrandom(token.bytes_.data(), kSizeBytes, 0);
  } while (size_bytes < 0 && errno == EINTR);
  // Up to 256 bytes come whole once the generator is seeded.
  SABIR_CHECK(size_bytes == ssize_t{kSizeBytes}, "errno=", errno);
  return token;
}

std::optional<Token> Token::from_bytes(std::string_view bytes) {
  if (bytes.size() != kSizeBytes) {
    return std::nullopt;
  }
  Token token;
  memcpy(token.bytes_.data(), bytes.data(), kSizeBytes);
  return token;
}

std::optional<Token> Token::from_text(std::string_view text) {
  if (text.size() != kTokenTextBytes) {
    return std::nullopt;
  }
  Token token;
  uint32_t bits = 0;
  int bit_count = 0;
  size_t next = 0;
  for (char character : text) {
    size_t value = kBase64Url.find(character);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<uint32_t>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      token.bytes_[next++] = static_cast<uint8_t>(bits >> bit_count);
    }
  }
  // One token has one text: the bits that are left over say nothing.
  return (bits & ((1u << bit_count) - 1)) == 0 ? std::optional<Token>(token) : std::nullopt;
}

std::string Token::text() const {
  std::string text;
  uint32_t bits = 0;
  int bit_count = 0;
  for (uint8_t byte : bytes_) {
    bits = bits << 8 | byte;
    bit_count += 8;
    while (bit_count >= 6) {
      bit_count -= 6;
      text += kBase64Url[bits >> bit_count & 63];
    }
  }
  text += kBase64Url[bits << (6 - bit_count) & 63];
  return text;
}

bool Token::operator==(const Token& other) const {
  return CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), kSizeBytes) == 0;
}

std::optional<Fingerprint> Fingerprint::from_hex(std::string_view text) {
  std::string digits(text);
  if (digits.size() == 3 * kSizeBytes - 1) {
    for (size_t i = 2; i < text.size(); i += 3) {
      if (text[i] != ':') {
        return std::nullopt;
      }
    }
    std::erase(digits, ':');
  }
  Fingerprint fingerprint;
  return read_hex(digits, fingerprint.bytes) ? std::optional(fingerprint) : std::nullopt;
}

std::string Fingerprint::hex() const { return to_hex(bytes); }

void TokenBook::add(const Token& token, int64_t expires_ns) {
  remove(token);
  entries_.push_back({token, expires_ns});
}

void TokenBook::remove(const Token& token) {
  std::erase_if(entries_, [&token](const Entry& entry) { return entry.token == token; });
}

TokenBook::Verdict TokenBook::check(std::string_view shown, int64_t now_ns) const {
  Verdict verdict = Verdict::kUnknown;
  std::optional<Token> token = Token::from_bytes(shown);
  if (!token) {
    return verdict;
  }
  for (const Entry& entry : entries_) {
    if (entry.token == *token) {
      verdict = now_ns < entry.expires_ns ? Verdict::kGood : Verdict::kExpired;
    }
  }
  return verdict;
}

}  // namespace sabir::node_link
