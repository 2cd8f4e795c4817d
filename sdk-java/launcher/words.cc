#include "sdk-java/launcher/words.h"

#include <nlohmann/json.hpp>

namespace sabir_java {
namespace {

// Changes with the layout of a record: magic, key, command, end; a list is its number of words, then the words; each
// item ends with a zero byte, which no word of a command can hold.
constexpr std::string_view kMagic = "sabir-java-worker 1";
constexpr std::string_view kEnd = "end";

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

std::optional<Words> parse_json(std::string_view text) {
  nlohmann::json list = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) {
    return std::nullopt;
  }
  Words words;
  for (const nlohmann::json& item : list) {
    const auto* word = item.get_ptr<const std::string*>();
    // A zero byte ends the words of a command.
    if (word == nullptr || word->find('\0') != std::string::npos) {
      return std::nullopt;
    }
    words.push_back(*word);
  }
  return words;
}

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
