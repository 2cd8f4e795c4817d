#include "runtime/rpc/node_link/login_limiter.h"

#include <gtest/gtest.h>

namespace sabir::node_link {
namespace {

class LoginLimiterTest : public testing::Test {
 protected:
  ManualClock clock_;
  LoginLimiter limiter_{clock_, {.burst = 3, .per_second = 2, .max_addresses = 4, .log_interval_ns = 60 * kSecondNs}};
};

TEST_F(LoginLimiterTest, FailuresAreFewAndComeBackWithTime) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limiter_.admits("a"));
    limiter_.failed("a");
  }
  EXPECT_FALSE(limiter_.admits("a"));
  EXPECT_TRUE(limiter_.admits("b"));
  clock_.advance_ns(kSecondNs / 2);
  EXPECT_TRUE(limiter_.admits("a"));
  limiter_.failed("a");
  EXPECT_FALSE(limiter_.admits("a"));
  clock_.advance_ns(1000 * kSecondNs);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limiter_.admits("a"));
    limiter_.failed("a");
  }
  EXPECT_FALSE(limiter_.admits("a"));
}

TEST_F(LoginLimiterTest, OneLineForManyFailures) {
  EXPECT_EQ(limiter_.failed("a"), 1u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(limiter_.failed("a"), 0u);
    EXPECT_EQ(limiter_.turned_away("a"), 0u);
  }
  EXPECT_EQ(limiter_.failed("b"), 1u);
  clock_.advance_ns(60 * kSecondNs);
  EXPECT_EQ(limiter_.failed("a"), 21u);
  EXPECT_EQ(limiter_.failed("a"), 0u);
}

TEST_F(LoginLimiterTest, RemembersFewAddressesTheLatest) {
  for (int i = 0; i < 100; ++i) {
    clock_.advance_ns(1);
    limiter_.failed(std::to_string(i));
    EXPECT_TRUE(limiter_.admits("never failed"));
    EXPECT_LE(limiter_.address_count(), 4u);
  }
  EXPECT_EQ(limiter_.failed("99"), 0u) << "still known";
  EXPECT_EQ(limiter_.failed("1"), 1u) << "forgotten";
}

}  // namespace
}  // namespace sabir::node_link
