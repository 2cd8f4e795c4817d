#include "runtime/base/check.h"

#include "gtest/gtest.h"

namespace sabir {
namespace {

TEST(CheckTest, PassesInSilence) {
  int evaluated = 0;
  SABIR_CHECK(++evaluated == 1);
  SABIR_CHECK(evaluated == 1, "evaluated=", evaluated);
}

TEST(CheckDeathTest, PrintsPlaceConditionAndValues) {
  int head = 5;
  int capacity = 4;
  EXPECT_DEATH(SABIR_CHECK(head <= capacity, "head=", head, " capacity=", capacity),
               "check_test.cc:[0-9]+: check failed: head <= capacity \\(head=5 capacity=4\\)");
}

TEST(CheckDeathTest, NeedsNoDetails) { EXPECT_DEATH(SABIR_CHECK(1 > 2), "check failed: 1 > 2\n"); }

}  // namespace
}  // namespace sabir
