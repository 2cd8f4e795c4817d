#include "runtime/client/flex_plain.h"

#include <flatbuffers/flexbuffers.h>
#include <gtest/gtest.h>

#include <random>

#include "runtime/client/error_value.h"
#include "runtime/client/flex_for_test.h"

namespace sabir::client {
namespace {

using namespace std::string_literals;

template <typename Write>
std::string plain_of(Write write) {
  flexbuffers::Builder builder;
  write(builder);
  builder.Finish();
  Result<std::string> plain = flex_to_plain(builder.GetBuffer());
  return plain.ok() ? *plain : plain.error().message();
}

template <typename T>
std::string word(char tag, T number) {
  return tag + std::string(reinterpret_cast<const char*>(&number), sizeof(number));
}

TEST(FlexPlainTest, Scalars) {
  EXPECT_EQ(plain_of([](auto& b) { b.Null(); }), "N");
  EXPECT_EQ(plain_of([](auto& b) { b.Bool(true); }), "T");
  EXPECT_EQ(plain_of([](auto& b) { b.Bool(false); }), "F");
  for (int64_t number : {int64_t{0}, int64_t{-1}, int64_t{-128}, int64_t{127}}) {
    EXPECT_EQ(plain_of([&](auto& b) { b.Int(number); }), word('i', static_cast<int8_t>(number)));
    EXPECT_EQ(plain_of([&](auto& b) { b.IndirectInt(number); }), word('i', static_cast<int8_t>(number)));
  }
  for (int64_t number : {int64_t{128}, int64_t{-129}, int64_t{1} << 40, INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(plain_of([&](auto& b) { b.Int(number); }), word('I', number));
    EXPECT_EQ(plain_of([&](auto& b) { b.IndirectInt(number); }), word('I', number));
  }
  EXPECT_EQ(plain_of([](auto& b) { b.UInt(255); }), word('I', int64_t{255}));
  EXPECT_EQ(plain_of([](auto& b) { b.UInt(UINT64_MAX); }), word('U', UINT64_MAX));
  EXPECT_EQ(plain_of([](auto& b) { b.Double(0.1); }), word('f', 0.1));
  EXPECT_EQ(plain_of([](auto& b) { b.IndirectFloat(0.5F); }), word('e', 0.5F));
  EXPECT_EQ(plain_of([](auto& b) { b.String("a\0b", 3); }), "s\3\0\0\0a\0b"s);
  EXPECT_EQ(plain_of([](auto& b) { b.Key("key"); }), "s\3\0\0\0key"s);
  EXPECT_EQ(plain_of([](auto& b) { b.Blob("\0\1", 2); }), "b\2\0\0\0\0\1"s);
}

TEST(FlexPlainTest, Containers) {
  EXPECT_EQ(plain_of([](auto& b) {
              b.Map([&] {
                b.Int("b", 1);
                b.Vector("a", [&] {
                  b.Bool(true);
                  b.String("x");
                });
              });
            }),
            "d\2\0\0\0s\1\0\0\0al\2\0\0\0Ts\1\0\0\0xs\1\0\0\0bi\1"s);
  EXPECT_EQ(plain_of([](auto& b) { b.Vector(std::vector<int64_t>{1, 2}); }), "l\2\0\0\0i\1i\2"s);
  int fixed[] = {3, 4, 5};
  EXPECT_EQ(plain_of([&](auto& b) { b.FixedTypedVector(fixed, 3); }), "l\3\0\0\0i\3i\4i\5"s);
  EXPECT_EQ(plain_of([](auto& b) { b.TypedVector([&] { b.Key("k"); }); }), "l\1\0\0\0s\1\0\0\0k"s);
}

TEST(FlexPlainTest, RepetitionIsBounded) {
  Result<std::string> plain = flex_to_plain(repeating_flex());
  ASSERT_FALSE(plain.ok());
  EXPECT_NE(plain.error().message().find("repeats itself"), std::string::npos);
}

TEST(FlexPlainTest, DamagedBytesAreRefusedOrRead) {
  std::vector<uint8_t> cause = make_error_map({.message = "root", .language = 2, .stack = "at x"});
  std::vector<uint8_t> map = make_error_map({.message = "boom", .type = "T", .native = cause, .cause = cause});
  ASSERT_TRUE(flex_to_plain(map).ok());
  for (size_t size = 0; size < map.size(); ++size) {
    (void)flex_to_plain(std::span(map).first(size));
  }
  std::mt19937 random(1);
  size_t refused = 0;
  for (int round = 0; round < 100000; ++round) {
    std::vector<uint8_t> damaged = map;
    for (uint32_t changes = random() % 3 + 1; changes > 0; --changes) {
      damaged[random() % damaged.size()] = static_cast<uint8_t>(random());
    }
    Result<std::string> plain = flex_to_plain(damaged);
    refused += plain.ok() ? 0 : 1;
    EXPECT_TRUE(!plain.ok() || plain->size() <= (1 << 20) + 64 * damaged.size());
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_FALSE(flex_to_plain({}).ok());
}

}  // namespace
}  // namespace sabir::client
