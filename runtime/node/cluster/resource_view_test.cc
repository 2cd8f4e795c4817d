#include "runtime/node/cluster/resource_view.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

using Applied = ResourceView::Applied;

class ResourceViewTest : public testing::Test {
 protected:
  Units free_cpu(uint32_t number) { return view.find(node_id(number))->capacity.free().get(node::kCpu); }

  ManualClock clock;
  ResourceView view{node_key(1), {}, &clock};
  NodeState four = node_state(cpus(4));
};

TEST_F(ResourceViewTest, V1_V5_OnlyNewerReportsOfMembersCount) {
  EXPECT_EQ(view.apply_report(report_of(node_key(2), 1, four)), Applied::kNotMember);
  EXPECT_TRUE(view.add_node(node_key(2, 5)));
  EXPECT_EQ(view.apply_report(report_of(node_key(2, 4), 9, four)), Applied::kNotMember);
  EXPECT_EQ(view.apply_report(report_of(node_key(2, 6), 9, four)), Applied::kNotMember);
  EXPECT_EQ(view.apply_report(report_of(node_key(2, 5), 2, four)), Applied::kNew);
  NodeState older = four;
  older.available[0] = 0;
  EXPECT_EQ(view.apply_report(report_of(node_key(2, 5), 2, older)), Applied::kStale);
  EXPECT_EQ(view.apply_report(report_of(node_key(2, 5), 1, older)), Applied::kStale);
  EXPECT_EQ(free_cpu(2), 4 * kUnit);
}

TEST_F(ResourceViewTest, V5_ALaterIncarnationReplacesAnEarlierOne) {
  show(view, node_key(2, 5), four);
  EXPECT_FALSE(view.add_node(node_key(2, 4)));
  view.remove_node(node_key(2, 4));
  EXPECT_TRUE(view.is_member(node_key(2, 5)));
  EXPECT_TRUE(view.add_node(node_key(2, 6)));
  EXPECT_FALSE(view.find(node_id(2))->reported) << "it starts empty";
  EXPECT_FALSE(view.is_member(node_key(2, 5)));
  view.remove_node(node_key(2, 6));
  EXPECT_EQ(view.find(node_id(2)), nullptr);
}

TEST_F(ResourceViewTest, V2_WithoutKnownStaticsAReportChangesNothing) {
  view.add_node(node_key(2));
  NodeReport report = report_of(node_key(2), 1, four);
  report.statics = nullptr;
  EXPECT_EQ(view.apply_report(report), Applied::kNeedsStatics);
  EXPECT_EQ(view.apply_report(report_of(node_key(2), 1, four)), Applied::kNew);
  report.version = 2;
  report.available[0] = kUnit;
  EXPECT_EQ(view.apply_report(report), Applied::kNew);
  EXPECT_EQ(free_cpu(2), kUnit);
  report.version = 3;
  report.statics_version = 2;
  EXPECT_EQ(view.apply_report(report), Applied::kNeedsStatics);
}

TEST_F(ResourceViewTest, BadReportsAreRefused) {
  view.add_node(node_key(2));
  auto refused = [&](auto spoil) {
    NodeReport report = report_of(node_key(2), 1, four);
    spoil(report);
    return view.apply_report(report) == Applied::kInvalid;
  };
  EXPECT_TRUE(refused([](NodeReport& report) { report.version = 0; }));
  EXPECT_TRUE(refused([](NodeReport& report) { report.available.push_back(1); }));
  EXPECT_TRUE(refused([](NodeReport& report) { report.available[0] = INT64_MAX; }));
  EXPECT_TRUE(refused([](NodeReport& report) { report.available.resize(1000); }));
  EXPECT_TRUE(refused([](NodeReport& report) { report.gpu_free.resize(65); }));
  EXPECT_TRUE(refused([](NodeReport& report) { report.statics_version = 7; }));
  EXPECT_TRUE(refused([](NodeReport& report) { report.demand.resize(kMaxDemandShapes + 1); }));
  EXPECT_TRUE(refused([](NodeReport& report) {
    report.demand = {{{}, 1, true, std::string(kMaxReasonBytes + 1, 'x')}};
  }));
  EXPECT_TRUE(refused([](NodeReport& report) {
    report.statics = std::make_shared<NodeStatics>(NodeStatics{1, {{"CPU", -1}}, {}});
  }));
  EXPECT_FALSE(view.find(node_id(2))->reported);
  EXPECT_EQ(view.apply_report(report_of(node_key(2), 1, four)), Applied::kNew);
  NodeReport shorter = report_of(node_key(2), 2, four);
  shorter.statics = nullptr;
  shorter.available.clear();
  EXPECT_EQ(view.apply_report(shorter), Applied::kInvalid) << "the totals that are known have another length";
}

TEST_F(ResourceViewTest, V3_BatchesApplyInOrderOnly) {
  ViewBatch snapshot{.epoch = 3, .from = 0, .to = 10, .members = {{node_key(1), node_key(2)}}};
  snapshot.reports = {report_of(node_key(2), 1, four)};
  EXPECT_EQ(view.apply(snapshot), (ViewPosition{3, 10}));
  ViewBatch later{.epoch = 3, .from = 11, .to = 12, .gone = {node_key(2)}};
  EXPECT_EQ(view.apply(later), (ViewPosition{3, 10})) << "something is missing before it";
  EXPECT_TRUE(view.is_member(node_key(2)));
  ViewBatch next{.epoch = 3, .from = 8, .to = 12, .reports = {report_of(node_key(3), 7, four)}};
  EXPECT_EQ(view.apply(next), (ViewPosition{3, 12})) << "from earlier than what is known is fine";
  EXPECT_TRUE(view.is_member(node_key(3)));
  ViewBatch old{.epoch = 3, .from = 0, .to = 11, .members = {std::vector<NodeKey>{}}};
  EXPECT_EQ(view.apply(old), (ViewPosition{3, 12}));
  EXPECT_EQ(view.nodes().size(), 3u);
}

TEST_F(ResourceViewTest, V4_ASnapshotOfANewHeadKeepsMembersThatAreSilent) {
  ViewBatch first{.epoch = 3, .from = 0, .to = 10, .members = {{node_key(2), node_key(3), node_key(4)}}};
  first.reports = {report_of(node_key(2), 1, four), report_of(node_key(3), 1, four)};
  view.apply(first);
  ViewBatch delta{.epoch = 4, .from = 0, .to = 1};
  EXPECT_EQ(view.apply(delta), (ViewPosition{3, 10})) << "a new head begins with a snapshot";
  ViewBatch second{.epoch = 4, .from = 0, .to = 0, .members = {{node_key(2), node_key(4, 2)}}};
  EXPECT_EQ(view.apply(second), (ViewPosition{4, 0}));
  EXPECT_TRUE(view.find(node_id(2))->reported);
  EXPECT_EQ(view.find(node_id(3)), nullptr);
  EXPECT_TRUE(view.is_member(node_key(4, 2)));
  first.to = 99;
  EXPECT_EQ(view.apply(first), (ViewPosition{4, 0})) << "the former head says nothing any more";
}

TEST_F(ResourceViewTest, WhatOthersSayOfThisNodeIsNoNews) {
  show(view, node_key(1), four);
  NodeState empty = four;
  empty.available[0] = 0;
  ViewBatch batch{.epoch = 1, .from = 0, .to = 1, .members = {std::vector<NodeKey>{}}};
  batch.reports = {report_of(node_key(1), 50, empty)};
  batch.gone = {node_key(1)};
  view.apply(batch);
  EXPECT_EQ(free_cpu(1), 4 * kUnit);
}

TEST_F(ResourceViewTest, V6_DebitsAreSettledByAnswersReportsAndTime) {
  show(view, node_key(2), four);
  ResourceSet one = *view.resolve(cpus(1));
  DebitId first = view.debit(node_key(2), one, 2);
  view.debit(node_key(2), one, 1);
  EXPECT_EQ(free_cpu(2), kUnit);
  uint64_t changes = view.change_count();
  view.settle(first);
  EXPECT_GT(view.change_count(), changes) << "there is more room: who waits for it has to look again";
  view.settle(first);
  EXPECT_EQ(free_cpu(2), 3 * kUnit);
  show(view, node_key(2), four);
  EXPECT_EQ(free_cpu(2), 4 * kUnit) << "its totals were told anew: whatever was debited is forgotten";

  view.debit(node_key(2), one, 1);
  NodeReport soon = report_of(node_key(2), 10, four, 2);
  view.apply_report(soon);
  EXPECT_EQ(free_cpu(2), 3 * kUnit) << "sent before the debit was known there";
  clock.advance_ns(150 * kMillisecondNs);
  soon.version = 11;
  view.apply_report(soon);
  EXPECT_EQ(free_cpu(2), 4 * kUnit);

  view.debit(node_key(2), one, 9);
  EXPECT_EQ(free_cpu(2), 0) << "as far as it fits";
  clock.advance_ns(kSecondNs);
  view.expire_debits();
  EXPECT_EQ(free_cpu(2), 4 * kUnit);
  view.settle(view.debit(node_key(9), one, 1));  // nobody: nothing happens
}

TEST_F(ResourceViewTest, NamesLiveAsLongAsANodeHasThem) {
  show(view, node_key(2), node_state({{"CPU", kUnit}, {"licence", kUnit}}));
  show(view, node_key(3), node_state({{"licence", kUnit}}));
  EXPECT_TRUE(view.resolve({{"licence", kUnit}}));
  view.remove_node(node_key(2));
  EXPECT_TRUE(view.find(node_id(3))->capacity.fits(*view.resolve({{"licence", kUnit}})));
  view.remove_node(node_key(3));
  EXPECT_FALSE(view.resolve({{"licence", kUnit}}));
  EXPECT_TRUE(view.resolve({{"licence", 0}})->empty());
  for (uint32_t i = 0; i < 40'000; ++i) {
    show(view, node_key(4, i + 1), node_state({{"own" + std::to_string(i), kUnit}}));
  }
  EXPECT_TRUE(view.resolve({{"own39999", kUnit}}));
}

TEST_F(ResourceViewTest, TheClusterIsBounded) {
  for (uint32_t i = 0; i < kMaxClusterNodes; ++i) {
    EXPECT_TRUE(view.add_node(node_key(i + 10)));
  }
  EXPECT_FALSE(view.add_node(node_key(5)));
  EXPECT_EQ(view.nodes().size(), kMaxClusterNodes);
}

}  // namespace
}  // namespace sabir::cluster
