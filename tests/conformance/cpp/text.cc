#include "text.hpp"

#include <array>
#include <cstdio>
#include <cstring>

#include "tables.hpp"

namespace conformance {
namespace {

constexpr size_t kShortBytes = 64;
constexpr auto kWait = std::chrono::seconds(60);

std::string hex(const uint8_t* data, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += kDigits[data[i] >> 4];
    text += kDigits[data[i] & 15];
  }
  return text;
}

std::string content(const void* data, size_t size) {
  if (size <= kShortBytes) {
    return hex(static_cast<const uint8_t*>(data), size);
  }
  char text[48];
  std::snprintf(text, sizeof(text), "%zu:%08x", size, crc32(data, size));
  return text;
}

std::string quoted(std::string_view utf8) {
  if (utf8.size() > kShortBytes) {
    return "text:" + content(utf8.data(), utf8.size());
  }
  std::string text = "\"";
  for (char c : utf8) {
    auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      text += c;
    } else {
      text += "\\x" + hex(&byte, 1);
    }
  }
  return text + "\"";
}

std::string real(double number) {
  uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof(bits));
  char text[32];
  std::snprintf(text, sizeof(text), "float:%016llx", static_cast<unsigned long long>(bits));
  return text;
}

std::string items(const std::vector<sabir::Value>& values) {
  std::string text;
  for (const sabir::Value& value : values) {
    text += (text.empty() ? "" : ", ") + text_of(value);
  }
  return text;
}

std::string entries(const sabir::Value::Map& map) {
  std::string text;
  for (const auto& entry : map) {
    text += (text.empty() ? "" : ", ") + text_of(entry.first) + ": " + text_of(entry.second);
  }
  return "{" + text + "}";
}

std::string tensor(const sabir::AnyTensor& value) {
  std::string shape;
  for (uint64_t length : value.shape()) {
    shape += (shape.empty() ? "" : ",") + std::to_string(length);
  }
  const auto& parts = value.parts();
  auto rows = sabir::detail::is_contiguous(parts, false) ? parts : sabir::detail::contiguous_copy(parts);
  return std::string("tensor:") + value.dtype_name() + ":[" + shape + "]:" + content(rows.data, rows.size_bytes);
}

struct Describe {
  std::string operator()(std::nullptr_t) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(uint64_t value) const { return std::to_string(value); }
  std::string operator()(const sabir::BigInt& value) const {
    std::vector<uint8_t> big_endian(value.bytes.rbegin(), value.bytes.rend());
    return "big:" + hex(big_endian.data(), big_endian.size());
  }
  std::string operator()(float value) const { return real(value); }
  std::string operator()(double value) const { return real(value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const sabir::Bytes& value) const { return "bytes:" + content(value.data(), value.size()); }
  std::string operator()(const sabir::Timestamp& value) const {
    return "time:" + std::to_string(value.unix_ns) + ":" + std::to_string(value.offset_s.value_or(0));
  }
  std::string operator()(const sabir::Value::List& value) const { return "[" + items(value) + "]"; }
  std::string operator()(const sabir::Value::Tuple& value) const { return "(" + items(value.items) + ")"; }
  std::string operator()(const sabir::Value::Map& value) const { return entries(value); }
  std::string operator()(const sabir::AnyTensor& value) const { return tensor(value); }
  std::string operator()(const sabir::Table& value) const { return text_of_table(value); }
  std::string operator()(const sabir::Value::Ref& value) const {
    return "ref(" + text_of(sabir::ObjectRef<sabir::Value>(value.handle).get(kWait)) + ")";
  }
  std::string operator()(const sabir::Value::Actor&) const { return "actor"; }
};

std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t entry = i;
    for (int bit = 0; bit < 8; ++bit) {
      entry = (entry & 1) != 0 ? 0xedb88320 ^ (entry >> 1) : entry >> 1;
    }
    table[i] = entry;
  }
  return table;
}

}  // namespace

uint32_t crc32(const void* data, size_t size) {
  static const std::array<uint32_t, 256> kTable = crc_table();
  const auto* bytes = static_cast<const uint8_t*>(data);
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; ++i) {
    crc = kTable[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

std::string text_of(const sabir::Value& value) { return std::visit(Describe(), value.data()); }

}  // namespace conformance
