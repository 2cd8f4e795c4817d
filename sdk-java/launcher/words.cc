#include "sdk-java/launcher/words.h"

#include <cstdint>

namespace sabir_java {
namespace {

// Changes with the layout of a record: magic, key, command, end; a list is its number of words, then the words; each
// item ends with a zero byte, which no word of a command can hold.
constexpr std::string_view kMagic = "sabir-java-worker 1";
constexpr std::string_view kEnd = "end";

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  std::optional<Words> list() {
    Words words;
    if (!take('[')) {
      return std::nullopt;
    }
    if (take(']')) {
      return at_end() ? std::optional(words) : std::nullopt;
    }
    do {
      std::optional<std::string> word = text();
      if (!word) {
        return std::nullopt;
      }
      words.push_back(*std::move(word));
    } while (take(','));
    return take(']') && at_end() ? std::optional(std::move(words)) : std::nullopt;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != std::string_view::npos) {
      rest_.remove_prefix(1);
    }
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  bool take(char wanted) {
    skip_space();
    if (rest_.empty() || rest_[0] != wanted) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string> text() {
    if (!take('"')) {
      return std::nullopt;
    }
    std::string out;
    while (!rest_.empty()) {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') {
        return out;
      }
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }
  bool escape(std::string& out) {
    if (rest_.empty()) {
      return false;
    }
    char c = rest_[0];
    rest_.remove_prefix(1);
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (size_t index = kNames.find(c); index != std::string_view::npos) {
      out += kMeant[index];
      return true;
    }
    std::optional<uint32_t> unit = c == 'u' ? hex() : std::nullopt;
    if (!unit || *unit == 0 || (*unit & 0xfc00) == 0xdc00) {
      return false;  // a zero byte ends words; half of a pair is no text
    }
    uint32_t code = *unit;
    if ((code & 0xfc00) == 0xd800) {
      if (rest_.substr(0, 2) != "\\u") {
        return false;
      }
      rest_.remove_prefix(2);
      std::optional<uint32_t> low = hex();
      if (!low || (*low & 0xfc00) != 0xdc00) {
        return false;
      }
      code = 0x10000 + ((code & 0x3ff) << 10) + (*low & 0x3ff);
    }
    append_utf8(out, code);
    return true;
  }
  std::optional<uint32_t> hex() {
    uint32_t number = 0;
    for (int i = 0; i < 4; ++i) {
      char c = i < static_cast<int>(rest_.size()) ? rest_[i] : '?';
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
      if (digit < 0) {
        return std::nullopt;
      }
      number = number * 16 + static_cast<uint32_t>(digit);
    }
    rest_.remove_prefix(4);
    return number;
  }
  static void append_utf8(std::string& out, uint32_t code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
      return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out += static_cast<char>((0xff00 >> (more + 1) & 0xff) | code >> (6 * more));
    while (more-- > 0) {
      out += static_cast<char>(0x80 | (code >> (6 * more) & 0x3f));
    }
  }

  std::string_view rest_;
};

void append(std::string& out, std::string_view item) {
  out += item;
  out += '\0';
}
void append(std::string& out, const Words& words) {
  append(out, std::to_string(words.size()));
  for (const std::string& word : words) {
    append(out, word);
  }
}

class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> item() {
    size_t size = rest_.find('\0');
    if (size == std::string_view::npos) {
      return std::nullopt;
    }
    std::string_view item = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return item;
  }
  std::optional<Words> list() {
    std::optional<std::string_view> count = item();
    if (!count) {
      return std::nullopt;
    }
    Words words;
    while (*count != std::to_string(words.size())) {
      std::optional<std::string_view> word = item();
      if (!word) {
        return std::nullopt;
      }
      words.emplace_back(*word);
    }
    return words;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<Words> parse_json(std::string_view text) { return JsonReader(text).list(); }

std::string write_record(const Words& key, const Words& command) {
  std::string out;
  append(out, kMagic);
  append(out, key);
  append(out, command);
  append(out, kEnd);
  return out;
}

std::optional<Words> read_record(std::string_view bytes, const Words& key) {
  RecordReader reader(bytes);
  if (reader.item() != kMagic || reader.list() != key) {
    return std::nullopt;
  }
  std::optional<Words> command = reader.list();
  return reader.item() == kEnd && reader.at_end() ? command : std::nullopt;
}

}  // namespace sabir_java
