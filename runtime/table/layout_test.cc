#include "runtime/table/layout.h"

#include <gtest/gtest.h>

#include <string>

namespace sabir::table {
namespace {

TEST(LayoutTest, WidthsAndParameters) {
  EXPECT_EQ(parse_layout("b")->width_bits, 1);
  EXPECT_EQ(parse_layout("tsn:Europe/Paris")->width_bits, 64);
  EXPECT_EQ(parse_layout("d:10,-2")->width_bits, 128);
  EXPECT_EQ(parse_layout("d:10,2,256")->width_bits, 256);
  EXPECT_EQ(parse_layout("w:42")->width_bits, 42 * 8);
  EXPECT_EQ(parse_layout("+w:3")->list_size, 3);
  EXPECT_EQ(parse_layout("+ud:4,0")->type_ids, (std::vector<uint8_t>{4, 0}));
  EXPECT_EQ(parse_layout("+us:")->type_ids, std::vector<uint8_t>());
  EXPECT_TRUE(parse_layout("C")->is_integer);
  EXPECT_FALSE(parse_layout("f")->is_integer);
  EXPECT_TRUE(parse_layout("+m")->is_map);
  EXPECT_FALSE(parse_layout("+us:1")->has_validity());
}

TEST(LayoutTest, UnknownFormatsAreNamed) {
  for (const std::string format :
       {"",     "q",   "ii",      "d:",      "d:1",    "d:1,2,3", "d:1,2,128,1", "w:",   "w:-1", "w:99999999999",
        "+w:x", "+ud", "+ud:1,1", "+us:128", "+us:-1", "+us:1,",  "ts",          "tsx:", "tsn",  "+",
        "+v"}) {
    Result<Layout> layout = parse_layout(format);
    ASSERT_FALSE(layout.ok()) << format;
    EXPECT_EQ(layout.error().kind(), ErrorKind::kInvalid);
    EXPECT_NE(layout.error().message().find("'" + format + "'"), std::string::npos) << layout.error().message();
  }
}

}  // namespace
}  // namespace sabir::table
