// Numbers that C++ has no type of its own for, and the element types of tensors.
#ifndef SABIR_NUMBERS_HPP_
#define SABIR_NUMBERS_HPP_

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN

using Bytes = std::vector<std::byte>;

// An integer of any size: two's complement, little-endian, in as few bytes as hold it.
struct BigInt {
  std::vector<uint8_t> bytes;

  BigInt() = default;
  explicit BigInt(std::vector<uint8_t> twos_complement) : bytes(std::move(twos_complement)) { shorten(); }
  static BigInt of(int64_t number) {
    std::vector<uint8_t> bytes(8);
    for (int i = 0; i < 8; ++i) {
      bytes[i] = static_cast<uint8_t>(static_cast<uint64_t>(number) >> (8 * i));
    }
    return BigInt(std::move(bytes));
  }
  static BigInt of_unsigned(uint64_t number) {
    BigInt made = of(static_cast<int64_t>(number));
    if (number >> 63 != 0) {
      made.bytes.resize(8, 0xff);
      made.bytes.push_back(0);
    }
    return made;
  }

  bool negative() const { return !bytes.empty() && bytes.back() >= 0x80; }
  std::optional<int64_t> to_int64() const {
    if (bytes.size() > 8) {
      return std::nullopt;
    }
    return static_cast<int64_t>(low64());
  }
  std::optional<uint64_t> to_uint64() const {
    if (negative() || bytes.size() > 9 || (bytes.size() == 9 && bytes[8] != 0)) {
      return std::nullopt;
    }
    return low64();
  }
  bool operator==(const BigInt& other) const { return bytes == other.bytes; }
  bool operator!=(const BigInt& other) const { return bytes != other.bytes; }
  bool operator<(const BigInt& other) const {
    if (negative() != other.negative()) {
      return negative();
    }
    if (bytes.size() != other.bytes.size()) {
      return (bytes.size() < other.bytes.size()) != negative();
    }
    for (size_t i = bytes.size(); i-- > 0;) {
      if (bytes[i] != other.bytes[i]) {
        return bytes[i] < other.bytes[i];
      }
    }
    return false;
  }

 private:
  uint64_t low64() const {
    uint64_t value = negative() ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size() < 8 ? bytes.size() : 8; i-- > 0;) {
      value = value << 8 | bytes[i];
    }
    return value;
  }
  void shorten() {
    while (bytes.size() > 1 && ((bytes.back() == 0 && bytes[bytes.size() - 2] < 0x80) ||
                                (bytes.back() == 0xff && bytes[bytes.size() - 2] >= 0x80))) {
      bytes.pop_back();
    }
    if (bytes.size() == 1 && bytes[0] == 0) {
      bytes.clear();
    }
  }
};

// A point in time, with the offset of the local time where one is known.
struct Timestamp {
  int64_t unix_ns = 0;
  std::optional<int32_t> offset_s;

  bool operator==(const Timestamp& other) const { return unix_ns == other.unix_ns && offset_s == other.offset_s; }
};

// Elements of tensors whose numbers this SDK does not read.
struct Float16 {
  uint16_t bits = 0;
  bool operator==(const Float16& other) const { return bits == other.bits; }
};
struct BFloat16 {
  uint16_t bits = 0;
  bool operator==(const BFloat16& other) const { return bits == other.bits; }
};

enum class DType : uint8_t {
  kBool = 1,
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kUint8 = 6,
  kUint16 = 7,
  kUint32 = 8,
  kUint64 = 9,
  kFloat16 = 10,
  kBFloat16 = 11,
  kFloat32 = 12,
  kFloat64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
};

namespace detail {

struct DTypeFacts {
  const char* name;
  uint8_t size_bytes;
};

// Null: no such type.
inline const DTypeFacts* dtype_facts(uint8_t dtype) {
  static constexpr DTypeFacts kFacts[] = {
      {"bool", 1},     {"int8", 1},    {"int16", 2},   {"int32", 4},     {"int64", 8},
      {"uint8", 1},    {"uint16", 2},  {"uint32", 4},  {"uint64", 8},    {"float16", 2},
      {"bfloat16", 2}, {"float32", 4}, {"float64", 8}, {"complex64", 8}, {"complex128", 16},
  };
  return dtype >= 1 && dtype <= sizeof(kFacts) / sizeof(kFacts[0]) ? &kFacts[dtype - 1] : nullptr;
}

template <typename T>
constexpr DType dtype_of() {
  using E = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<E, bool>) {
    return DType::kBool;
  } else if constexpr (std::is_same_v<E, Float16>) {
    return DType::kFloat16;
  } else if constexpr (std::is_same_v<E, BFloat16>) {
    return DType::kBFloat16;
  } else if constexpr (std::is_same_v<E, float>) {
    return DType::kFloat32;
  } else if constexpr (std::is_same_v<E, double>) {
    return DType::kFloat64;
  } else if constexpr (std::is_same_v<E, std::complex<float>>) {
    return DType::kComplex64;
  } else if constexpr (std::is_same_v<E, std::complex<double>>) {
    return DType::kComplex128;
  } else {
    static_assert(std::is_integral_v<E>, "sabir: a tensor's elements are bool, integers, floats or complex numbers");
    constexpr int kWidth = sizeof(E) == 1 ? 0 : sizeof(E) == 2 ? 1 : sizeof(E) == 4 ? 2 : 3;
    return static_cast<DType>((std::is_signed_v<E> ? 2 : 6) + kWidth);
  }
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_NUMBERS_HPP_
