#include "runtime/client/error_value.h"

#include <flatbuffers/flexbuffers.h>

#include <cstring>

#include "runtime/client/value_format.h"

namespace sabir::client {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;
constexpr size_t kMaxNativeBytes = 1 << 20;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kMissing = "\n... (shortened) ...\n";

constexpr bool is_continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The bytes of the character that `text` begins with; 0 if there is none.
size_t character_bytes(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) {
    return 0;
  }
  for (size_t i = 1; i < size; ++i) {
    if (!is_continuation(byte(i))) {
      return 0;
    }
  }
  bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  bool surrogate = first == 0xed && byte(1) > 0x9f;
  bool too_large = first == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || too_large ? 0 : size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    size_t size = character_bytes(text);
    if (size == 0) {
      return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

// Each byte that is in no character becomes U+FFFD.
std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t size = character_bytes(text);
    out += size == 0 ? kReplacement : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

// `text` if it is that short; else its beginning and its end. Characters of valid UTF-8 stay whole.
std::string shortened(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) {
    return std::string(text);
  }
  size_t half = (max_bytes - kMissing.size()) / 2;
  size_t begin = half;
  while (begin > 0 && is_continuation(static_cast<uint8_t>(text[begin]))) {
    --begin;
  }
  size_t end = text.size() - half;
  while (end < text.size() && is_continuation(static_cast<uint8_t>(text[end]))) {
    ++end;
  }
  return std::string(text.substr(0, begin)) + std::string(kMissing) + std::string(text.substr(end));
}

// FlexBuffers' own check of untrusted bytes; nothing below it reads past the end afterwards. Without the tracker it
// would look at a part as often as others share it, which a few bytes can make for ever.
bool is_map(std::span<const uint8_t> bytes) {
  std::vector<uint8_t> reuse_tracker;
  return bytes.size() >= 3 && flexbuffers::VerifyBuffer(bytes.data(), bytes.size(), &reuse_tracker) &&
         flexbuffers::GetRoot(bytes.data(), bytes.size()).IsMap();
}

std::string_view text_of(const flexbuffers::Map& map, const char* key) {
  flexbuffers::Reference field = map[key];
  if (!field.IsString()) {
    return {};
  }
  flexbuffers::String text = field.AsString();
  return {text.c_str(), text.size()};
}

void put_text(flexbuffers::Builder& builder, const char* key, std::string_view text) {
  builder.Key(key);
  std::string changed;
  if (text.size() > kMaxTextBytes) {
    text = changed = shortened(text, kMaxTextBytes);
  }
  if (!is_utf8(text)) {
    text = changed = to_utf8(shortened(text, kMaxTextBytes / 3));  // a byte may become three
  }
  builder.String(text.data() == nullptr ? "" : text.data(), text.size());
}

void put_native(flexbuffers::Builder& builder, std::span<const uint8_t> native) {
  if (!native.empty() && native.size() <= kMaxNativeBytes) {
    builder.Key("native");
    builder.Blob(native.data(), native.size());
  }
}

void copy_cause(flexbuffers::Builder& builder, const flexbuffers::Map& cause, int depth) {
  builder.Map([&] {
    builder.Int("kind", cause["kind"].AsInt64());
    builder.Int("language", cause["language"].AsInt64());
    for (const char* key : {"message", "type", "stack"}) {
      put_text(builder, key, text_of(cause, key));
    }
    flexbuffers::Reference native = cause["native"];
    if (native.IsBlob()) {
      flexbuffers::Blob blob = native.AsBlob();
      put_native(builder, {blob.data(), blob.size()});
    }
    flexbuffers::Reference next = cause["cause"];
    if (next.IsMap() && depth < kMaxErrorDepth) {
      builder.Key("cause");
      copy_cause(builder, next.AsMap(), depth + 1);
    }
  });
}

}  // namespace

std::vector<uint8_t> make_error_map(const ErrorFields& fields) {
  flexbuffers::Builder builder;
  builder.Map([&] {
    builder.Int("kind", static_cast<int>(fields.kind));
    builder.Int("language", fields.language);
    put_text(builder, "message", fields.message);
    put_text(builder, "type", fields.type);
    put_text(builder, "stack", fields.stack);
    put_native(builder, fields.native);
    if (is_map(fields.cause)) {
      builder.Key("cause");
      copy_cause(builder, flexbuffers::GetRoot(fields.cause.data(), fields.cause.size()).AsMap(), 1);
    }
  });
  builder.Finish();
  return builder.GetBuffer();
}

Result<ErrorFields> read_error_fields(std::span<const uint8_t> bytes, size_t depth) {
  if (!is_map(bytes)) {
    return invalid_error("an error value that cannot be read: it is no map of FlexBuffers, or a damaged one");
  }
  flexbuffers::Reference found = flexbuffers::GetRoot(bytes.data(), bytes.size());
  for (size_t i = 0; i < depth; ++i) {
    found = found.AsMap()["cause"];
    if (!found.IsMap() || i >= kMaxErrorDepth) {
      return not_found_error("the error has no cause so deep");
    }
  }
  flexbuffers::Map map = found.AsMap();
  ErrorFields fields;
  int64_t kind = map["kind"].AsInt64();
  if (kind >= static_cast<int>(ErrorKind::kInvalid) && kind <= static_cast<int>(kLastErrorKind)) {
    fields.kind = static_cast<ErrorKind>(kind);
  }
  fields.language = static_cast<uint8_t>(map["language"].AsInt64());
  fields.message = text_of(map, "message");
  fields.type = text_of(map, "type");
  fields.stack = text_of(map, "stack");
  if (flexbuffers::Reference native = map["native"]; native.IsBlob()) {
    fields.native = {native.AsBlob().data(), native.AsBlob().size()};
  }
  return fields;
}

ErrorSummary read_error_map(std::span<const uint8_t> bytes) {
  Result<ErrorFields> fields = read_error_fields(bytes, 0);
  if (!fields.ok()) {
    return {ErrorKind::kInternal, "an error value that cannot be read", ""};
  }
  return {fields->kind, std::string(fields->message), std::string(fields->type)};
}

std::vector<uint8_t> make_error_value(ErrorKind kind, std::string_view message, size_t alignment) {
  std::vector<uint8_t> map = make_error_map({.kind = kind, .message = message});
  size_t prefix = value_prefix_bytes(0, alignment);
  std::vector<uint8_t> value(prefix + map.size());
  ValueHeader header;
  header.encoding = static_cast<uint8_t>(Encoding::kNeutral);
  header.flags = kValueIsError;
  std::memcpy(value.data(), &header, sizeof(header));
  std::memcpy(value.data() + prefix, map.data(), map.size());
  return value;
}

}  // namespace sabir::client
