#include "runtime/client/error_value.h"

#include <flatbuffers/flexbuffers.h>

#include <cstring>

#include "runtime/client/value_format.h"

namespace sabir::client {
namespace {

// FlexBuffers' own check of untrusted bytes; nothing below it reads past the end afterwards.
bool is_map(std::span<const uint8_t> bytes) {
  return bytes.size() >= 3 && flexbuffers::VerifyBuffer(bytes.data(), bytes.size()) &&
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

void copy_cause(flexbuffers::Builder& builder, const flexbuffers::Map& cause, int depth) {
  builder.Map([&] {
    builder.Int("kind", cause["kind"].AsInt64());
    builder.Int("language", cause["language"].AsInt64());
    for (const char* key : {"message", "type", "stack"}) {
      std::string_view text = text_of(cause, key);
      builder.Key(key);
      builder.String(text.data() == nullptr ? "" : text.data(), text.size());
    }
    flexbuffers::Reference native = cause["native"];
    if (native.IsBlob()) {
      flexbuffers::Blob blob = native.AsBlob();
      builder.Key("native");
      builder.Blob(blob.data(), blob.size());
    }
    flexbuffers::Reference next = cause["cause"];
    if (next.IsMap() && depth < kMaxErrorDepth) {
      builder.Key("cause");
      copy_cause(builder, next.AsMap(), depth + 1);
    }
  });
}

void put_text(flexbuffers::Builder& builder, const char* key, std::string_view text) {
  builder.Key(key);
  builder.String(text.data() == nullptr ? "" : text.data(), text.size());
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
    if (!fields.native.empty()) {
      builder.Key("native");
      builder.Blob(fields.native.data(), fields.native.size());
    }
    if (is_map(fields.cause)) {
      builder.Key("cause");
      copy_cause(builder, flexbuffers::GetRoot(fields.cause.data(), fields.cause.size()).AsMap(), 1);
    }
  });
  builder.Finish();
  return builder.GetBuffer();
}

ErrorSummary read_error_map(std::span<const uint8_t> bytes) {
  if (!is_map(bytes)) {
    return {ErrorKind::kInternal, "an error value that cannot be read", ""};
  }
  flexbuffers::Map map = flexbuffers::GetRoot(bytes.data(), bytes.size()).AsMap();
  ErrorSummary summary;
  int64_t kind = map["kind"].AsInt64();
  if (kind >= static_cast<int>(ErrorKind::kInvalid) && kind <= static_cast<int>(ErrorKind::kInternal)) {
    summary.kind = static_cast<ErrorKind>(kind);
  }
  summary.message = text_of(map, "message");
  summary.type = text_of(map, "type");
  return summary;
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
