// tests/vectors/errors.jsonl: error values, which each language must read alike. `error_vectors write FILE` makes it;
// `error_vectors check FILE` fails if the core writes other bytes, or this SDK reads something else. A JSON object a
// line:
//   {"name", "hex", "errors": [{"kind", "language", "message", "type", "stack"}, ...]}: the error, then its causes
//   {"name", "hex", "damaged": true}: bytes that are an internal error, whatever they say

#include "encoded.hpp"
#include "sabir/error_value.hpp"
#include "sabir/json.hpp"
#include "vector_file.hpp"

namespace sabir_test {
namespace {

using sabir::ErrorInfo;
using sabir::Language;
using sabir::detail::json_text;

std::shared_ptr<ErrorInfo> error(sabir_status kind, Language language, const char* message, const char* type,
                                 const char* stack, std::shared_ptr<const ErrorInfo> cause = nullptr) {
  auto made = std::make_shared<ErrorInfo>();
  made->status = kind;
  made->language = language;
  made->message = message;
  made->type = type;
  made->stack = stack;
  made->cause = std::move(cause);
  return made;
}

std::vector<uint8_t> bytes_of(const ErrorInfo& info) {
  auto map = sabir::detail::write_error(info);
  sabir_span span = sabir_buffer_bytes(map.get());
  const auto* data = static_cast<const uint8_t*>(span.data);
  return {data, data + span.size};
}

std::string fields(const ErrorInfo& info) {
  return "{\"kind\": " + std::to_string(info.status) +
         ", \"language\": " + std::to_string(static_cast<int>(info.language)) +
         ", \"message\": " + json_text(info.message) + ", \"type\": " + json_text(info.type) +
         ", \"stack\": " + json_text(info.stack) + "}";
}

std::shared_ptr<const ErrorInfo> read(const std::vector<uint8_t>& bytes) {
  Encoded encoded(SABIR_NEUTRAL, SABIR_NEUTRAL_FLEXBUFFERS, bytes);
  sabir_view view = encoded.view();
  view.is_error = 1;
  return sabir::detail::read_error(view);
}

class Lines {
 public:
  void add(const std::string& name, const ErrorInfo& info) {
    std::vector<uint8_t> bytes = bytes_of(info);
    std::string chain;
    std::string wanted;
    auto found = read(bytes);
    for (const ErrorInfo* at = found.get(); at != nullptr; at = at->cause.get()) {
      chain += (chain.empty() ? "" : ", ") + fields(*at);
    }
    for (const ErrorInfo* at = &info; at != nullptr; at = at->cause.get()) {
      wanted += (wanted.empty() ? "" : ", ") + fields(*at);
    }
    if (chain != wanted) {
      throw std::runtime_error(name + " is read as " + chain);
    }
    text_ += "{\"name\": " + json_text(name) + ", \"hex\": \"" + hex(bytes.data(), bytes.size()) + "\", \"errors\": [" +
             chain + "]}\n";
  }
  void add_damaged(const std::string& name, const std::vector<uint8_t>& bytes) {
    if (read(bytes)->status != SABIR_INTERNAL) {
      throw std::runtime_error(name + " is read as if it were not damaged");
    }
    text_ += "{\"name\": " + json_text(name) + ", \"hex\": \"" + hex(bytes.data(), bytes.size()) +
             "\", \"damaged\": true}\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string vectors() {
  Lines lines;
  lines.add("of the core", *error(SABIR_ACTOR_DIED, Language::kNone, "the actor is dead", "", ""));
  auto java = error(SABIR_TASK_FAILED, Language::kJava, "NumberFormatException: x", "java.lang.NumberFormatException",
                    "java.lang.NumberFormatException: x\n\tat a.B.c(B.java:7)\n");
  lines.add("of Java", *java);
  auto python = error(SABIR_TASK_FAILED, Language::kPython, "f: ValueError: gr\xc3\xbc\xc3\x9f", "builtins.ValueError",
                      "Traceback (most recent call last):\n", java);
  lines.add("of Python, from Java", *python);
  auto cpp = error(SABIR_TASK_FAILED, Language::kCpp, "g: std::runtime_error: around it", "std::runtime_error",
                   "  in g\n", python);
  lines.add("of C++, from Python, from Java", *cpp);
  lines.add("without a text", *error(SABIR_TASK_FAILED, Language::kCpp, "", "", ""));
  std::shared_ptr<const ErrorInfo> deep = java;
  for (int i = 0; i < 16; ++i) {
    deep = error(SABIR_TASK_FAILED, Language::kCpp, ("level " + std::to_string(i)).c_str(), "T", "", deep);
  }
  lines.add("16 causes", *deep);
  std::vector<uint8_t> good = bytes_of(*cpp);
  lines.add_damaged("no bytes", {});
  lines.add_damaged("a number", {42, 1 << 2, 1});
  lines.add_damaged("a vector", {2, 7, 1, 1 << 2, 26 << 2, 4, 10 << 2, 1});
  lines.add_damaged("cut off", {good.begin(), good.end() - 1});
  lines.add_damaged("without its beginning", {good.begin() + 40, good.end()});
  lines.add_damaged("an impossible width", {good[0], good[1], 3});
  return lines.text();
}

}  // namespace
}  // namespace sabir_test

int main(int argc, char** argv) { return sabir_test::write_or_check(argc, argv, sabir_test::vectors()); }
