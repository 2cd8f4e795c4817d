#include "runtime/base/line.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace sabir {
namespace {

TEST(LineTest, AppendsEveryKindOfPart) {
  enum class Colour { kRed = 3 };
  Line line;
  line.append("a", std::string("b"), std::string_view("c"), 'd', 1, uint64_t{2}, true, 0.5, Colour::kRed);
  EXPECT_EQ(line.view(), "abcd12true0.53");
}

TEST(LineTest, AppendsExtremes) {
  EXPECT_EQ(Line().append(std::numeric_limits<int64_t>::min()).view(), "-9223372036854775808");
  EXPECT_EQ(Line().append(reinterpret_cast<const void*>(0xbeef)).view(), "0xbeef");
  EXPECT_EQ(Line().append(static_cast<const char*>(nullptr)).view(), "(null)");
}

TEST(LineTest, CutsWhatDoesNotFit) {
  Line line;
  line.append(std::string(5000, 'x'), "more");
  EXPECT_TRUE(line.cut());
  std::string_view text = line.finish();
  EXPECT_EQ(text.size(), Line::kCapacityBytes);
  EXPECT_TRUE(text.ends_with("x...\n"));
}

TEST(LineTest, StaysOneLine) {
  Line line;
  line.append("a\nb");
  EXPECT_EQ(line.finish(), "a b\n");
}

}  // namespace
}  // namespace sabir
