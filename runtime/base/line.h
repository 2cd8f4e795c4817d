// Line: one bounded line of text, built without allocation. For log lines and last words.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace sabir {

// What does not fit is cut off, and the line then ends with "...". Not for sharing between threads.
class Line {
 public:
  static constexpr size_t kCapacityBytes = 1024;

  // Appends text, characters, numbers, bools and pointers, one after the other.
  template <typename... Parts>
  Line& append(const Parts&... parts) {
    (append_one(parts), ...);
    return *this;
  }

  std::string_view view() const { return {buffer_, size_bytes_}; }
  bool cut() const { return cut_; }

  // Ends the line with "\n"; line breaks inside it become spaces, so that it stays one line.
  std::string_view finish();

 private:
  static constexpr size_t kTailBytes = 4;  // "..." and "\n" always fit

  void append_one(std::string_view text);
  void append_one(const char* text) { append_one(std::string_view(text == nullptr ? "(null)" : text)); }
  void append_one(char character) { append_one(std::string_view(&character, 1)); }
  void append_one(bool value) { append_one(std::string_view(value ? "true" : "false")); }
  void append_one(const void* pointer) {
    append_one(std::string_view("0x"));
    append_number(reinterpret_cast<uintptr_t>(pointer), 16);
  }

  template <std::integral Number>
  void append_one(Number number) {
    append_number(number, 10);
  }
  template <std::floating_point Number>
  void append_one(Number number) {
    append_number(number);
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void append_one(Enum value) { append_number(static_cast<int64_t>(value), 10); }

  template <typename... Arguments>
  void append_number(Arguments... arguments) {
    char digits[72];
    auto [end, error] = std::to_chars(digits, digits + sizeof(digits), arguments...);
    append_one(error == std::errc() ? std::string_view(digits, static_cast<size_t>(end - digits))
                                    : std::string_view("?"));
  }

  size_t size_bytes_ = 0;
  bool cut_ = false;
  char buffer_[kCapacityBytes];
};

}  // namespace sabir
