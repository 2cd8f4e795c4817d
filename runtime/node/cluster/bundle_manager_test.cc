#include "runtime/node/cluster/bundle_manager.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

class BundleManagerTest : public testing::Test {
 protected:
  std::optional<PrepareAnswer> prepare(uint64_t attempt, std::vector<double> sizes, uint32_t first = 0) {
    PrepareBundles message{.epoch = 1, .node = self, .group = group, .attempt = attempt};
    for (double size : sizes) {
      message.bundles.push_back({first++, cpus(size)});
    }
    return manager.prepare(message);
  }
  std::optional<CommitAnswer> commit(uint64_t attempt, std::vector<uint32_t> bundles) {
    return manager.commit({1, self, group, attempt, std::move(bundles)});
  }
  void drop(uint32_t index, uint64_t attempt) { EXPECT_TRUE(manager.drop({1, self, group, {{index, attempt}}})); }
  Units free_cpu() { return resources.free(node::kCpu) / kUnit; }

  ManualClock clock;
  NodeKey self = node_key(1, 5);
  GroupId group{node_id(99).bits()};
  node::NodeResources resources = *node::NodeResources::create(cpus(8));
  NodeLedger ledger{&resources};
  std::vector<EndBundleUsers> out;
  BundleManager manager{self, {}, &ledger, &clock, &out};
};

TEST_F(BundleManagerTest, G2_PrepareTakesAllOrNothingAndIsIdempotent) {
  EXPECT_TRUE(prepare(1, {2, 3})->prepared);
  EXPECT_TRUE(prepare(1, {2, 3})->prepared);
  EXPECT_EQ(free_cpu(), 3);
  auto answer = prepare(1, {2, 2}, 2);
  EXPECT_FALSE(answer->prepared);
  EXPECT_EQ(answer->reason, "not free any more");
  EXPECT_EQ(free_cpu(), 3);
  EXPECT_EQ(manager.inventory().bundles.size(), 2u);
}

TEST_F(BundleManagerTest, G2_WhatIsNotCommittedExpires) {
  prepare(1, {2});
  EXPECT_EQ(manager.next_wake_ns(), clock.now_ns() + 30 * kSecondNs);
  clock.advance_ns(30 * kSecondNs);
  manager.tick();
  EXPECT_EQ(free_cpu(), 8);
  EXPECT_EQ(commit(1, {0})->unknown, std::vector<uint32_t>{0}) << "G4";
  EXPECT_FALSE(manager.next_wake_ns());
}

TEST_F(BundleManagerTest, G4_CommitIsIdempotentAndStays) {
  prepare(1, {2, 1});
  EXPECT_EQ(commit(1, {0, 1, 7})->committed, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(commit(1, {0, 1, 7})->unknown, (std::vector<uint32_t>{7}));
  clock.advance_ns(3600 * kSecondNs);
  manager.tick();
  EXPECT_EQ(free_cpu(), 5);
  EXPECT_TRUE(prepare(1, {2, 1})->prepared) << "a late copy of the prepare changes nothing";
  EXPECT_TRUE(manager.inventory().bundles[0].committed);
  EXPECT_EQ(commit(2, {0})->unknown, (std::vector<uint32_t>{0}));
}

TEST_F(BundleManagerTest, G5_DropIsIdempotentAndLeavesAMark) {
  prepare(1, {2});
  commit(1, {0});
  drop(0, 1);
  drop(0, 1);
  EXPECT_EQ(free_cpu(), 8);
  EXPECT_FALSE(prepare(1, {2})->prepared) << "late";
  EXPECT_EQ(commit(1, {0})->committed.size(), 0u);
  EXPECT_TRUE(prepare(2, {2})->prepared);
  drop(0, 1);
  EXPECT_EQ(free_cpu(), 6) << "the next attempt is not meant";
  drop(3, 9);
  EXPECT_FALSE(prepare(9, {1}, 3)->prepared) << "the drop was faster than the prepare";
}

TEST_F(BundleManagerTest, G5_MarksAreForgottenInTheEnd) {
  drop(0, 1);
  clock.advance_ns(59 * kSecondNs);
  manager.tick();
  EXPECT_FALSE(prepare(1, {2})->prepared);
  clock.advance_ns(kSecondNs);
  manager.tick();
  EXPECT_TRUE(prepare(1, {2})->prepared) << "no message is under way so long; and it would expire";
  BundleManager small(self, {.max_marks = 3}, &ledger, &clock, &out);
  for (uint32_t i = 0; i < 100; ++i) {
    small.drop({1, self, group, {{i, 1}}});
  }
  EXPECT_TRUE(small.prepare({1, self, group, 1, {{0, cpus(1)}}})->prepared);
  EXPECT_FALSE(small.prepare({1, self, group, 1, {{99, cpus(1)}}})->prepared);
}

TEST_F(BundleManagerTest, G1_ALaterAttemptReplacesAnEarlierOne) {
  prepare(1, {8});
  EXPECT_TRUE(prepare(2, {8})->prepared) << "it may need what the earlier one has";
  EXPECT_FALSE(prepare(1, {1})->prepared);
  EXPECT_EQ(manager.inventory().bundles.size(), 1u);
  EXPECT_EQ(manager.inventory().bundles[0].attempt, 2u);
}

TEST_F(BundleManagerTest, B3_WhatRunsInADroppedBundleIsEndedFirst) {
  prepare(1, {4});
  commit(1, {0});
  Placement in{.group = group, .bundle = 0};
  auto claim = ledger.claim(*resources.resolve(cpus(1)), in);
  drop(0, 1);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].bundle, claim->bundle);
  EXPECT_EQ(out[0].group, group);
  EXPECT_EQ(free_cpu(), 4);
  EXPECT_TRUE(prepare(2, {4})->prepared) << "beside the one that goes";
  ledger.release(*claim);
  EXPECT_EQ(free_cpu(), 4);
  ledger.check_invariants();
}

TEST_F(BundleManagerTest, G7_OtherIncarnationsAndFormerCoordinatorsAreNotHeard) {
  EXPECT_FALSE(manager.prepare({1, node_key(1, 4), group, 1, {{0, cpus(1)}}}));
  EXPECT_FALSE(manager.prepare({1, node_key(2, 5), group, 1, {{0, cpus(1)}}}));
  EXPECT_TRUE(manager.prepare({2, self, group, 1, {{0, cpus(1)}}}));
  EXPECT_FALSE(manager.commit({1, self, group, 1, {0}}));
  EXPECT_FALSE(manager.drop({1, self, group, {{0, 1}}}));
  EXPECT_TRUE(manager.commit({2, self, group, 1, {0}}));
}

TEST_F(BundleManagerTest, ADrainingNodeReservesNothingNew) {
  prepare(1, {2});
  manager.drain();
  EXPECT_TRUE(prepare(1, {2})->prepared);
  EXPECT_EQ(commit(1, {0})->committed.size(), 1u);
  EXPECT_EQ(prepare(2, {1}, 1)->reason, "it is draining");
}

TEST_F(BundleManagerTest, BadMessages) {
  EXPECT_FALSE(prepare(1, {})->prepared);
  EXPECT_FALSE(manager.prepare({1, self, group, 1, {{0, {{"CPU", -1}}}}})->prepared);
  EXPECT_FALSE(manager.prepare({1, self, group, 1, std::vector<PrepareBundles::Bundle>(kMaxBundles + 1)})->prepared);
  EXPECT_FALSE(manager.prepare({1, self, group, 1, {{0, cpus(1)}, {0, cpus(1)}}})->prepared) << "twice the same";
  EXPECT_FALSE(manager.prepare({1, self, group, 1, {{0, {{"licence", kUnit}}}}})->prepared);
  EXPECT_EQ(free_cpu(), 8);
}

}  // namespace
}  // namespace sabir::cluster
