#include "runtime/client/value_format.h"

#include "runtime/base/check.h"

namespace sabir::client {
namespace {

template <typename T>
T load(const uint8_t* at) {
  T plain;
  std::memcpy(&plain, at, sizeof(plain));
  return plain;
}

// The bytes of the table of ref_count references at the front of `bytes`; nothing: it does not fit.
std::optional<size_t> measure_table(std::span<const uint8_t> bytes, uint32_t ref_count) {
  std::span<const uint8_t> rest = bytes;
  for (uint32_t i = 0; i < ref_count; ++i) {
    if (!next_ref(rest)) {
      return std::nullopt;
    }
  }
  return bytes.size() - rest.size();
}

}  // namespace

std::optional<ParsedValue> parse_value(std::span<const uint8_t> bytes, size_t alignment) {
  ParsedValue value;
  if (bytes.empty()) {
    return value;
  }
  if (bytes.size() < sizeof(ValueHeader)) {
    return std::nullopt;
  }
  value.header = load<ValueHeader>(bytes.data());
  if ((value.header.flags & kValueIsIndirect) != 0) {
    if (bytes.size() < kIndirectValueBytes) {
      return std::nullopt;
    }
    value.indirect = load<WireRef>(bytes.data() + sizeof(ValueHeader));
    if (value.indirect->kind != static_cast<uint8_t>(WireRefKind::kEntry)) {
      return std::nullopt;
    }
    return value;
  }
  size_t table_bytes = 0;
  if ((value.header.flags & kValueHasRefs) != 0) {
    std::optional<size_t> measured = measure_table(bytes.subspan(sizeof(ValueHeader)), value.header.ref_count);
    if (!measured) {
      return std::nullopt;
    }
    table_bytes = *measured;
    value.table = bytes.subspan(sizeof(ValueHeader), table_bytes);
  } else if (value.header.ref_count != 0) {
    return std::nullopt;
  }
  size_t prefix = value_prefix_bytes(table_bytes, alignment);
  if (prefix > bytes.size()) {
    return std::nullopt;
  }
  value.data = bytes.subspan(prefix);
  return value;
}

std::optional<ParsedRef> next_ref(std::span<const uint8_t>& table) {
  if (table.size() < sizeof(WireRef)) {
    return std::nullopt;
  }
  ParsedRef parsed;
  parsed.ref = load<WireRef>(table.data());
  table = table.subspan(sizeof(WireRef));
  switch (static_cast<WireRefKind>(parsed.ref.kind)) {
    case WireRefKind::kEntry:
    case WireRefKind::kActor:
      return parsed;
    case WireRefKind::kInline:
      // Compared before it is padded: a size near 2^64 must not wrap.
      if (parsed.ref.size > table.size() || pad8(parsed.ref.size) > table.size()) {
        return std::nullopt;
      }
      parsed.value = table.first(parsed.ref.size);
      table = table.subspan(pad8(parsed.ref.size));
      return parsed;
  }
  return std::nullopt;
}

std::optional<ArgsReader> ArgsReader::open(std::span<const uint8_t> bytes) {
  ArgsReader reader;
  if (bytes.empty()) {
    return reader;
  }
  if (bytes.size() < sizeof(ArgsHeader)) {
    return std::nullopt;
  }
  ArgsHeader header = load<ArgsHeader>(bytes.data());
  reader.rest_ = bytes.subspan(sizeof(ArgsHeader));
  if ((header.flags & kArgsAreIndirect) != 0) {
    if (reader.rest_.size() < sizeof(WireRef)) {
      return std::nullopt;
    }
    reader.indirect_ = load<WireRef>(reader.rest_.data());
    return reader;
  }
  // Each argument has a header at least: `count` is bounded by the bytes.
  if (header.argc > reader.rest_.size() / sizeof(ArgHeader)) {
    return std::nullopt;
  }
  reader.count_ = header.argc;
  return reader;
}

std::optional<ParsedArg> ArgsReader::next() {
  if (rest_.size() < sizeof(ArgHeader)) {
    return std::nullopt;
  }
  ArgHeader header = load<ArgHeader>(rest_.data());
  rest_ = rest_.subspan(sizeof(ArgHeader));
  size_t name_padded = pad8(header.name_bytes);
  size_t value_padded = pad8(size_t{header.value_bytes});
  if (name_padded > rest_.size() || value_padded > rest_.size() - name_padded) {
    return std::nullopt;
  }
  ParsedArg arg;
  arg.name = {reinterpret_cast<const char*>(rest_.data()), header.name_bytes};
  arg.value = rest_.subspan(name_padded, header.value_bytes);
  rest_ = rest_.subspan(name_padded + value_padded);
  return arg;
}

std::optional<ParsedResults> parse_results(std::span<const uint8_t> bytes, size_t num_returns) {
  ParsedResults results;
  if (bytes.size() >= 8 + sizeof(WireRef) && load<uint32_t>(bytes.data()) == kResultIsIndirect) {
    results.indirect = load<WireRef>(bytes.data() + 8);
    return results;
  }
  size_t table_bytes = pad8(num_returns * sizeof(uint32_t));
  if (table_bytes > bytes.size()) {
    return std::nullopt;
  }
  std::span<const uint8_t> rest = bytes.subspan(table_bytes);
  results.values.reserve(num_returns);
  for (size_t i = 0; i < num_returns; ++i) {
    uint32_t size = load<uint32_t>(bytes.data() + i * sizeof(uint32_t));
    size_t padded = pad8(size_t{size});
    if (padded > rest.size()) {
      return std::nullopt;
    }
    results.values.push_back(rest.first(size));
    rest = rest.subspan(padded);
  }
  return results;
}

void Writer::put_bytes(const void* data, size_t size_bytes) {
  SABIR_CHECK(size_bytes <= static_cast<size_t>(end_ - at_), "size_bytes=", size_bytes);
  if (size_bytes != 0) {
    std::memcpy(at_, data, size_bytes);
    at_ += size_bytes;
  }
}

void Writer::align(size_t alignment, const uint8_t* from) {
  size_t used = static_cast<size_t>(at_ - from);
  size_t padding = pad_to(used, alignment) - used;
  SABIR_CHECK(padding <= static_cast<size_t>(end_ - at_), "padding=", padding);
  std::memset(at_, 0, padding);
  at_ += padding;
}

void write_indirect_value(Writer& out, ValueHeader header, const WireRef& where) {
  header.flags = static_cast<uint8_t>((header.flags & kValueIsError) | kValueIsIndirect);
  header.ref_count = 0;
  out.put(header);
  out.put(where);
}

}  // namespace sabir::client
