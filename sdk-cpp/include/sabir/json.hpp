// As much JSON as a job's configuration and a session's state need: texts written, and fields of objects read.
#ifndef SABIR_JSON_HPP_
#define SABIR_JSON_HPP_

#include <cstdint>
#include <cstdio>
#include <locale>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

inline std::string json_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    out += (out.empty() ? "" : ", ") + json_text(text);
  }
  return "[" + out + "]";
}

// Looks into an object: `texts(key)` are the texts of a list, `text(key)` one. What is damaged or of another type is
// empty: other languages write here, too.
class JsonObject {
 public:
  explicit JsonObject(std::string_view json) : at_(json) {
    blanks();
    if (!take('{')) {
      return;
    }
    do {
      blanks();
      std::string key;
      if (!string(key)) {
        return;
      }
      blanks();
      if (!take(':')) {
        return;
      }
      blanks();
      std::string_view begin = at_;
      if (!skip(0)) {
        return;
      }
      fields_.emplace_back(std::move(key), begin.substr(0, begin.size() - at_.size()));
      blanks();
    } while (take(','));
  }

  std::string text(std::string_view key) const {
    std::string found;
    JsonObject value(*this, key);
    return value.string(found) ? found : "";
  }
  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> found;
    JsonObject value(*this, key);
    value.each_item([&] {
      std::string item;
      return value.string(item) && (found.push_back(std::move(item)), true);
    });
    return found;
  }
  bool is_true(std::string_view key) const { return JsonObject(*this, key).at_ == "true"; }
  JsonObject object(std::string_view key) const { return JsonObject(JsonObject(*this, key).at_); }
  std::vector<JsonObject> objects(std::string_view key) const {
    std::vector<JsonObject> found;
    JsonObject value(*this, key);
    value.each_item([&] {
      std::string_view begin = value.at_;
      return value.at_.substr(0, 1) == "{" && value.skip(0) &&
             (found.emplace_back(begin.substr(0, begin.size() - value.at_.size())), true);
    });
    return found;
  }
  double number(std::string_view key) const { return to_number(JsonObject(*this, key).at_); }
  // Of an object that has nothing but texts.
  std::map<std::string, std::string> all_texts() const {
    std::map<std::string, std::string> found;
    for (const auto& field : fields_) {
      found.emplace(field.first, text(field.first));
    }
    return found;
  }
  // Of an object that has nothing but numbers.
  std::map<std::string, double> numbers() const {
    std::map<std::string, double> found;
    for (const auto& field : fields_) {
      found.emplace(field.first, to_number(field.second));
    }
    return found;
  }

 private:
  static constexpr int kDepthMax = 64;

  JsonObject(const JsonObject& outer, std::string_view key) {
    for (const auto& field : outer.fields_) {
      if (field.first == key) {
        at_ = field.second;
      }
    }
  }

  // Calls `read`, which says whether it could, at each item of a list.
  template <typename Read>
  void each_item(Read read) {
    if (!take('[')) {
      return;
    }
    do {
      blanks();
      if (!read()) {
        return;
      }
      blanks();
    } while (take(','));
  }
  // Whatever the locale's decimal point is. 0: it is no number.
  static double to_number(std::string_view text) {
    std::istringstream in{std::string(text)};
    in.imbue(std::locale::classic());
    double number = 0;
    in >> number;
    return number;
  }
  bool take(char c) {
    if (at_.empty() || at_[0] != c) {
      return false;
    }
    at_.remove_prefix(1);
    return true;
  }
  void blanks() {
    while (!at_.empty() && (at_[0] == ' ' || at_[0] == '\n' || at_[0] == '\t' || at_[0] == '\r')) {
      at_.remove_prefix(1);
    }
  }
  bool code(uint32_t& out) {
    out = 0;
    for (int i = 0; i < 4; ++i) {
      if (at_.empty()) {
        return false;
      }
      char c = at_[0];
      at_.remove_prefix(1);
      int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
      if (digit < 0) {
        return false;
      }
      out = out * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  }
  static void put_utf8(std::string& out, uint32_t code) {
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
  bool escape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (at_.empty()) {
      return false;
    }
    char c = at_[0];
    at_.remove_prefix(1);
    if (size_t index = kFrom.find(c); index != std::string_view::npos) {
      out += kTo[index];
      return true;
    }
    uint32_t high = 0;
    if (c != 'u' || !code(high)) {
      return false;
    }
    uint32_t low = 0;
    if (high >= 0xd800 && high < 0xdc00 && at_.substr(0, 2) == "\\u") {
      at_.remove_prefix(2);
      if (!code(low)) {
        return false;
      }
      high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(out, high);
    return true;
  }
  bool string(std::string& out) {
    if (!take('"')) {
      return false;
    }
    while (!at_.empty()) {
      char c = at_[0];
      at_.remove_prefix(1);
      if (c == '"') {
        return true;
      }
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    return false;
  }
  // Passes over any value.
  bool skip(int depth) {
    if (at_.empty() || depth > kDepthMax) {
      return false;
    }
    char open = at_[0];
    if (open == '"') {
      std::string ignored;
      return string(ignored);
    }
    if (open != '{' && open != '[') {
      size_t end = at_.find_first_of(",]} \n\t\r");
      at_.remove_prefix(end == std::string_view::npos ? at_.size() : end);
      return true;
    }
    at_.remove_prefix(1);
    char close = open == '{' ? '}' : ']';
    blanks();
    while (!take(close)) {
      // Keys, colons and commas are what lies between values.
      if (!take(',') && !take(':') && !skip(depth + 1)) {
        return false;
      }
      blanks();
      if (at_.empty()) {
        return false;
      }
    }
    return true;
  }

  std::string_view at_;
  std::vector<std::pair<std::string, std::string_view>> fields_;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_JSON_HPP_
