#include "sdk-java/launcher/words.h"

#include <gtest/gtest.h>

namespace sabir_java {
namespace {

using namespace std::string_literals;

TEST(WordsTest, JsonLists) {
  EXPECT_EQ(parse_json("[]"), Words());
  EXPECT_EQ(parse_json(" [ \"a\" , \"\" ]\n"), (Words{"a", ""}));
  EXPECT_EQ(parse_json(R"(["\"\\\/\b\f\n\r\t"])"), Words{"\"\\/\b\f\n\r\t"});
  EXPECT_EQ(parse_json(R"(["\u0041\u00e9\u20ac\ud83d\udc0d"])"), Words{"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d"});
  EXPECT_EQ(parse_json("[\"gr\xc3\xbc\"]"), Words{"gr\xc3\xbc"});
}

TEST(WordsTest, WhatIsNoListOfTexts) {
  for (const char* text : {"", "[", "]", "[\"a\"", "[\"a\",]", "[1]", "[\"a\" \"b\"]", "{\"a\": \"b\"}", "[\"a\"] x",
                           "[\"a]", R"(["\x"])", R"(["\u12"])", R"(["\u12g4"])", R"(["\u0000"])", R"(["\udc00"])",
                           R"(["\ud800"])", R"(["\ud800\u0041"])", "[\"\\", "[[\"a\"]]"}) {
    EXPECT_EQ(parse_json(text), std::nullopt) << text;
  }
}

TEST(WordsTest, ARecordIsForItsKeyAlone) {
  const Words key{"/x.jar", "", "12"};
  const Words command{"/bin/java", "-cp", "", "Main"};
  std::string record = write_record(key, command);
  EXPECT_EQ(read_record(record, key), command);
  EXPECT_EQ(read_record(record, {"/x.jar", "", "13"}), std::nullopt);
  EXPECT_EQ(read_record(record, {"/x.jar", ""}), std::nullopt);
  EXPECT_EQ(read_record(write_record({}, {}), {}), Words());
}

TEST(WordsTest, DamagedRecords) {
  const Words key{"k"};
  std::string record = write_record(key, {"a", "b"});
  for (size_t size = 0; size < record.size(); ++size) {
    EXPECT_EQ(read_record(record.substr(0, size), key), std::nullopt) << size;
  }
  EXPECT_EQ(read_record(record + "x"s, key), std::nullopt);
  std::string other = record;
  other[0] = 'S';
  EXPECT_EQ(read_record(other, key), std::nullopt);
}

}  // namespace
}  // namespace sabir_java
