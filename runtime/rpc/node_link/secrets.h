// Token and Fingerprint: what a node shows to be let in, and what it is known by.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sabir::node_link {

// 256 bits from the kernel. Whoever knows it may join. Never in a log, never in an error.
class Token {
 public:
  static constexpr size_t kSizeBytes = 32;

  static Token random();
  // Exactly 32 bytes, else nothing.
  static std::optional<Token> from_bytes(std::string_view bytes);
  // base64url without padding, 43 characters; else nothing.
  static std::optional<Token> from_text(std::string_view text);

  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::string text() const;
  // In a time that does not depend on where they differ.
  bool operator==(const Token& other) const;

 private:
  std::array<uint8_t, kSizeBytes> bytes_ = {};
};

// SHA-256 of a certificate in DER form, as `openssl x509 -fingerprint -sha256` shows it.
struct Fingerprint {
  static constexpr size_t kSizeBytes = 32;

  std::array<uint8_t, kSizeBytes> bytes = {};

  // 64 hex digits, with colons between the pairs or without; else nothing.
  static std::optional<Fingerprint> from_hex(std::string_view text);
  std::string hex() const;
  auto operator<=>(const Fingerprint&) const = default;
};

// The tokens that a node accepts. One thread.
class TokenBook {
 public:
  static constexpr int64_t kNever = INT64_MAX;
  enum class Verdict : uint8_t { kGood, kUnknown, kExpired };

  // Valid while now_ns < expires_ns. Adding a token again replaces its end.
  void add(const Token& token, int64_t expires_ns = kNever);
  void remove(const Token& token);
  bool empty() const { return entries_.empty(); }
  // Looks at every token, whichever fits. `shown` may be of any length. An expired token stays known as such until it
  // is removed, so that its holder is told the truth.
  Verdict check(std::string_view shown, int64_t now_ns) const;

 private:
  struct Entry {
    Token token;
    int64_t expires_ns;
  };
  std::vector<Entry> entries_;
};

}  // namespace sabir::node_link
