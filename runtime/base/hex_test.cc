#include "runtime/base/hex.h"

#include <array>

#include "gtest/gtest.h"

namespace sabir {
namespace {

TEST(HexTest, BytesBecomeDigitsInTheirOrder) {
  EXPECT_EQ(to_hex(std::string_view()), "");
  EXPECT_EQ(to_hex(std::string_view("\x00\x0f\xa0\xff", 4)), "000fa0ff");
  std::array<uint8_t, 3> bytes{1, 0x80, 0xfe};
  EXPECT_EQ(to_hex(bytes), "0180fe");
}

TEST(HexTest, AllBytesComeBack) {
  std::array<uint8_t, 256> bytes, back;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(i);
  }
  ASSERT_TRUE(read_hex(to_hex(bytes), back));
  EXPECT_EQ(back, bytes);
}

TEST(HexTest, OnlyDigitsAndOnlyAsManyAsAreWanted) {
  std::array<uint8_t, 2> out;
  EXPECT_TRUE(read_hex("00fF", out));
  EXPECT_EQ(out, (std::array<uint8_t, 2>{0, 255}));
  for (std::string_view wrong : {"", "00f", "00fff", "00fg", "0x00", " 0ff", "00:f"}) {
    EXPECT_FALSE(read_hex(wrong, out)) << wrong;
  }
  EXPECT_TRUE(read_hex("", {}));
}

}  // namespace
}  // namespace sabir
