// Error values: the maps that calls have instead of a result when they failed, read and written.
#ifndef SABIR_ERROR_VALUE_HPP_
#define SABIR_ERROR_VALUE_HPP_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sabir/codec.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// Causes within causes that are read and written.
inline constexpr int kCauseDepthMax = 16;

inline std::shared_ptr<const ErrorInfo> read_error_fields(Decoder& decoder, int depth) {
  auto info = std::make_shared<ErrorInfo>();
  info->status = SABIR_TASK_FAILED;
  Decoder::Container entries(decoder, "the map of an error", kTagMap, kTagMap);
  for (size_t i = 0; i < entries.count(); ++i, entries.next()) {
    std::string_view key = decoder.text();
    uint8_t tag = decoder.peek();
    bool is_text = tag == kTagText;
    if (key == "kind" && (tag == kTagInt8 || tag == kTagInt64)) {
      auto kind = static_cast<int64_t>(decoder.integer("a kind of error").bits);
      info->status = kind > SABIR_OK && kind <= SABIR_INTERNAL ? static_cast<sabir_status>(kind) : SABIR_INTERNAL;
    } else if (key == "language" && (tag == kTagInt8 || tag == kTagInt64)) {
      info->language = static_cast<Language>(decoder.integer("a language").bits & 0xff);
    } else if (key == "message" && is_text) {
      info->message = decoder.text();
    } else if (key == "type" && is_text) {
      info->type = decoder.text();
    } else if (key == "stack" && is_text) {
      info->stack = decoder.text();
    } else if (key == "native" && tag == kTagBytes) {
      info->native = decoder.bytes();
    } else if (key == "cause" && tag == kTagMap && depth < kCauseDepthMax) {
      info->cause = read_error_fields(decoder, depth + 1);
    } else {
      decoder.skip();
    }
  }
  return info;
}

// What an error value says. Damaged ones say that.
inline std::shared_ptr<const ErrorInfo> read_error(const sabir_view& view) {
  try {
    Decoder decoder(view, nullptr);
    auto info = read_error_fields(decoder, 0);
    decoder.finish();
    return info;
  } catch (const ConversionError& error) {
    auto info = std::make_shared<ErrorInfo>();
    info->status = SABIR_INTERNAL;
    info->message = "an error that cannot be read: " + error.message();
    return info;
  }
}

// Replaces what is no UTF-8: the texts of errors are sent whatever they hold.
inline std::string to_utf8(std::string_view text) {
  std::string made;
  for (;;) {
    ptrdiff_t at = invalid_utf8_at(text);
    if (at < 0) {
      return made.append(text);
    }
    made.append(text.substr(0, static_cast<size_t>(at))).append("\xef\xbf\xbd");
    text.remove_prefix(static_cast<size_t>(at) + 1);
  }
}

// A FlexBuffers map of an error and of its causes. Every width is eight bytes.
class ErrorWriter {
 public:
  static std::vector<uint8_t> write(const ErrorInfo& info) {
    ErrorWriter writer;
    size_t map = writer.map(info, 0);
    writer.put(writer.out_.size() - map);
    writer.out_.push_back(kMap);
    writer.out_.push_back(8);
    return std::move(writer.out_);
  }

 private:
  static constexpr uint8_t kWidth = 3;
  static constexpr uint8_t kInt = 1 << 2 | kWidth;
  static constexpr uint8_t kString = 5 << 2 | kWidth;
  static constexpr uint8_t kMap = 9 << 2 | kWidth;
  static constexpr uint8_t kBlob = 25 << 2 | kWidth;

  struct Entry {
    const char* key;
    uint8_t type;
    uint64_t at;  // where it lies, or (kInt) what it is
  };

  void put(uint64_t number) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&number);
    out_.insert(out_.end(), bytes, bytes + sizeof(number));
  }
  void pad() { out_.resize((out_.size() + 7) / 8 * 8); }
  size_t content(std::string_view text) {
    pad();
    put(text.size());
    size_t at = out_.size();
    out_.insert(out_.end(), text.begin(), text.end());
    out_.push_back(0);
    return at;
  }
  size_t map(const ErrorInfo& info, int depth) {
    std::vector<Entry> entries;  // by key, as maps are
    if (info.cause != nullptr && depth < kCauseDepthMax) {
      entries.push_back({"cause", kMap, map(*info.cause, depth + 1)});
    }
    entries.push_back({"kind", kInt, static_cast<uint64_t>(info.status)});
    entries.push_back({"language", kInt, static_cast<uint64_t>(info.language)});
    entries.push_back({"message", kString, content(to_utf8(info.message))});
    if (!info.native.empty()) {
      entries.push_back({"native", kBlob, content(info.native)});
    }
    entries.push_back({"stack", kString, content(to_utf8(info.stack))});
    entries.push_back({"type", kString, content(to_utf8(info.type))});
    std::vector<size_t> keys;
    for (const Entry& entry : entries) {
      keys.push_back(out_.size());
      out_.insert(out_.end(), entry.key, entry.key + std::strlen(entry.key) + 1);
    }
    pad();
    put(entries.size());
    size_t key_vector = out_.size();
    for (size_t key : keys) {
      put(out_.size() - key);
    }
    put(out_.size() - key_vector);
    put(8);
    put(entries.size());
    size_t at = out_.size();
    for (const Entry& entry : entries) {
      put(entry.type == kInt ? entry.at : out_.size() - entry.at);
    }
    for (const Entry& entry : entries) {
      out_.push_back(entry.type);
    }
    pad();
    return at;
  }

  std::vector<uint8_t> out_;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_ERROR_VALUE_HPP_
