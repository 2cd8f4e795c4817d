#include "sabir/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sabir/runtime_env.hpp"

namespace {

using sabir::detail::JsonObject;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Json, WhatWasWrittenIsRead) {
  std::vector<std::string> texts{"", "a\"b\\c", "new\nline\x01", "gr\xc3\xbc\xc3\x9f"};
  std::string json =
      "{\"list\": " + sabir::detail::json_list(texts) + ", \"one\": " + sabir::detail::json_text("x\ty") + "}";
  JsonObject object(json);
  EXPECT_EQ(object.texts("list"), texts);
  EXPECT_EQ(object.text("one"), "x\ty");
  EXPECT_EQ(object.text("none"), "");
}

TEST(Json, OtherValuesArePassedOver) {
  JsonObject object(
      R"( { "a" : {"b": [1, {"c": null}], "d": "}"}, "n":-1.5e3,"list" : [ "x" , "\u00e9\ud83d\ude00" ], "t":true} )");
  EXPECT_THAT(object.texts("list"), ElementsAre("x", "\xc3\xa9\xf0\x9f\x98\x80"));
  EXPECT_THAT(object.texts("a"), IsEmpty());
  EXPECT_EQ(object.text("n"), "");
}

TEST(Json, FieldsOfAllTypes) {
  JsonObject object(
      R"({"nodes": [{"alive": true, "store": {"bytes": 12}}, {"alive": false}], "none": [], "n": -1.5e3, "m": {"CPU": 2.0, "x": 0.5}})");
  std::vector<JsonObject> nodes = object.objects("nodes");
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_TRUE(nodes[0].is_true("alive"));
  EXPECT_FALSE(nodes[1].is_true("alive"));
  EXPECT_EQ(nodes[0].object("store").number("bytes"), 12);
  EXPECT_EQ(nodes[1].object("store").number("bytes"), 0);
  EXPECT_THAT(object.objects("none"), IsEmpty());
  EXPECT_THAT(object.objects("m"), IsEmpty());
  EXPECT_EQ(object.number("n"), -1500);
  EXPECT_THAT(object.object("m").numbers(), ElementsAre(testing::Pair("CPU", 2.0), testing::Pair("x", 0.5)));
}

TEST(Json, DamageIsNothing) {
  std::string deep(100000, '[');
  for (const std::string& json :
       {std::string(), std::string("[1]"), std::string("{"), std::string("{\"a\""), std::string("{\"a\": \"x"),
        std::string("{\"a\": [\"x\", \"\\u12\"]}"), "{\"a\": " + deep, std::string("{\"a\": [")}) {
    EXPECT_THAT(JsonObject(json).text("a"), "") << json.substr(0, 40);
  }
  EXPECT_THAT(JsonObject("{\"a\": [\"x\", 1, \"y\"]}").texts("a"), ElementsAre("x"));
}

TEST(RuntimeEnv, PathsComeBackAsTheyWere) {
  sabir::RuntimeEnv env{{"/a b/\"x\".so", "/line\nfeed", "/\xc3\xa9"}};
  std::string code = sabir::detail::with_head({env.code_search_path, {"std::exception"}}, "Counter::create");
  sabir::detail::CodeHead head = sabir::detail::take_head(code);
  EXPECT_EQ(head.code_search_path, env.code_search_path);
  EXPECT_THAT(head.retry_exceptions, ElementsAre("std::exception"));
  EXPECT_EQ(code, "Counter::create");
  EXPECT_TRUE(sabir::detail::take_head(code).empty());
  EXPECT_EQ(code, "Counter::create");
}

TEST(RuntimeEnv, APathMustExist) {
  EXPECT_EQ(sabir::detail::code_in({{"/"}}, {}, "f"), "%{\"code_search_path\": [\"/\"]}\nf");
  try {
    sabir::detail::code_in({{"/does/not/exist.so"}}, {}, "f");
    ADD_FAILURE() << "no error";
  } catch (const sabir::InvalidArgumentError& error) {
    EXPECT_EQ(error.message(), "code_search_path: /does/not/exist.so does not exist");
  }
}

}  // namespace
