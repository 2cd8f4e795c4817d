#include "runtime/node/cluster/report_publisher.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

class ReportPublisherTest : public testing::Test {
 protected:
  ReportPublisherTest() { publisher.observe(state); }

  void advance_ms(int64_t ms) { clock.advance_ns(ms * kMillisecondNs); }
  NodeReport accepted() {
    auto report = publisher.next();
    EXPECT_TRUE(report.has_value());
    publisher.answered(report->version, ReportAnswer::kAccepted);
    return *report;
  }
  void use(double cpus_free) {
    state.available[0] = static_cast<Units>(cpus_free * kUnit);
    publisher.observe(state);
  }

  ManualClock clock;
  NodeState state = node_state(cpus(100), {{"zone", "eu"}});
  ReportPublisher publisher{node_key(1), {}, &clock};
};

TEST_F(ReportPublisherTest, V2_TotalsAndLabelsTravelUntilTheyWereAccepted) {
  auto lost = publisher.next();
  ASSERT_TRUE(lost && lost->statics);
  EXPECT_EQ(lost->statics->labels.at("zone"), "eu");
  EXPECT_FALSE(publisher.next()) << "one at a time";
  advance_ms(1000);
  NodeReport again = accepted();
  EXPECT_TRUE(again.statics);
  EXPECT_EQ(again.version, lost->version) << "V1: one version, one content";
  use(50);
  advance_ms(50);
  NodeReport later = accepted();
  EXPECT_FALSE(later.statics);
  EXPECT_GT(later.version, again.version);
  EXPECT_EQ(later.statics_version, again.statics_version);
  state.labels["zone"] = "us";
  publisher.observe(state);
  advance_ms(50);
  EXPECT_TRUE(accepted().statics);
}

TEST_F(ReportPublisherTest, NothingChangedNothingSent) {
  accepted();
  advance_ms(60'000);
  EXPECT_FALSE(publisher.next());
  EXPECT_FALSE(publisher.next_wake_ns());
}

TEST_F(ReportPublisherTest, WhatMattersGoesSoonAndWhatDoesNotLater) {
  accepted();
  use(97);
  advance_ms(999);
  EXPECT_FALSE(publisher.next()) << "less than 5 % of 100 CPUs";
  advance_ms(1);
  EXPECT_EQ(publisher.next_wake_ns(), clock.now_ns());
  accepted();
  use(90);
  EXPECT_FALSE(publisher.next()) << "rate limit";
  advance_ms(50);
  accepted();
  use(0);
  advance_ms(50);
  accepted();
  use(1);
  advance_ms(50);
  EXPECT_EQ(accepted().available[0], kUnit) << "from nothing to something matters, however little";
}

TEST_F(ReportPublisherTest, ChangesBetweenTwoReportsAreMerged) {
  accepted();
  for (int i = 0; i < 10; ++i) {
    use(80 - i);
  }
  advance_ms(50);
  EXPECT_EQ(accepted().available[0], 71 * kUnit);
  EXPECT_FALSE(publisher.next());
}

TEST_F(ReportPublisherTest, OtherThingsThatMatter) {
  accepted();
  auto told = [&] {
    publisher.observe(state);
    advance_ms(50);
    auto report = publisher.next();
    if (report) {
      publisher.answered(report->version, ReportAnswer::kAccepted);
    }
    return report.has_value();
  };
  state.waiting = 1;
  EXPECT_TRUE(told());
  state.waiting = 2;
  EXPECT_FALSE(told());
  state.waiting = 9;
  EXPECT_TRUE(told());
  state.draining = true;
  EXPECT_TRUE(told());
  state.demand = {{cpus(1000), 3, true, "needs 1000 CPU"}};
  EXPECT_TRUE(told());
  state.demand[0].waiting = 4;
  EXPECT_FALSE(told());
  state.store_capacity_bytes = 1000;
  state.store_used_bytes = 51;
  EXPECT_TRUE(told());
}

TEST_F(ReportPublisherTest, OfManyKindsOfDemandTheLargestAreTold) {
  for (uint64_t i = 1; i <= 100; ++i) {
    state.demand.push_back({cpus(static_cast<double>(i)), i});
  }
  publisher.observe(state);
  NodeReport report = accepted();
  ASSERT_EQ(report.demand.size(), kMaxDemandShapes);
  EXPECT_EQ(report.demand[0].waiting, 100u);
  EXPECT_EQ(report.demand.back().waiting, 85u);
  EXPECT_TRUE(check_report(report).ok());
}

TEST_F(ReportPublisherTest, TheAnswerOfAnEarlierAttemptIsNotTheAnswer) {
  auto first = publisher.next();
  advance_ms(1000);
  use(10);
  auto second = publisher.next();
  ASSERT_TRUE(first && second);
  publisher.answered(first->version, ReportAnswer::kAccepted);
  EXPECT_FALSE(publisher.next()) << "the second one is still under way";
  publisher.answered(second->version, ReportAnswer::kAccepted);
  use(100);
  advance_ms(50);
  EXPECT_FALSE(accepted().statics);
}

TEST_F(ReportPublisherTest, ANewHeadGetsEverythingAndAFencedNodeSaysNothingMore) {
  accepted();
  publisher.restart();
  advance_ms(50);
  auto report = publisher.next();
  ASSERT_TRUE(report && report->statics);
  publisher.answered(report->version, ReportAnswer::kNeedsAll);
  EXPECT_FALSE(publisher.next()) << "not faster than else";
  advance_ms(50);
  report = publisher.next();
  ASSERT_TRUE(report);
  publisher.answered(report->version, ReportAnswer::kFenced);
  advance_ms(5000);
  EXPECT_FALSE(publisher.next());
  EXPECT_FALSE(publisher.next_wake_ns());
}

TEST_F(ReportPublisherTest, V1_WhatWasToldOutOfTurnIsTakenBack) {
  accepted();
  use(0);
  EXPECT_EQ(publisher.newest().available[0], 0);
  use(100);
  EXPECT_TRUE(publisher.own().statics);
  advance_ms(50);
  NodeReport report = accepted();
  EXPECT_EQ(report.available[0], 100 * kUnit) << "what the head had is true again, but another node was told else";
  EXPECT_FALSE(publisher.next_wake_ns());
  use(99);
  EXPECT_EQ(publisher.own().available[0], 99 * kUnit);
  use(100);
  EXPECT_FALSE(publisher.next_wake_ns()) << "nobody else was told";
}

TEST_F(ReportPublisherTest, WhatIsUrgentDoesNotWait) {
  accepted();
  EXPECT_FALSE(publisher.urgent()) << "nothing is new";
  use(3);
  std::optional<NodeReport> first = publisher.urgent();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->available[0], 3 * kUnit);
  EXPECT_FALSE(publisher.urgent()) << "it is on its way";
  use(4);
  std::optional<NodeReport> second = publisher.urgent();
  ASSERT_TRUE(second);
  EXPECT_GT(second->version, first->version);
  publisher.answered(first->version, ReportAnswer::kAccepted);
  publisher.answered(second->version, ReportAnswer::kAccepted);
  EXPECT_FALSE(publisher.next_wake_ns());
}

TEST_F(ReportPublisherTest, WhoAsksOutOfTurnGetsWhatIsTrueNow) {
  NodeReport published = accepted();
  use(3);
  NodeReport asked = publisher.newest();
  EXPECT_EQ(asked.available[0], 3 * kUnit);
  EXPECT_GT(asked.version, published.version);
  EXPECT_EQ(publisher.newest().version, asked.version);
  advance_ms(50);
  EXPECT_EQ(accepted().version, asked.version) << "V1: the head learns the same under the same version";
}

}  // namespace
}  // namespace sabir::cluster
