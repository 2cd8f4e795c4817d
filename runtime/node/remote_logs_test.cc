#include "runtime/node/remote_logs.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

TEST(RemoteLogsTest, OneMessageOfAJobAtATime) {
  ManualClock clock;
  RemoteLogs logs(&clock);
  uint64_t first = logs.begin("job").value();
  EXPECT_FALSE(logs.begin("job").has_value());
  EXPECT_TRUE(logs.begin("another").has_value());
  EXPECT_FALSE(logs.answered("job", first + 100));
  EXPECT_TRUE(logs.answered("job", first));
  EXPECT_FALSE(logs.answered("job", first)) << "once";
  EXPECT_GT(logs.begin("job").value(), first);
}

TEST(RemoteLogsTest, AMessageThatNobodyAnswersHoldsUpNothing) {
  ManualClock clock;
  RemoteLogs logs(&clock);
  uint64_t lost = logs.begin("job").value();
  clock.advance_ns(RemoteLogs::kAnswerNs);
  uint64_t next = logs.begin("job").value();
  EXPECT_FALSE(logs.answered("job", lost)) << "a late answer is to another message";
  EXPECT_FALSE(logs.begin("job").has_value());
  EXPECT_TRUE(logs.answered("job", next));
}

}  // namespace
}  // namespace sabir::node
