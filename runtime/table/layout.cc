#include "runtime/table/layout.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace sabir::table {
namespace {

constexpr int64_t kSizeMax = INT32_MAX;  // of fixed-size binary and lists, as Arrow has it
constexpr uint64_t kDecimalBits = 128;

struct Plain {
  std::string_view format;
  Layout layout;
};

Layout fixed(uint64_t bits, bool is_integer = false) {
  return {.shape = Shape::kFixed, .width_bits = bits, .is_integer = is_integer};
}
Layout sized(Shape shape, uint64_t bits) { return {.shape = shape, .width_bits = bits}; }

const std::array<Plain, 41>& plain_formats() {
  static const std::array<Plain, 41> kMade = {{
      {"n", {}},
      {"b", fixed(1)},
      {"c", fixed(8, true)},
      {"C", fixed(8, true)},
      {"s", fixed(16, true)},
      {"S", fixed(16, true)},
      {"i", fixed(32, true)},
      {"I", fixed(32, true)},
      {"l", fixed(64, true)},
      {"L", fixed(64, true)},
      {"e", fixed(16)},
      {"f", fixed(32)},
      {"g", fixed(64)},
      {"z", sized(Shape::kBinary, 32)},
      {"Z", sized(Shape::kBinary, 64)},
      {"u", sized(Shape::kBinary, 32)},
      {"U", sized(Shape::kBinary, 64)},
      {"vz", sized(Shape::kBinaryView, 128)},
      {"vu", sized(Shape::kBinaryView, 128)},
      {"tdD", fixed(32)},
      {"tdm", fixed(64)},
      {"tts", fixed(32)},
      {"ttm", fixed(32)},
      {"ttu", fixed(64)},
      {"ttn", fixed(64)},
      {"tDs", fixed(64)},
      {"tDm", fixed(64)},
      {"tDu", fixed(64)},
      {"tDn", fixed(64)},
      {"tiM", fixed(32)},
      {"tiD", fixed(64)},
      {"tin", fixed(128)},
      {"+l", sized(Shape::kList, 32)},
      {"+L", sized(Shape::kList, 64)},
      {"+vl", sized(Shape::kListView, 32)},
      {"+vL", sized(Shape::kListView, 64)},
      {"+s", sized(Shape::kStruct, 0)},
      {"+m", {.shape = Shape::kList, .width_bits = 32, .is_map = true}},
      {"+r", sized(Shape::kRunEnds, 0)},
      {"+ud:", sized(Shape::kDenseUnion, 0)},
      {"+us:", sized(Shape::kSparseUnion, 0)},
  }};
  return kMade;
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// Numbers with commas between them.
std::optional<std::vector<int64_t>> numbers(std::string_view text) {
  std::vector<int64_t> found;
  for (;;) {
    size_t comma = text.find(',');
    std::optional<int64_t> value = number(text.substr(0, comma));
    if (!value) {
      return std::nullopt;
    }
    found.push_back(*value);
    if (comma == std::string_view::npos) {
      return found;
    }
    text.remove_prefix(comma + 1);
  }
}

std::optional<Layout> parse_decimal(std::string_view text) {
  auto given = numbers(text);
  if (!given || given->size() < 2 || given->size() > 3) {
    return std::nullopt;
  }
  uint64_t bits = given->size() == 3 ? static_cast<uint64_t>((*given)[2]) : kDecimalBits;
  if (bits != 32 && bits != 64 && bits != 128 && bits != 256) {
    return std::nullopt;
  }
  return fixed(bits);
}

std::optional<Layout> parse_union(Shape shape, std::string_view text) {
  Layout layout = sized(shape, 0);
  auto ids = numbers(text);
  if (!ids) {
    return std::nullopt;
  }
  std::array<bool, 128> seen{};
  for (int64_t id : *ids) {
    if (id < 0 || id >= static_cast<int64_t>(seen.size()) || seen[static_cast<size_t>(id)]) {
      return std::nullopt;
    }
    seen[static_cast<size_t>(id)] = true;
    layout.type_ids.push_back(static_cast<uint8_t>(id));
  }
  return layout;
}

std::optional<Layout> parse_with_parameters(std::string_view format) {
  auto rest = [&](std::string_view prefix) { return format.substr(prefix.size()); };
  if (format.starts_with("w:") || format.starts_with("+w:")) {
    bool is_list = format[0] == '+';
    std::optional<int64_t> size = number(rest(is_list ? "+w:" : "w:"));
    if (!size || *size < 0 || *size > kSizeMax) {
      return std::nullopt;
    }
    return is_list ? Layout{.shape = Shape::kFixedList, .list_size = *size} : fixed(static_cast<uint64_t>(*size) * 8);
  }
  if (format.starts_with("d:")) {
    return parse_decimal(rest("d:"));
  }
  if (format.size() >= 4 && format.starts_with("ts") && format[3] == ':' &&
      std::string_view("smun").find(format[2]) != std::string_view::npos) {
    return fixed(64);
  }
  if (format.starts_with("+ud:")) {
    return parse_union(Shape::kDenseUnion, rest("+ud:"));
  }
  if (format.starts_with("+us:")) {
    return parse_union(Shape::kSparseUnion, rest("+us:"));
  }
  return std::nullopt;
}

}  // namespace

size_t Layout::buffer_count() const {
  switch (shape) {
    case Shape::kNull:
    case Shape::kRunEnds:
      return 0;
    case Shape::kFixedList:
    case Shape::kStruct:
    case Shape::kSparseUnion:
      return 1;
    case Shape::kBinary:
    case Shape::kListView:
      return 3;
    default:
      return 2;
  }
}

size_t child_count(const Layout& layout) {
  switch (layout.shape) {
    case Shape::kList:
    case Shape::kListView:
    case Shape::kFixedList:
      return 1;
    case Shape::kStruct:
      return kAnyChildren;
    case Shape::kSparseUnion:
    case Shape::kDenseUnion:
      return layout.type_ids.size();
    case Shape::kRunEnds:
      return 2;
    default:
      return 0;
  }
}

Result<Layout> parse_layout(std::string_view format) {
  for (const Plain& known : plain_formats()) {
    if (known.format == format) {
      return known.layout;
    }
  }
  if (std::optional<Layout> layout = parse_with_parameters(format)) {
    return *std::move(layout);
  }
  return invalid_error("columns of the Arrow format '" + std::string(format.substr(0, 64)) +
                       "' cannot be sent: cast them to another type");
}

}  // namespace sabir::table
