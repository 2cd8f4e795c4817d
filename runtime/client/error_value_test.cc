#include "runtime/client/error_value.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "runtime/client/flex_for_test.h"
#include "runtime/client/value_format.h"

namespace sabir::client {
namespace {

using namespace std::string_literals;

constexpr size_t kTextBytes = 64 << 10;
constexpr size_t kNativeBytes = 1 << 20;

std::string message_of(const std::string& given) { return read_error_map(make_error_map({.message = given})).message; }

TEST(ErrorValueTest, RoundTrip) {
  std::vector<uint8_t> cause = make_error_map({.kind = ErrorKind::kWorkerCrashed, .message = "killed by signal 9"});
  std::vector<uint8_t> map = make_error_map({.message = "boom",
                                             .language = 1,
                                             .type = "builtins.ValueError",
                                             .stack = "line 1",
                                             .native = cause,
                                             .cause = cause});
  ErrorSummary summary = read_error_map(map);
  EXPECT_EQ(summary.kind, ErrorKind::kTaskFailed);
  EXPECT_EQ(summary.message, "boom");
  EXPECT_EQ(summary.type, "builtins.ValueError");
}

TEST(ErrorValueTest, EachCauseIsRead) {
  std::vector<uint8_t> native{1, 2, 0};
  std::vector<uint8_t> map = make_error_map(
      {.kind = ErrorKind::kActorDied, .message = "root", .language = 2, .type = "T", .stack = "at", .native = native});
  map = make_error_map({.message = "middle", .language = 3, .cause = map});
  map = make_error_map({.message = "top", .cause = map});
  EXPECT_EQ(read_error_fields(map, 0)->message, "top");
  EXPECT_EQ(read_error_fields(map, 1)->language, 3);
  ErrorFields root = *read_error_fields(map, 2);
  EXPECT_EQ(root.kind, ErrorKind::kActorDied);
  EXPECT_EQ(root.message, "root");
  EXPECT_EQ(root.type, "T");
  EXPECT_EQ(root.stack, "at");
  EXPECT_EQ(std::vector<uint8_t>(root.native.begin(), root.native.end()), native);
  EXPECT_EQ(read_error_fields(map, 3).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(read_error_fields(map, SIZE_MAX).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(read_error_fields(native, 0).error().kind(), ErrorKind::kInvalid);
}

// Whatever is changed, what is read lies inside the bytes.
TEST(ErrorValueTest, DamagedFieldsStayInside) {
  std::vector<uint8_t> cause = make_error_map({.message = "root", .stack = "at x", .native = std::vector<uint8_t>(9)});
  std::vector<uint8_t> map = make_error_map({.message = "boom", .type = "T", .cause = cause});
  auto inside = [&map](const void* data, size_t size) {
    const auto* begin = static_cast<const uint8_t*>(data);
    return size == 0 || (begin >= map.data() && begin + size <= map.data() + map.size());
  };
  std::mt19937 random(1);
  size_t read = 0;
  for (int round = 0; round < 100000; ++round) {
    size_t place = random() % map.size();
    uint8_t before = std::exchange(map[place], static_cast<uint8_t>(random()));
    for (size_t depth = 0; depth < 3; ++depth) {
      Result<ErrorFields> fields = read_error_fields(map, depth);
      if (fields.ok()) {
        ++read;
        for (std::string_view text : {fields->message, fields->type, fields->stack}) {
          EXPECT_TRUE(inside(text.data(), text.size()));
        }
        EXPECT_TRUE(inside(fields->native.data(), fields->native.size()));
      }
    }
    map[place] = before;
  }
  EXPECT_GT(read, 1000U);
}

TEST(ErrorValueTest, DeepChainsEnd) {
  std::vector<uint8_t> map;
  size_t last = 0;
  for (int i = 0; i < 40; ++i) {
    map = make_error_map({.message = "m", .cause = map});
    if (i == 20) {
      last = map.size();
    }
  }
  EXPECT_EQ(map.size(), last);
}

TEST(ErrorValueTest, LongTextsAreShortenedAndAreUtf8) {
  std::string text = "begin" + std::string(64 << 20, 'x') + "\xff end";
  std::vector<uint8_t> native(kNativeBytes + 1);
  std::vector<uint8_t> cause = make_error_map({.message = text, .stack = text, .native = native});
  std::vector<uint8_t> map = make_error_map({.message = "a\xff"
                                                        "b",
                                             .stack = text,
                                             .native = native,
                                             .cause = cause});
  EXPECT_LT(map.size(), 4 * kTextBytes);
  EXPECT_EQ(read_error_map(map).message,
            "a\xef\xbf\xbd"
            "b");
  std::string message = read_error_map(cause).message;
  EXPECT_LE(message.size(), kTextBytes);
  EXPECT_TRUE(message.starts_with("beginxxx") && message.ends_with("xxx\xef\xbf\xbd end"));
}

TEST(ErrorValueTest, CharactersStayWhole) {
  for (const std::string& text : {""s, "a"s, "\0b"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
                                  "\xee\x80\x80"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    EXPECT_EQ(message_of(text), text);
  }
  std::string wide;
  while (wide.size() <= kTextBytes) {
    wide += "\xf0\x9f\x98\x80";
  }
  for (int shift = 0; shift < 4; ++shift) {
    std::string cut = message_of(std::string(shift, '.') + wide);
    EXPECT_LE(cut.size(), kTextBytes);
    EXPECT_NE(cut.find("(shortened)"), std::string::npos);
    EXPECT_EQ(cut.find("\xef\xbf\xbd"), std::string::npos) << shift;
  }
}

TEST(ErrorValueTest, WhatIsNoCharacterIsReplaced) {
  const std::string replaced = "\xef\xbf\xbd";
  for (const std::string& text : {"\x80"s, "\xc1\x80"s, "\xc2"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s, "\xf0\x8f\xbf\xbf"s,
                                  "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xf0\x90\x80"s}) {
    std::string wanted = "ok";
    for (size_t i = 0; i < text.size(); ++i) {
      wanted += replaced;
    }
    EXPECT_EQ(message_of("ok" + text + "!"), wanted + "!");
  }
  EXPECT_EQ(message_of("\xc2x"), replaced + "x");
}

TEST(ErrorValueTest, PartsThatAreSharedTooOftenTakeNoTime) {
  EXPECT_EQ(read_error_map(repeating_flex()).kind, ErrorKind::kInternal);
}

TEST(ErrorValueTest, DamagedBytesAreAnInternalError) {
  std::vector<uint8_t> map = make_error_map({.message = "boom"});
  for (size_t size = 0; size < map.size(); ++size) {
    read_error_map(std::span(map).first(size));
  }
  EXPECT_EQ(read_error_map({}).kind, ErrorKind::kInternal);
}

TEST(ErrorValueTest, WholeValueParses) {
  std::vector<uint8_t> bytes = make_error_value(ErrorKind::kActorDied, "gone", kStoreAlignment);
  std::optional<ParsedValue> value = parse_value(bytes, kStoreAlignment);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->header.flags, kValueIsError);
  EXPECT_EQ(read_error_map(value->data).kind, ErrorKind::kActorDied);
}

}  // namespace
}  // namespace sabir::client
