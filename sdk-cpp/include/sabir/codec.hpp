// How a C++ type is written and read: Codec<T>. Users give their own types one by SABIR_STRUCT or a Converter.
#ifndef SABIR_CODEC_HPP_
#define SABIR_CODEC_HPP_

#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "sabir/decoder.hpp"

SABIR_NAMESPACE_BEGIN

// Specialise it for a type of yours that SABIR_STRUCT does not fit:
//   template <> struct sabir::Converter<Url> {
//     using Wire = std::string;                          // what travels; any type that Sabir knows
//     static Wire to_wire(const Url& url);
//     static Url from_wire(Wire text);                   // may throw: the error names the place in the value
//   };
template <typename T>
struct Converter {};

namespace detail {

template <typename T>
inline constexpr bool kFalse = false;

template <typename T, typename = void>
struct HasConverter : std::false_type {};
template <typename T>
struct HasConverter<T, std::void_t<typename Converter<T>::Wire>> : std::true_type {};

// What Codec<T> has:
//   static void write(Encoder&, const T&)
//   static T read(Decoder&)
template <typename T, typename Enable = void>
struct Codec {
  static constexpr bool kUnknown = true;
};

// Whether values of T can travel.
template <typename T, typename = void>
struct IsKnown : std::true_type {};
template <typename T>
struct IsKnown<T, std::enable_if_t<Codec<T>::kUnknown>> : std::false_type {};

template <typename T>
void write(Encoder& encoder, const T& value) {
  static_assert(IsKnown<T>::value,
                "sabir: values of this type cannot travel: describe it by SABIR_STRUCT(Type, fields...) or specialise "
                "sabir::Converter<Type>");
  if constexpr (IsKnown<T>::value) {
    Codec<T>::write(encoder, value);
  }
}

template <typename T>
T read(Decoder& decoder) {
  static_assert(IsKnown<T>::value,
                "sabir: values of this type cannot travel: describe it by SABIR_STRUCT(Type, fields...) or specialise "
                "sabir::Converter<Type>");
  return Codec<T>::read(decoder);
}

// --- null, bool, numbers

template <>
struct Codec<std::nullptr_t> {
  static void write(Encoder& encoder, std::nullptr_t) { encoder.null(); }
  static std::nullptr_t read(Decoder& decoder) {
    if (!decoder.take_null()) {
      decoder.mismatch("null");
    }
    return nullptr;
  }
};

template <>
struct Codec<std::monostate> {
  static void write(Encoder& encoder, std::monostate) { encoder.null(); }
  static std::monostate read(Decoder& decoder) { return Codec<std::nullptr_t>::read(decoder), std::monostate(); }
};

template <>
struct Codec<bool> {
  static void write(Encoder& encoder, bool value) { encoder.boolean(value); }
  static bool read(Decoder& decoder) { return decoder.boolean(); }
};

template <typename T>
constexpr const char* integer_name() {
  constexpr const char* kNames[2][4] = {{"an int8", "an int16", "an int32", "an int64"},
                                        {"a uint8", "a uint16", "a uint32", "a uint64"}};
  return kNames[std::is_unsigned_v<T>][sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3];
}

template <typename T>
struct Codec<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
  static void write(Encoder& encoder, T value) {
    if constexpr (std::is_signed_v<T>) {
      encoder.integer(value);
    } else {
      encoder.unsigned_integer(value);
    }
  }
  static T read(Decoder& decoder) {
    Decoder::Integer number = decoder.integer(integer_name<T>());
    bool fits = false;
    if constexpr (std::is_signed_v<T>) {
      auto value = static_cast<int64_t>(number.bits);
      fits = !number.is_unsigned && value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
    } else {
      fits = (number.is_unsigned || static_cast<int64_t>(number.bits) >= 0) &&
             number.bits <= std::numeric_limits<T>::max();
    }
    if (!fits) {
      decoder.fail(
          (number.is_unsigned ? std::to_string(number.bits) : std::to_string(static_cast<int64_t>(number.bits))) +
          " does not fit into " + integer_name<T>());
    }
    return static_cast<T>(number.bits);
  }
};

template <>
struct Codec<double> {
  static void write(Encoder& encoder, double value) { encoder.real(value); }
  static double read(Decoder& decoder) { return decoder.real(); }
};

template <>
struct Codec<float> {
  static void write(Encoder& encoder, float value) { encoder.real(value); }
  static float read(Decoder& decoder) {
    double value = decoder.real();
    if (std::isfinite(value) && std::fabs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
      decoder.fail(std::to_string(value) + " does not fit into a float32");
    }
    return static_cast<float>(value);
  }
};

template <typename T>
struct Codec<T, std::enable_if_t<std::is_enum_v<T> && !HasConverter<T>::value && !std::is_same_v<T, std::byte>>> {
  using Number = std::underlying_type_t<T>;
  static void write(Encoder& encoder, T value) { Codec<Number>::write(encoder, static_cast<Number>(value)); }
  static T read(Decoder& decoder) { return static_cast<T>(Codec<Number>::read(decoder)); }
};

template <>
struct Codec<BigInt> {
  static void write(Encoder& encoder, const BigInt& value) { encoder.big_integer(value); }
  static BigInt read(Decoder& decoder) { return decoder.big_integer(); }
};

// --- text, bytes, time

template <>
struct Codec<std::string> {
  static void write(Encoder& encoder, const std::string& value) { encoder.text(value); }
  static std::string read(Decoder& decoder) { return std::string(decoder.text()); }
};

// Read, it borrows: for parameters of functions, whose arguments live as long as the call.
template <>
struct Codec<std::string_view> {
  static void write(Encoder& encoder, std::string_view value) { encoder.text(value); }
  static std::string_view read(Decoder& decoder) { return decoder.text(); }
};

template <typename T>
struct Codec<std::vector<T>, std::enable_if_t<std::is_same_v<T, std::byte> || std::is_same_v<T, uint8_t>>> {
  static void write(Encoder& encoder, const std::vector<T>& value) { encoder.bytes(value.data(), value.size()); }
  static std::vector<T> read(Decoder& decoder) {
    std::string_view bytes = decoder.bytes();
    const auto* begin = reinterpret_cast<const T*>(bytes.data());
    return std::vector<T>(begin, begin + bytes.size());
  }
};

template <>
struct Codec<Timestamp> {
  static void write(Encoder& encoder, const Timestamp& value) { encoder.time(value); }
  static Timestamp read(Decoder& decoder) { return decoder.time(); }
};

template <typename D>
struct Codec<std::chrono::time_point<std::chrono::system_clock, D>> {
  using Time = std::chrono::time_point<std::chrono::system_clock, D>;
  static void write(Encoder& encoder, const Time& value) {
    encoder.time({std::chrono::duration_cast<std::chrono::nanoseconds>(value.time_since_epoch()).count(), {}});
  }
  static Time read(Decoder& decoder) {
    return Time(std::chrono::duration_cast<D>(std::chrono::nanoseconds(decoder.time().unix_ns)));
  }
};

// --- users' types

template <typename T>
struct Codec<T, std::enable_if_t<HasConverter<T>::value>> {
  using Wire = typename Converter<T>::Wire;
  static void write(Encoder& encoder, const T& value) {
    Encoder::Temporaries temporaries(encoder);  // `wire` does not outlive this call
    const Wire wire = Converter<T>::to_wire(value);
    detail::write(encoder, wire);
  }
  static T read(Decoder& decoder) {
    Wire wire = detail::read<Wire>(decoder);
    try {
      return Converter<T>::from_wire(std::move(wire));
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      decoder.fail(error.what());
    }
  }
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_CODEC_HPP_
