// 128-bit random ids. Each kind of id is a type of its own, so that they cannot be mixed up:
//
//   using NodeId = Id<struct NodeIdTag>;
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sabir {

// The untyped bits; byte order is that of memory, and hex is in byte order.
struct IdBits {
  static constexpr size_t kSizeBytes = 16;

  std::array<uint8_t, kSizeBytes> bytes = {};

  // From the kernel's random generator: unique across forks and machines.
  static IdBits random();
  // Exactly 32 hex digits, else nothing.
  static std::optional<IdBits> from_hex(std::string_view hex);
  // Exactly 16 bytes, else nothing.
  static std::optional<IdBits> from_bytes(std::string_view bytes);

  std::string hex() const;
  // The bytes, for as long as this is.
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), kSizeBytes}; }
  auto operator<=>(const IdBits&) const = default;
};

template <typename Tag>
class Id {
 public:
  static constexpr size_t kSizeBytes = IdBits::kSizeBytes;

  // Nil: names nothing.
  constexpr Id() = default;
  explicit constexpr Id(const IdBits& bits) : bits_(bits) {}

  static Id random() { return Id(IdBits::random()); }
  static std::optional<Id> from_hex(std::string_view hex) {
    std::optional<IdBits> bits = IdBits::from_hex(hex);
    return bits ? std::optional<Id>(Id(*bits)) : std::nullopt;
  }

  bool is_nil() const { return *this == Id(); }
  const IdBits& bits() const { return bits_; }
  std::string hex() const { return bits_.hex(); }
  auto operator<=>(const Id&) const = default;

 private:
  IdBits bits_;
};

}  // namespace sabir

template <typename Tag>
struct std::hash<sabir::Id<Tag>> {
  // The bits are random: any eight of them are a hash.
  size_t operator()(const sabir::Id<Tag>& id) const noexcept {
    size_t word = 0;
    std::memcpy(&word, id.bits().bytes.data(), sizeof(word));
    return word;
  }
};
