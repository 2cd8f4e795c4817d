// Codecs of the standard library's containers, and SABIR_STRUCT for structs.
#ifndef SABIR_CONTAINERS_HPP_
#define SABIR_CONTAINERS_HPP_

#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "sabir/codec.hpp"
#include "sabir/macros.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

template <typename T>
struct Codec<std::optional<T>> {
  static void write(Encoder& encoder, const std::optional<T>& value) {
    if (value) {
      detail::write(encoder, *value);
    } else {
      encoder.null();
    }
  }
  static std::optional<T> read(Decoder& decoder) {
    if (decoder.take_null()) {
      return std::nullopt;
    }
    return detail::read<T>(decoder);
  }
};

template <typename T>
struct Codec<std::vector<T>, std::enable_if_t<!std::is_same_v<T, std::byte> && !std::is_same_v<T, uint8_t>>> {
  static void write(Encoder& encoder, const std::vector<T>& value) {
    Encoder::Container items(encoder, kTagList, value.size());
    for (const T& item : value) {
      detail::write<T>(encoder, item);
      items.next();
    }
  }
  static std::vector<T> read(Decoder& decoder) {
    Decoder::Container items(decoder, "a list", kTagList, kTagTuple);
    std::vector<T> made;
    made.reserve(items.reserve());
    for (size_t i = 0; i < items.count(); ++i, items.next()) {
      made.push_back(detail::read<T>(decoder));
    }
    return made;
  }
};

// Its elements are no references, and so cannot be borrowed.
template <>
struct Codec<std::vector<bool>> {
  static void write(Encoder& encoder, const std::vector<bool>& value) {
    Encoder::Container items(encoder, kTagList, value.size());
    for (bool item : value) {
      encoder.boolean(item);
    }
  }
  static std::vector<bool> read(Decoder& decoder) {
    Decoder::Container items(decoder, "a list", kTagList, kTagTuple);
    std::vector<bool> made;
    for (size_t i = 0; i < items.count(); ++i, items.next()) {
      made.push_back(decoder.boolean());
    }
    return made;
  }
};

// Things with a number of items that the type fixes: a tuple on the wire, lists are read as well.
template <typename T>
struct FixedCodec {
  static constexpr size_t kCount = std::tuple_size_v<T>;

  static void write(Encoder& encoder, const T& value) {
    Encoder::Container items(encoder, kTagTuple, kCount);
    std::apply([&](const auto&... item) { ((detail::write(encoder, item), items.next()), ...); }, value);
  }
  static T read(Decoder& decoder) {
    Decoder::Container items(decoder, "a tuple", kTagTuple, kTagList);
    if (items.count() != kCount) {
      items.fail("expected " + std::to_string(kCount) + " items, found " + std::to_string(items.count()));
    }
    return read_items(decoder, items, std::make_index_sequence<kCount>());
  }

 private:
  template <typename Item>
  static Item read_item(Decoder& decoder, Decoder::Container& items) {
    Item item = detail::read<Item>(decoder);
    items.next();
    return item;
  }
  // Braces: in order.
  template <size_t... I>
  static T read_items(Decoder& decoder, Decoder::Container& items, std::index_sequence<I...>) {
    return T{read_item<std::tuple_element_t<I, T>>(decoder, items)...};
  }
};

template <typename... T>
struct Codec<std::tuple<T...>> : FixedCodec<std::tuple<T...>> {};
template <typename A, typename B>
struct Codec<std::pair<A, B>> : FixedCodec<std::pair<A, B>> {};
template <typename T, size_t N>
struct Codec<std::array<T, N>> : FixedCodec<std::array<T, N>> {};

template <typename Map>
struct MapCodec {
  static void write(Encoder& encoder, const Map& value) {
    Encoder::Container entries(encoder, kTagMap, value.size());
    for (const auto& entry : value) {
      detail::write(encoder, entry.first);
      detail::write(encoder, entry.second);
      entries.next();
    }
  }
  static Map read(Decoder& decoder) {
    Decoder::Container entries(decoder, "a map", kTagMap, kTagMap);
    Map made;
    for (size_t i = 0; i < entries.count(); ++i, entries.next()) {
      decoder.check_key();
      auto key = detail::read<typename Map::key_type>(decoder);
      made.insert_or_assign(std::move(key), detail::read<typename Map::mapped_type>(decoder));
    }
    return made;
  }
};

template <typename K, typename V, typename C>
struct Codec<std::map<K, V, C>> : MapCodec<std::map<K, V, C>> {};
template <typename K, typename V, typename H, typename E>
struct Codec<std::unordered_map<K, V, H, E>> : MapCodec<std::unordered_map<K, V, H, E>> {};

// --- structs: a map from the fields' names

template <typename S, typename T>
struct Field {
  std::string_view name;
  T S::*member;
};
template <typename S, typename T>
constexpr Field<S, T> field(std::string_view name, T S::*member) {
  return {name, member};
}

// SABIR_STRUCT specialises it; fields() is a tuple of Field.
template <typename T>
struct Fields {
  static constexpr bool kUnknown = true;
};
template <typename T, typename = void>
struct HasFields : std::true_type {};
template <typename T>
struct HasFields<T, std::enable_if_t<Fields<T>::kUnknown>> : std::false_type {};

template <typename T>
struct Codec<T, std::enable_if_t<std::is_class_v<T> && HasFields<T>::value>> {
  static constexpr auto kFields = Fields<T>::fields();
  static constexpr size_t kCount = std::tuple_size_v<decltype(kFields)>;

  static void write(Encoder& encoder, const T& value) {
    Encoder::Container entries(encoder, kTagMap, kCount);
    std::apply(
        [&](const auto&... field) {
          ((entries.name(field.name), encoder.text(field.name), detail::write(encoder, value.*field.member)), ...);
        },
        kFields);
  }
  static T read(Decoder& decoder) {
    Decoder::Container entries(decoder, "a map", kTagMap, kTagMap);
    T made{};
    bool seen[kCount] = {};
    for (size_t i = 0; i < entries.count(); ++i) {
      decoder.check_key();
      std::string_view key = decoder.text();
      entries.name(key);
      read_field(decoder, key, made, seen, std::make_index_sequence<kCount>());
    }
    for (size_t i = 0; i < kCount; ++i) {
      if (!seen[i]) {
        entries.fail("the field '" + std::string(name_of(i)) + "' is missing");
      }
    }
    return made;
  }

 private:
  static std::string_view name_of(size_t index) {
    return std::apply(
        [&](const auto&... field) {
          std::string_view names[] = {field.name...};
          return names[index];
        },
        kFields);
  }
  template <size_t I>
  static bool read_if(Decoder& decoder, std::string_view key, T& made, bool* seen) {
    constexpr auto kField = std::get<I>(kFields);
    if (key != kField.name) {
      return false;
    }
    using Member = std::remove_reference_t<decltype(made.*kField.member)>;
    made.*kField.member = detail::read<Member>(decoder);
    seen[I] = true;
    return true;
  }
  template <size_t... I>
  static void read_field(Decoder& decoder, std::string_view key, T& made, bool* seen, std::index_sequence<I...>) {
    // A field that this program does not know is of a newer one.
    if (!(read_if<I>(decoder, key, made, seen) || ...)) {
      decoder.skip();
    }
  }
};

}  // namespace detail
SABIR_NAMESPACE_END

#define SABIR_INTERNAL_FIELD(Type, name) , ::sabir::detail::field(#name, &Type::name)

// SABIR_STRUCT(geo::Point, x, y): the struct travels as a map {"x": ..., "y": ...}, which other languages read as
// theirs. At namespace scope, outside of any namespace. Up to 32 fields; the struct is default-constructible.
#define SABIR_STRUCT(Type, ...)                                                                                  \
  template <>                                                                                                    \
  struct sabir::detail::Fields<Type> {                                                                           \
    static constexpr auto fields() {                                                                             \
      return ::sabir::detail::without_first(0 SABIR_INTERNAL_FOR_EACH(SABIR_INTERNAL_FIELD, Type, __VA_ARGS__)); \
    }                                                                                                            \
  }

#endif  // SABIR_CONTAINERS_HPP_
