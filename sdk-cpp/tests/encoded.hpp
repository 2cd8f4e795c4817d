// A value as it lies in memory: what was encoded, in one piece, and a view of it as a receiver has it.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "sabir/value.hpp"

namespace sabir_test {

struct alignas(64) Line {
  uint8_t bytes[64];
};

class Encoded {
 public:
  Encoded(uint8_t encoding, uint8_t variant, std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {
    view_.encoding = encoding;
    view_.variant = variant;
    view_.language = SABIR_LANGUAGE_CPP;
    // Aligned as in the store, and with nothing readable behind it that a sanitizer would not notice.
    memory_.resize(bytes_.size() / sizeof(Line) + 1);
    if (!bytes_.empty()) {
      std::memcpy(memory_.data(), bytes_.data(), bytes_.size());
    }
    view_.data = memory_.data();
    view_.size = bytes_.size();
  }

  template <typename T>
  static Encoded of(const T& value) {
    sabir::detail::Encoder encoder;
    sabir::detail::write_value(encoder, value);
    sabir_value made = encoder.finish();
    std::vector<uint8_t> bytes;
    for (uint32_t i = 0; i < made.part_count; ++i) {
      const auto* part = static_cast<const uint8_t*>(made.parts[i].data);
      bytes.insert(bytes.end(), part, part + made.parts[i].size);
    }
    return Encoded(made.encoding, made.variant, std::move(bytes));
  }
  // A plain stream, its bytes as text.
  static Encoded plain(const std::string& stream) {
    return Encoded(SABIR_NEUTRAL, 1, std::vector<uint8_t>(stream.begin(), stream.end()));
  }

  template <typename T>
  T as() const {
    return sabir::detail::decode<T>(view_, nullptr);
  }
  // The message of the error that reading it as T gives; "": none.
  template <typename T>
  std::string error() const {
    try {
      as<T>();
      return "";
    } catch (const sabir::ConversionError& error) {
      return error.message();
    }
  }

  const sabir_view& view() const { return view_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  std::string text() const { return std::string(bytes_.begin(), bytes_.end()); }

 private:
  std::vector<uint8_t> bytes_;
  std::vector<Line> memory_;
  sabir_view view_{};
};

}  // namespace sabir_test
