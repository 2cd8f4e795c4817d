#include "runtime/base/ids.h"

#include <unordered_set>

#include "gtest/gtest.h"

namespace sabir {
namespace {

using TestId = Id<struct TestIdTag>;

TEST(IdTest, IsNilUntilGiven) {
  EXPECT_TRUE(TestId().is_nil());
  EXPECT_EQ(TestId().hex(), std::string(32, '0'));
}

TEST(IdTest, RandomIdsDiffer) {
  std::unordered_set<TestId> ids;
  for (int i = 0; i < 1000; ++i) {
    TestId id = TestId::random();
    EXPECT_FALSE(id.is_nil());
    EXPECT_TRUE(ids.insert(id).second);
  }
}

TEST(IdTest, BytesGoBothWays) {
  IdBits bits = IdBits::random();
  EXPECT_EQ(IdBits::from_bytes(bits.view()), bits);
  EXPECT_FALSE(IdBits::from_bytes(bits.view().substr(1)).has_value());
  EXPECT_FALSE(IdBits::from_bytes(std::string(17, 'x')).has_value());
}

TEST(IdTest, HexGoesBothWays) {
  TestId id = TestId::random();
  EXPECT_EQ(TestId::from_hex(id.hex()), id);
  EXPECT_EQ(TestId::from_hex("000102030405060708090a0b0c0d0eFF")->hex(), "000102030405060708090a0b0c0d0eff");
}

TEST(IdTest, RefusesWhatIsNotHex) {
  EXPECT_FALSE(TestId::from_hex(""));
  EXPECT_FALSE(TestId::from_hex(std::string(31, '0')));
  EXPECT_FALSE(TestId::from_hex(std::string(33, '0')));
  EXPECT_FALSE(TestId::from_hex(std::string(31, '0') + "g"));
}

TEST(IdTest, OrdersByBytes) {
  TestId low = *TestId::from_hex("00000000000000000000000000000001");
  TestId high = *TestId::from_hex("01000000000000000000000000000000");
  EXPECT_LT(low, high);
  EXPECT_NE(low, high);
}

}  // namespace
}  // namespace sabir
