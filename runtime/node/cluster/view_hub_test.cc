#include "runtime/node/cluster/view_hub.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

class ViewHubTest : public testing::Test {
 protected:
  ViewHubTest() {
    for (uint32_t i = 1; i <= 3; ++i) {
      hub.add_node(node_key(i));
    }
  }

  ReportAnswer report(uint32_t number, double free_cpus, uint64_t incarnation = 1) {
    NodeState state = node_state(cpus(4));
    state.available[0] = static_cast<Units>(free_cpus * kUnit);
    return hub.on_report(report_of(node_key(number, incarnation), ++versions, state));
  }
  // One tick; everybody who gets something applies it and says so.
  size_t spread() {
    clock.advance_ns(100 * kMillisecondNs);
    auto sends = hub.tick();
    for (const ViewHub::Send& send : sends) {
      sent_reports += send.batch->reports.size();
      hub.on_position(send.to, views.at(send.to.id).apply(*send.batch));
    }
    return sends.size();
  }
  ResourceView& subscribe(uint32_t number) {
    auto [at, added] = views.try_emplace(node_id(number), node_key(number), ViewOptions{}, &clock);
    hub.subscribe(node_key(number), at->second.position());
    return at->second;
  }
  static Units free_cpu(const ResourceView& view, uint32_t number) {
    return view.find(node_id(number))->capacity.free().get(node::kCpu);
  }

  ManualClock clock;
  ResourceView head{NodeKey{}, {}, &clock};
  ViewHub hub{7, {.max_gone = 4}, &head, &clock};
  std::map<NodeId, ResourceView> views;
  uint64_t versions = 0;
  size_t sent_reports = 0;
};

TEST_F(ViewHubTest, V3_EachGetsWhatChangedOnce) {
  ResourceView& one = subscribe(1);
  ResourceView& two = subscribe(2);
  report(1, 4);
  report(2, 4);
  report(3, 4);
  EXPECT_EQ(spread(), 2u);
  EXPECT_EQ(free_cpu(one, 3), 4 * kUnit);
  EXPECT_EQ(spread(), 0u) << "nothing changed: nothing is sent";
  EXPECT_FALSE(hub.next_wake_ns());
  sent_reports = 0;
  for (int i = 0; i < 10; ++i) {
    report(3, i % 4);
  }
  EXPECT_TRUE(hub.next_wake_ns());
  EXPECT_EQ(spread(), 2u);
  EXPECT_EQ(sent_reports, 2u) << "merged";
  EXPECT_EQ(free_cpu(two, 3), kUnit);
}

TEST_F(ViewHubTest, OnceInATickOnly) {
  subscribe(1);
  report(2, 4);
  EXPECT_EQ(spread(), 1u);
  report(2, 3);
  EXPECT_TRUE(hub.tick().empty());
  EXPECT_EQ(spread(), 1u);
}

TEST_F(ViewHubTest, V3_ASlowNodeGetsOneLargerBatch) {
  ResourceView& one = subscribe(1);
  report(2, 4);
  clock.advance_ns(100 * kMillisecondNs);
  auto lost = hub.tick();
  ASSERT_EQ(lost.size(), 1u);
  report(2, 1);
  EXPECT_EQ(spread(), 0u) << "the first one is not answered yet";
  report(3, 2);
  clock.advance_ns(2 * kSecondNs);
  EXPECT_EQ(spread(), 1u) << "it was lost: from where the node is";
  EXPECT_EQ(free_cpu(one, 2), kUnit);
  EXPECT_EQ(free_cpu(one, 3), 2 * kUnit);
  hub.on_position(node_key(1), one.apply(*lost[0].batch));  // late
  EXPECT_EQ(free_cpu(one, 2), kUnit);
  EXPECT_EQ(spread(), 0u);
}

TEST_F(ViewHubTest, V4_V5_DeparturesAndSnapshotsForWhoMissedTooMany) {
  ResourceView& one = subscribe(1);
  report(2, 4);
  report(3, 4);
  spread();
  hub.remove_node(node_key(2));
  hub.remove_node(node_key(2));
  EXPECT_EQ(report(2, 4), ReportAnswer::kFenced);
  spread();
  EXPECT_EQ(one.find(node_id(2)), nullptr);
  hub.add_node(node_key(2, 2));
  EXPECT_EQ(report(2, 1, 1), ReportAnswer::kFenced);
  EXPECT_EQ(report(2, 1, 2), ReportAnswer::kAccepted);
  spread();
  EXPECT_TRUE(one.is_member(node_key(2, 2)));
  for (uint64_t incarnation = 3; incarnation < 9; ++incarnation) {
    hub.add_node(node_key(2, incarnation));
  }
  hub.remove_node(node_key(3));
  clock.advance_ns(kSecondNs);
  auto sends = hub.tick();
  ASSERT_EQ(sends.size(), 1u);
  EXPECT_TRUE(sends[0].batch->members) << "more departures than are remembered";
  one.apply(*sends[0].batch);
  EXPECT_TRUE(one.is_member(node_key(2, 8)));
  EXPECT_EQ(one.find(node_id(3)), nullptr);
}

TEST_F(ViewHubTest, V4_ANewHeadStartsWithoutBlindingAnybody) {
  ResourceView& one = subscribe(1);
  report(2, 4);
  report(3, 4);
  spread();
  ResourceView next_head{NodeKey{}, {}, &clock};
  ViewHub next{8, {}, &next_head, &clock};
  next.add_node(node_key(1));
  next.add_node(node_key(2));
  next.subscribe(node_key(1), one.position());
  auto sends = next.tick();
  ASSERT_EQ(sends.size(), 1u);
  next.on_position(node_key(1), one.apply(*sends[0].batch));
  EXPECT_EQ(free_cpu(one, 2), 4 * kUnit);
  EXPECT_EQ(one.find(node_id(3)), nullptr) << "it left while nobody was there to say so";
  NodeReport short_report = report_of(node_key(2), 100, node_state(cpus(4)));
  short_report.statics = nullptr;
  EXPECT_EQ(next.on_report(short_report), ReportAnswer::kNeedsAll);
}

TEST_F(ViewHubTest, LargeSnapshotsComeInParts) {
  Labels labels;
  for (int i = 0; i < 60; ++i) {
    labels["label" + std::to_string(i)] = std::string(100, 'x');
  }
  constexpr uint32_t kNodes = 200;
  for (uint32_t i = 1; i <= kNodes; ++i) {
    hub.add_node(node_key(i));
    hub.on_report(report_of(node_key(i), 1, node_state(cpus(4), labels)));
  }
  ResourceView& one = subscribe(1);
  size_t batches = 0;
  while (spread() > 0) {
    batches += 1;
    clock.advance_ns(kSecondNs);
  }
  EXPECT_GT(batches, 1u);
  for (uint32_t i = 2; i <= kNodes; ++i) {
    EXPECT_TRUE(one.find(node_id(i)) != nullptr && one.find(node_id(i))->reported) << i;
  }
}

TEST_F(ViewHubTest, TicksAreStretchedToTheBudget) {
  ViewHub frugal{9, {.budget_bytes_per_s = 1000}, &head, &clock};
  for (uint32_t i = 1; i <= 3; ++i) {
    head.remove_node(node_key(i));
    frugal.add_node(node_key(i));
    frugal.subscribe(node_key(i), {});
    frugal.on_report(report_of(node_key(i), 1, node_state(cpus(4))));
  }
  int64_t sent_bytes = 0;
  for (const auto& send : frugal.tick()) {
    sent_bytes += static_cast<int64_t>(encoded_size_bytes(*send.batch));
  }
  ASSERT_GT(sent_bytes, 0);
  EXPECT_GE(*frugal.next_wake_ns() - clock.now_ns(), sent_bytes * kSecondNs / 1000 - 1);
}

TEST_F(ViewHubTest, DemandStaysAtTheHead) {
  ResourceView& one = subscribe(1);
  NodeState state = node_state(cpus(4));
  state.waiting = 5;
  state.demand = {{cpus(1000), 5, true, "needs 1000 CPU"}};
  hub.on_report(report_of(node_key(2), 1, state));
  spread();
  EXPECT_EQ(head.find(node_id(2))->demand.size(), 1u);
  EXPECT_EQ(one.find(node_id(2))->demand.size(), 0u);
  EXPECT_EQ(one.find(node_id(2))->waiting, 5u);
}

}  // namespace
}  // namespace sabir::cluster
