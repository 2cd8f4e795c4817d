// FlexBuffers as its own library writes them, and error values both ways.
#include <flatbuffers/flexbuffers.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encoded.hpp"
#include "sabir/containers.hpp"
#include "sabir/error_value.hpp"

namespace sabir_test {
namespace {

using sabir::Value;
using testing::HasSubstr;

Encoded flex(const flexbuffers::Builder& builder) { return Encoded(SABIR_NEUTRAL, 0, builder.GetBuffer()); }

template <typename Write>
Encoded flex_of(Write write) {
  flexbuffers::Builder builder;
  write(builder);
  builder.Finish();
  return flex(builder);
}

TEST(Flex, Scalars) {
  for (int64_t number : {int64_t{0}, int64_t{-1}, int64_t{200}, int64_t{-40000}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(flex_of([&](auto& b) { b.Int(number); }).as<int64_t>(), number);
    EXPECT_EQ(flex_of([&](auto& b) { b.IndirectInt(number); }).as<int64_t>(), number);
  }
  for (uint64_t number : {uint64_t{0}, uint64_t{255}, UINT64_MAX}) {
    EXPECT_EQ(flex_of([&](auto& b) { b.UInt(number); }).as<uint64_t>(), number);
    EXPECT_EQ(flex_of([&](auto& b) { b.IndirectUInt(number); }).as<uint64_t>(), number);
  }
  EXPECT_EQ(flex_of([](auto& b) { b.Double(0.1); }).as<double>(), 0.1);
  EXPECT_EQ(flex_of([](auto& b) { b.Float(0.5f); }).as<float>(), 0.5f);
  EXPECT_EQ(flex_of([](auto& b) { b.IndirectDouble(0.1); }).as<double>(), 0.1);
  EXPECT_EQ(flex_of([](auto& b) { b.IndirectFloat(0.5f); }).as<float>(), 0.5f);
  EXPECT_TRUE(flex_of([](auto& b) { b.Bool(true); }).as<bool>());
  EXPECT_TRUE(flex_of([](auto& b) { b.Null(); }).as<Value>().is_null());
  std::string long_text(70000, 'z');
  EXPECT_EQ(flex_of([&](auto& b) { b.String(long_text); }).as<std::string>(), long_text);
  EXPECT_EQ(flex_of([&](auto& b) { b.Key("key"); }).as<std::string>(), "key");
  EXPECT_EQ(flex_of([&](auto& b) { b.Blob("\0\x01", 2); }).as<std::vector<uint8_t>>(), (std::vector<uint8_t>{0, 1}));
}

TEST(Flex, Vectors) {
  auto mixed = flex_of([](auto& b) {
    b.Vector([&] {
      b.Int(-1);
      b.String("two");
      b.Double(3.5);
      b.Vector([&] { b.Bool(false); });
    });
  });
  EXPECT_EQ((mixed.as<std::tuple<int, std::string, double, std::vector<bool>>>()),
            std::make_tuple(-1, std::string("two"), 3.5, std::vector<bool>{false}));
  std::vector<int64_t> numbers{1, -2, 300000};
  EXPECT_EQ(flex_of([&](auto& b) {
              b.TypedVector([&] {
                for (auto n : numbers) b.Int(n);
              });
            }).as<std::vector<int64_t>>(),
            numbers);
  EXPECT_EQ(flex_of([&](auto& b) { b.Vector(numbers.data(), numbers.size()); }).as<std::vector<int64_t>>(), numbers);
  std::vector<float> floats{1, 2.5f};
  EXPECT_EQ(flex_of([&](auto& b) { b.Vector(floats); }).as<std::vector<float>>(), floats);
  std::vector<uint16_t> three{1, 2, 60000};
  EXPECT_EQ(flex_of([&](auto& b) { b.FixedTypedVector(three.data(), 3); }).as<std::vector<int>>(),
            (std::vector<int>{1, 2, 60000}));
  EXPECT_EQ(flex_of([&](auto& b) {
              b.TypedVector([&] {
                b.Key("k");
                b.Key("l");
              });
            }).as<std::vector<std::string>>(),
            (std::vector<std::string>{"k", "l"}));
  EXPECT_EQ(flex_of([&](auto& b) {
              b.TypedVector([&] {
                b.Bool(true);
                b.Bool(false);
              });
            }).as<std::vector<bool>>(),
            (std::vector<bool>{true, false}));
}

TEST(Flex, Maps) {
  auto map = flex_of([](auto& b) {
    b.Map([&] {
      b.Int("b", 2);
      b.Map("a", [&] { b.String("x", "y"); });
    });
  });
  EXPECT_EQ(map.as<Value>().find("b")->as<int64_t>(), 2);
  EXPECT_EQ(map.as<Value>().find("a")->find("x")->as<std::string>(), "y");
}

TEST(Flex, RepetitionIsBounded) {
  // Each of 12 vectors has the one before eight times: 8^12 values in 200 bytes.
  std::vector<uint8_t> bytes{1, 1, 1 << 2};
  size_t before = 1;
  for (int level = 0; level < 12; ++level) {
    bytes.push_back(8);
    size_t start = bytes.size();
    for (int i = 0; i < 8; ++i) {
      bytes.push_back(static_cast<uint8_t>(bytes.size() - before));
    }
    bytes.insert(bytes.end(), 8, 10 << 2);
    before = start;
  }
  bytes.push_back(static_cast<uint8_t>(bytes.size() - before));
  bytes.push_back(10 << 2);
  bytes.push_back(1);
  EXPECT_THAT(Encoded(SABIR_NEUTRAL, 0, bytes).error<Value>(), HasSubstr("repeats itself"));
}

TEST(Flex, ErrorsBothWays) {
  auto root = std::make_shared<sabir::ErrorInfo>();
  root->status = SABIR_TASK_FAILED;
  root->language = sabir::Language::kPython;
  root->message = "f: ValueError: no";
  root->type = "builtins.ValueError";
  root->stack = "Traceback ...";
  root->native = std::string("\x80\x05\0", 3);
  sabir::ErrorInfo outer;
  outer.status = SABIR_ACTOR_DIED;
  outer.language = sabir::Language::kCpp;
  outer.message = "broken \xff text";
  outer.cause = root;
  sabir::detail::BufferHandle map = sabir::detail::write_error(outer);
  sabir_view written = sabir::detail::error_view(map);
  auto read = sabir::detail::read_error(written);
  EXPECT_EQ(read->status, SABIR_ACTOR_DIED);
  EXPECT_EQ(read->message, "broken \xef\xbf\xbd text");
  EXPECT_EQ(read->language, sabir::Language::kCpp);
  EXPECT_EQ(read->cause->message, root->message);
  EXPECT_EQ(read->cause->type, root->type);
  EXPECT_EQ(read->cause->stack, root->stack);
  EXPECT_EQ(read->cause->native, root->native);
  try {
    sabir::throw_error(read);
  } catch (const sabir::ActorDiedError& error) {
    EXPECT_THAT(error.what(), HasSubstr("Caused by (Python): f: ValueError: no"));
    EXPECT_THAT(error.what(), HasSubstr("Traceback ..."));
  }
  written.size = 3;
  EXPECT_EQ(sabir::detail::read_error(written)->status, SABIR_INTERNAL);
}

}  // namespace
}  // namespace sabir_test
