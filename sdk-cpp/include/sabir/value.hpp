// Value: any value, for programs that do not know what comes.
#ifndef SABIR_VALUE_HPP_
#define SABIR_VALUE_HPP_

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sabir/table.hpp"
#include "sabir/tensor.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

template <typename T, typename Variant>
struct IsAlternative;
template <typename T, typename... Ts>
struct IsAlternative<T, std::variant<Ts...>> : std::disjunction<std::is_same<T, Ts>...> {};

}  // namespace detail

class Value {
 public:
  using List = std::vector<Value>;
  struct Tuple {
    std::vector<Value> items;
  };
  using Map = std::vector<std::pair<Value, Value>>;  // in order
  struct Ref {
    detail::RefHandle handle;
  };
  struct Actor {
    detail::RefHandle handle;
  };
  using Data = std::variant<std::nullptr_t, bool, int64_t, uint64_t, BigInt, float, double, std::string, Bytes,
                            Timestamp, List, Tuple, Map, AnyTensor, Ref, Actor, Table>;

  template <typename T, typename D>
  static constexpr bool kHolds =
      !std::is_same_v<D, Value> &&
      (std::is_integral_v<D> || std::is_convertible_v<T, std::string_view> || detail::IsAlternative<D, Data>::value);

  Value() : data_(nullptr) {}
  // What Data holds, other integers and string literals.
  template <typename T, typename = std::enable_if_t<kHolds<T, std::decay_t<T>>>>
  Value(T&& value) : data_(convert(std::forward<T>(value))) {}  // NOLINT(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data_); }
  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  // Throws std::bad_variant_access if it is none.
  template <typename T>
  const T& as() const {
    return std::get<T>(data_);
  }
  const Data& data() const { return data_; }

  // Of a map with text as key; null: there is none.
  const Value* find(std::string_view key) const {
    if (const Map* map = std::get_if<Map>(&data_)) {
      for (const auto& entry : *map) {
        const auto* text = std::get_if<std::string>(&entry.first.data_);
        if (text != nullptr && *text == key) {
          return &entry.second;
        }
      }
    }
    return nullptr;
  }

 private:
  template <typename T>
  static Data convert(T&& value) {
    using D = std::decay_t<T>;
    if constexpr (std::is_same_v<D, bool> || !std::is_integral_v<D>) {
      if constexpr (std::is_convertible_v<T, std::string_view> && !std::is_null_pointer_v<D>) {
        return Data(std::in_place_type<std::string>, std::string_view(value));
      } else {
        return Data(std::in_place_type<D>, std::forward<T>(value));
      }
    } else if constexpr (std::is_signed_v<D>) {
      return Data(std::in_place_type<int64_t>, value);
    } else {
      return value > static_cast<D>(INT64_MAX) && sizeof(D) == 8
                 ? Data(std::in_place_type<uint64_t>, value)
                 : Data(std::in_place_type<int64_t>, static_cast<int64_t>(value));
    }
  }

  Data data_;
};

namespace detail {

template <>
struct Codec<Value> {
  static void write(Encoder& encoder, const Value& value) {
    std::visit([&](const auto& data) { write_data(encoder, data); }, value.data());
  }
  static Value read(Decoder& decoder) {
    switch (decoder.peek()) {
      case kTagNull:
        return Codec<std::nullptr_t>::read(decoder);
      case kTagTrue:
      case kTagFalse:
        return decoder.boolean();
      case kTagInt8:
      case kTagInt64:
      case kTagUint64: {
        Decoder::Integer number = decoder.integer("an integer");
        return number.is_unsigned ? Value(number.bits) : Value(static_cast<int64_t>(number.bits));
      }
      case kTagBigInt:
        return decoder.big_integer();
      case kTagFloat64:
        return decoder.real();
      case kTagFloat32:
        return static_cast<float>(decoder.real());
      case kTagText:
        return std::string(decoder.text());
      case kTagBytes:
        return Codec<Bytes>::read(decoder);
      case kTagTime:
        return decoder.time();
      case kTagRef:
        return Value::Ref{decoder.reference()};
      case kTagActor:
        return Value::Actor{decoder.actor()};
      case kTagTensor:
        return AnyTensor(decoder.tensor());
      case kTagTable:
        return Codec<Table>::read(decoder);
      case kTagTuple:
        return Value::Tuple{read_items(decoder)};
      case kTagMap:
        return read_map(decoder);
      default:
        return read_items(decoder);
    }
  }

 private:
  static Value::List read_items(Decoder& decoder) {
    Decoder::Container items(decoder, "a value", kTagList, kTagTuple);
    Value::List made;
    for (size_t i = 0; i < items.count(); ++i, items.next()) {
      made.push_back(read(decoder));
    }
    return made;
  }
  static Value::Map read_map(Decoder& decoder) {
    Decoder::Container entries(decoder, "a map", kTagMap, kTagMap);
    Value::Map made;
    for (size_t i = 0; i < entries.count(); ++i, entries.next()) {
      decoder.check_key();
      Value key = read(decoder);
      made.emplace_back(std::move(key), read(decoder));
    }
    return made;
  }

  static void write_items(Encoder& encoder, Tag tag, const std::vector<Value>& items) {
    Encoder::Container container(encoder, tag, items.size());
    for (const Value& item : items) {
      write(encoder, item);
      container.next();
    }
  }
  static void write_data(Encoder& encoder, const Value::List& items) { write_items(encoder, kTagList, items); }
  static void write_data(Encoder& encoder, const Value::Tuple& tuple) { write_items(encoder, kTagTuple, tuple.items); }
  static void write_data(Encoder& encoder, const Value::Map& map) {
    Encoder::Container entries(encoder, kTagMap, map.size());
    for (const auto& entry : map) {
      if (entry.first.is<Value::List>() || entry.first.is<Value::Map>() || entry.first.is<AnyTensor>()) {
        encoder.fail("a map with a container as key");
      }
      write(encoder, entry.first);
      write(encoder, entry.second);
      entries.next();
    }
  }
  static void write_data(Encoder& encoder, const Value::Ref& ref) { encoder.reference(ref.handle); }
  static void write_data(Encoder& encoder, const Value::Actor& actor) { encoder.actor(actor.handle); }
  template <typename T>
  static void write_data(Encoder& encoder, const T& data) {
    detail::write(encoder, data);
  }
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_VALUE_HPP_
