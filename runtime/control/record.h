// The bytes of a stored record: integers little-endian, strings with a length before them, a version byte first. A
// reader takes fields in the order they were written and says at the end whether all were there. A record's version
// rises when it gets a field; readers take the older ones too, and refuse newer ones.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sabir::control {

class RecordWriter {
 public:
  explicit RecordWriter(uint8_t version) { number(version); }

  template <std::integral Number>
  RecordWriter& number(Number value) {
    auto bits = static_cast<std::make_unsigned_t<Number>>(value);
    for (size_t i = 0; i < sizeof(bits); ++i) {
      bytes_.push_back(static_cast<char>(static_cast<uint64_t>(bits) >> (8 * i)));
    }
    return *this;
  }
  RecordWriter& flag(bool value) { return number(static_cast<uint8_t>(value)); }
  RecordWriter& text(std::string_view value) {
    number(static_cast<uint32_t>(value.size()));
    bytes_.append(value);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class RecordReader {
 public:
  // `bytes` must outlive it.
  RecordReader(std::string_view bytes, uint8_t version) : RecordReader(bytes, version, version) {}
  RecordReader(std::string_view bytes, uint8_t oldest, uint8_t newest) : rest_(bytes) {
    version_ = number<uint8_t>();
    ok_ = ok_ && version_ >= oldest && version_ <= newest;
  }

  uint8_t version() const { return version_; }

  template <std::integral Number>
  Number number() {
    std::make_unsigned_t<Number> bits = 0;
    if (rest_.size() < sizeof(bits)) {
      ok_ = false;
      return 0;
    }
    for (size_t i = 0; i < sizeof(bits); ++i) {
      bits |= static_cast<decltype(bits)>(uint64_t{static_cast<uint8_t>(rest_[i])} << (8 * i));
    }
    rest_.remove_prefix(sizeof(bits));
    return static_cast<Number>(bits);
  }
  bool flag() { return number<uint8_t>() != 0; }
  std::string text() {
    size_t size = number<uint32_t>();
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  // Everything was there, and nothing more.
  bool done() const { return ok_ && rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  uint8_t version_ = 0;
  bool ok_ = true;
};

// A key that sorts as the number does.
template <std::unsigned_integral Number>
std::string number_key(Number value) {
  std::string key(sizeof(value), '\0');
  for (size_t i = 0; i < sizeof(value); ++i) {
    key[i] = static_cast<char>(uint64_t{value} >> (8 * (sizeof(value) - 1 - i)));
  }
  return key;
}

}  // namespace sabir::control
