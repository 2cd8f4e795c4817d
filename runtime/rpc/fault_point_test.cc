#include "runtime/rpc/fault_point.h"

#include <gtest/gtest.h>

namespace sabir::rpc {
namespace {

TEST(FaultPointTest, FirstRuleThatFitsAndIsNotUsedUp) {
  FaultPoint point = parse_fault_plan("lend=drop_reply*2,lend=delay_reply:30,*=close*1").value();
  EXPECT_EQ(point("lend").action, FaultAction::kDropReply);
  EXPECT_EQ(point("lend").action, FaultAction::kDropReply);
  Fault delayed = point("lend");
  EXPECT_EQ(delayed.action, FaultAction::kDelayReply);
  EXPECT_EQ(delayed.delay_ns, 30'000'000);
  EXPECT_EQ(point("stop").action, FaultAction::kClose);
  EXPECT_EQ(point("stop").action, FaultAction::kNone);
  EXPECT_EQ(point("lend").action, FaultAction::kDelayReply);
}

TEST(FaultPointTest, NoPlanIsNoFaults) { EXPECT_FALSE(parse_fault_plan("").value()); }

TEST(FaultPointTest, WhatIsNoPlanIsRefused) {
  for (const char* plan : {"lend", "lend=explode", "lend=close*x", "lend=delay_reply:soon", "=,"}) {
    EXPECT_FALSE(parse_fault_plan(plan).ok()) << plan;
  }
}

}  // namespace
}  // namespace sabir::rpc
