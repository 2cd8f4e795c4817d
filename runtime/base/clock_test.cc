#include "runtime/base/clock.h"

#include "gtest/gtest.h"

namespace sabir {
namespace {

TEST(SteadyClockTest, NeverGoesBack) {
  SteadyClock clock;
  int64_t before_ns = clock.now_ns();
  EXPECT_GT(before_ns, 0);
  for (int i = 0; i < 1000; ++i) {
    int64_t now_ns = clock.now_ns();
    EXPECT_GE(now_ns, before_ns);
    before_ns = now_ns;
  }
}

TEST(ManualClockTest, MovesOnlyWhenTold) {
  ManualClock clock(5);
  EXPECT_EQ(clock.now_ns(), 5);
  clock.advance_ns(2 * kSecondNs);
  EXPECT_EQ(clock.now_ns(), 5 + 2 * kSecondNs);
}

TEST(ManualClockDeathTest, DoesNotGoBack) {
  ManualClock clock;
  EXPECT_DEATH(clock.advance_ns(-1), "duration_ns=-1");
}

}  // namespace
}  // namespace sabir
