#include "runtime/node/cluster/node_ledger.h"

#include <gtest/gtest.h>

namespace sabir::cluster {
namespace {

using Fit = NodeLedger::Fit;

class NodeLedgerTest : public testing::Test {
 protected:
  ResourceSet set(double cpus, double gpus = 0) {
    ResourceSet set;
    set.set(node::kCpu, static_cast<Units>(cpus * kUnit));
    set.set(kGpu, static_cast<Units>(gpus * kUnit));
    return set;
  }
  Placement in(int32_t bundle) const { return {.group = group, .bundle = bundle}; }
  Units free_cpu() { return resources.free(node::kCpu) / kUnit; }

  node::NodeResources resources = *node::NodeResources::create({{"CPU", 8 * kUnit}, {"GPU", 4 * kUnit}});
  NodeLedger ledger{&resources};
  GroupId group{IdBits{.bytes = {1}}};
};

TEST_F(NodeLedgerTest, B1_ABundleTakesFromTheNodeAndGivesFromItself) {
  auto numbers = ledger.reserve(group, {{0, set(2)}, {1, set(3)}});
  ASSERT_TRUE(numbers);
  EXPECT_EQ(free_cpu(), 3);
  EXPECT_EQ(ledger.fit(set(1), in(0)), Fit::kNever) << "B2: not open";
  ledger.open((*numbers)[0]);
  ledger.open((*numbers)[1]);
  auto claim = ledger.claim(set(2), in(0));
  ASSERT_TRUE(claim);
  EXPECT_EQ(free_cpu(), 3);
  EXPECT_EQ(ledger.fit(set(1), in(0)), Fit::kLater);
  EXPECT_EQ(ledger.fit(set(3), in(0)), Fit::kNever);
  EXPECT_EQ(ledger.fit(set(3), in(Placement::kAnyBundle)), Fit::kNow);
  EXPECT_FALSE(ledger.claim(set(1), in(0)));
  EXPECT_FALSE(ledger.claim(set(1), in(2)));
  ledger.release(*claim);
  ledger.check_invariants();
  EXPECT_TRUE(ledger.close((*numbers)[0]));
  EXPECT_TRUE(ledger.close((*numbers)[1]));
  EXPECT_EQ(free_cpu(), 8);
}

TEST_F(NodeLedgerTest, AllBundlesOrNone) {
  EXPECT_FALSE(ledger.reserve(group, {{0, set(5)}, {1, set(4)}}));
  EXPECT_EQ(free_cpu(), 8);
  EXPECT_EQ(ledger.bundle_count(), 0u);
}

TEST_F(NodeLedgerTest, B3_AClosedBundleWaitsForItsLastClaim) {
  auto numbers = ledger.reserve(group, {{0, set(4)}});
  ledger.open(numbers->front());
  auto first = ledger.claim(set(1), in(0));
  auto second = ledger.claim(set(1), in(0));
  EXPECT_FALSE(ledger.close(numbers->front()));
  EXPECT_EQ(ledger.fit(set(1), in(0)), Fit::kNever);
  EXPECT_FALSE(ledger.claim(set(1), in(0)));
  ledger.release(*first);
  EXPECT_EQ(free_cpu(), 4);
  ledger.release(*second);
  EXPECT_EQ(free_cpu(), 8);
  EXPECT_EQ(ledger.bundle_count(), 0u);
}

TEST_F(NodeLedgerTest, AnyBundleFillsTheFullestFirst) {
  auto numbers = ledger.reserve(group, {{0, set(4)}, {1, set(2)}});
  ledger.open((*numbers)[0]);
  ledger.open((*numbers)[1]);
  auto claim = ledger.claim(set(2), in(Placement::kAnyBundle));
  EXPECT_EQ(claim->bundle, (*numbers)[1]);
  EXPECT_EQ(ledger.fit(set(4), in(Placement::kAnyBundle)), Fit::kNow) << "the large one stayed whole";
}

TEST_F(NodeLedgerTest, GpusOfABundleAreTheNodesOwn) {
  auto plain = ledger.claim(set(0, 1), {});
  auto numbers = ledger.reserve(group, {{0, set(0, 2)}, {1, set(0, 0.5)}});
  ledger.open((*numbers)[0]);
  ledger.open((*numbers)[1]);
  auto first = ledger.claim(set(0, 1), in(0));
  auto second = ledger.claim(set(0, 1), in(0));
  auto part = ledger.claim(set(0, 0.25), in(1));
  EXPECT_EQ(plain->gpu_mask | first->gpu_mask | second->gpu_mask | part->gpu_mask, 15u) << "four different ones";
  EXPECT_FALSE(ledger.claim(set(0, 0.5), in(1)));
  ledger.release(*part);
  EXPECT_TRUE(ledger.claim(set(0, 0.5), in(1)));
}

TEST_F(NodeLedgerTest, WhatBundlesHoldIsNotAttainable) {
  auto claim = ledger.claim(set(8), {});
  EXPECT_TRUE(ledger.attainable(set(8))) << "what runs ends";
  ledger.release(*claim);
  auto numbers = ledger.reserve(group, {{0, set(2)}});
  EXPECT_FALSE(ledger.attainable(set(7)));
  EXPECT_TRUE(ledger.attainable(set(6, 4)));
  ledger.close(numbers->front());
  EXPECT_TRUE(ledger.attainable(set(8)));
  ledger.check_invariants();
}

TEST_F(NodeLedgerTest, ThePlainNode) {
  EXPECT_EQ(ledger.fit(set(8), {}), Fit::kNow);
  auto claim = ledger.claim(set(8), {});
  EXPECT_EQ(ledger.fit(set(1), {}), Fit::kLater);
  EXPECT_EQ(ledger.fit(set(9), {}), Fit::kNever);
  EXPECT_FALSE(ledger.claim(set(1), {}));
  ledger.release(*claim);
  EXPECT_EQ(free_cpu(), 8);
}

}  // namespace
}  // namespace sabir::cluster
