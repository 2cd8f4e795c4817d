#include "runtime/client/repair.h"

#include <gtest/gtest.h>

namespace sabir::client {
namespace {

TEST(RepairTest, SaysHowAProcessEnded) {
  using shm::DeathReason;
  EXPECT_EQ(describe_end(9, DeathReason::kExited), "was killed by signal 9 (SIGKILL)");
  EXPECT_EQ(describe_end(11 | 0x80, DeathReason::kExited), "was killed by signal 11 (SIGSEGV)");
  EXPECT_EQ(describe_end(3 << 8, DeathReason::kExited), "exited with status 3");
  EXPECT_EQ(describe_end(0, DeathReason::kExited), "exited with status 0");
  EXPECT_EQ(describe_end(9, DeathReason::kKilledByNode), "was killed by the node");
  EXPECT_EQ(describe_end(0, DeathReason::kJobEnded), "ended with its job");
}

}  // namespace
}  // namespace sabir::client
