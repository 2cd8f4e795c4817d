#include "runtime/node/cluster/placement.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

using Outcome = Decision::Outcome;
using Kind = Strategy::Kind;

class PlacementTest : public testing::Test {
 protected:
  void node(uint32_t number, Amounts total, double free_cpus, Labels labels = {}) {
    NodeState state = node_state(std::move(total), std::move(labels));
    state.available[0] = static_cast<Units>(free_cpus * kUnit);
    show(view, node_key(number), state);
  }
  PlacementQuery query() {
    return {.resources = &resources,
            .strategy = &strategy,
            .local = node_id(1),
            .local_soon = local_soon,
            .arguments = arguments,
            .refused = refused,
            .bundles = bundles.empty() ? nullptr : &bundles};
  }
  Decision choose() { return choose_node(query(), view, random); }
  std::string why() { return explain_placement(query(), view); }
  // How often each node is chosen.
  std::map<NodeId, int> histogram(int count) {
    std::map<NodeId, int> chosen;
    for (int i = 0; i < count; ++i) {
      chosen[choose().node.id] += 1;
    }
    return chosen;
  }
  LabelTerm term(std::string_view key, std::string_view text) { return *parse_label_term(key, text); }

  ManualClock clock;
  ResourceView view{node_key(1), {}, &clock};
  Random random{1};
  Amounts resources = cpus(1);
  Strategy strategy;
  bool local_soon = false;
  std::vector<ArgumentBytes> arguments;
  std::vector<NodeId> refused;
  std::vector<BundleLocation> bundles;
};

TEST_F(PlacementTest, C1_LocalFirstThenSpillThenWait) {
  node(1, cpus(4), 1);
  node(2, cpus(4), 4);
  EXPECT_EQ(choose().node, node_key(1));
  node(1, cpus(4), 0);
  EXPECT_EQ(choose().node, node_key(2));
  EXPECT_EQ(choose().outcome, Outcome::kNow);
  local_soon = true;
  EXPECT_EQ(choose().node, node_key(1));
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  local_soon = false;
  node(2, cpus(4), 0.5);
  EXPECT_EQ(choose().node, node_key(1)) << "nobody can: it waits here";
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  EXPECT_EQ(why(), "needs 1 CPU; the most free on one node now is 0.5 (node 00000002)");
}

TEST_F(PlacementTest, C1_WhatTheLocalNodeCanNeverServeWaitsElsewhere) {
  node(1, cpus(4), 4);
  node(2, cpus(16), 3);
  resources = cpus(8);
  local_soon = true;  // of others of its kind: it cannot be true, and is not believed
  EXPECT_EQ(choose().node, node_key(2));
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  resources = cpus(32);
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "needs 32 CPU; the most that one node has is 16 (node 00000002)");
}

TEST_F(PlacementTest, C2_LargeArgumentsDrawTheCall) {
  node(1, cpus(4), 4);
  node(2, cpus(4), 4);
  node(3, cpus(4), 4);
  arguments = {{node_id(2), 100 << 10}};
  EXPECT_EQ(choose().node, node_key(1)) << "small ones do not";
  arguments = {{node_id(1), 1 << 20}, {node_id(2), 64 << 20}};
  EXPECT_EQ(choose().node, node_key(2));
  arguments = {{node_id(1), 65 << 20}, {node_id(2), 100 << 20}};
  EXPECT_EQ(choose().node, node_key(1)) << "about as much here";
  arguments = {{node_id(2), 64 << 20}};
  node(2, cpus(4), 0);
  EXPECT_EQ(choose().node, node_key(1)) << "it is busy";
}

TEST_F(PlacementTest, C3_DecidersWithTheSameViewDoNotAllChooseTheSame) {
  node(1, cpus(4), 0);
  for (uint32_t i = 2; i <= 40; ++i) {
    node(i, cpus(100), i == 2 ? 30 : 20);
  }
  EXPECT_EQ(histogram(4000).size(), 39u) << "one step of the grade apart, and the eighth is larger than the best step";
  for (uint32_t i = 2; i <= 40; ++i) {
    node(i, cpus(100), i <= 4 ? 100 : i <= 8 ? 40 : 1);
  }
  auto chosen = histogram(4000);
  EXPECT_EQ(chosen.size(), 7u) << "the best eighth of 40, and those equal to its last";
  for (const auto& [id, count] : chosen) {
    EXPECT_GT(count, 300);
  }
}

TEST_F(PlacementTest, V6_ManyDecisionsBetweenTwoReportsGoRound) {
  node(1, cpus(4), 0);
  for (uint32_t i = 2; i <= 9; ++i) {
    node(i, cpus(4), 4);
  }
  std::map<NodeId, int> placed;
  for (int i = 0; i < 32; ++i) {
    Decision decision = choose();
    ASSERT_EQ(decision.outcome, Outcome::kNow);
    placed[decision.node.id] += 1;
    view.debit(decision.node, *view.resolve(resources), 1);
  }
  for (const auto& [id, count] : placed) {
    EXPECT_EQ(count, 4) << "each is full, none is over";
  }
  EXPECT_EQ(choose().outcome, Outcome::kLater);
}

TEST_F(PlacementTest, C4_SpreadTakesTheLeastUsed) {
  strategy.kind = Kind::kSpread;
  for (uint32_t i = 1; i <= 4; ++i) {
    node(i, cpus(4), 4);
  }
  std::map<NodeId, int> placed;
  for (int i = 0; i < 8; ++i) {
    Decision decision = choose();
    placed[decision.node.id] += 1;
    view.debit(decision.node, *view.resolve(resources), 1);
  }
  EXPECT_EQ(placed, (std::map<NodeId, int>{{node_id(1), 2}, {node_id(2), 2}, {node_id(3), 2}, {node_id(4), 2}}));
}

TEST_F(PlacementTest, C5_Affinity) {
  node(1, cpus(4), 4);
  node(2, cpus(4), 4, {{"zone", "eu"}});
  strategy.kind = Kind::kAffinity;
  strategy.node = node_id(2);
  EXPECT_EQ(choose().node, node_key(2));
  node(2, cpus(4), 0, {{"zone", "eu"}});
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  EXPECT_EQ(choose().node, node_key(2));
  EXPECT_EQ(why(), "needs 1 CPU; node 00000002 has 0 free");
  strategy.selector = {term("zone", "us")};
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "node 00000002 has not zone = us");
  strategy.selector.clear();
  resources = cpus(5);
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "needs 5 CPU; node 00000002 has 4");
  resources = cpus(1);
  view.remove_node(node_key(2));
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "node 00000002 is not in the cluster");
  strategy.soft = true;
  EXPECT_EQ(choose().node, node_key(1));
}

TEST_F(PlacementTest, C6_SelectorsAndFallbacks) {
  node(1, cpus(4), 4, {{"zone", "eu"}, {"disk", "ssd"}});
  node(2, cpus(4), 4, {{"zone", "us"}});
  node(3, cpus(4), 4, {{"zone", "asia"}});
  strategy.selector = {term("zone", "!eu")};
  EXPECT_EQ(histogram(100).size(), 2u);
  strategy.selector = {term("zone", "us")};
  EXPECT_EQ(choose().node, node_key(2));
  strategy.selector = {term("disk", "exists()")};
  EXPECT_EQ(choose().node, node_key(1));
  strategy.selector = {term("zone", "mars")};
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "no node has zone = mars; nodes have zone = asia, eu, us");
  strategy.selector = {term("rack", "7")};
  EXPECT_EQ(why(), "no node has rack = 7; no node has the label rack");
  strategy.selector = {term("zone", "us"), term("disk", "ssd")};
  EXPECT_EQ(why(), "no node has all of: zone = us and disk = ssd");

  strategy.selector = {term("zone", "us")};
  strategy.fallback = {{term("zone", "mars")}, {term("zone", "asia")}};
  EXPECT_EQ(choose().node, node_key(2));
  node(2, cpus(4), 0, {{"zone", "us"}});
  EXPECT_EQ(choose().node, node_key(3)) << "the first fallback that serves it now";
  node(3, cpus(4), 0, {{"zone", "asia"}});
  EXPECT_EQ(choose().node, node_key(2)) << "else it waits for what was asked first";
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  EXPECT_EQ(why(),
            "of the nodes with zone = us: needs 1 CPU; the most free on one node now is 0; none of 2 fallbacks helps: "
            "no node has zone = mars; nodes have zone = asia, eu, us");
}

TEST_F(PlacementTest, C7_Bundles) {
  node(1, cpus(4), 4);
  node(2, cpus(4), 4);
  node(3, cpus(4), 4);
  strategy.placement.group = GroupId(node_id(77).bits());
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  EXPECT_EQ(why(), "the placement group is not known to this node yet, or was removed");
  bundles = {{node_key(2), cpus(1)}, {node_key(3), cpus(2)}, {NodeKey{}, cpus(2)}};
  strategy.placement.bundle = 1;
  EXPECT_EQ(choose().node, node_key(3));
  strategy.placement.bundle = 2;
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  EXPECT_EQ(why(), "bundle 2 is not placed");
  strategy.placement.bundle = 3;
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "the placement group has 3 bundles, none with the index 3");
  strategy.placement.bundle = 0;
  resources = cpus(2);
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "needs {CPU: 2}; bundle 0 has {CPU: 1}");
  strategy.placement.bundle = Placement::kAnyBundle;
  EXPECT_EQ(choose().node, node_key(3)) << "the only one that is large enough and placed";
  resources = cpus(1);
  EXPECT_EQ(histogram(100).size(), 2u);
  bundles[0].node = node_key(1);
  EXPECT_EQ(choose().node, node_key(1)) << "local first";
  refused = {node_id(1), node_id(3)};
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  EXPECT_EQ(why(), "no bundle of the placement group has {CPU: 1} free");
  bundles[0].node = node_key(1, 9);
  EXPECT_EQ(choose().node, node_key(3)) << "a node of another incarnation has no bundle";
}

TEST_F(PlacementTest, C8_DrainingAndRefusingNodesGetNothing) {
  node(1, cpus(4), 0);
  node(2, cpus(4), 4);
  refused = {node_id(2)};
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  refused.clear();
  NodeState draining = node_state(cpus(4));
  draining.draining = true;
  show(view, node_key(2), draining);
  EXPECT_EQ(choose().node, node_key(1));
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  strategy.kind = Kind::kAffinity;
  strategy.node = node_id(2);
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "node 00000002 is draining: it takes nothing new");
}

TEST_F(PlacementTest, ReasonsNameTheResourceAndTheBestThereIs) {
  EXPECT_EQ(why(), "no node of the cluster takes work");
  node(1, {{"CPU", 8 * kUnit}}, 8);
  node(2, {{"CPU", 2 * kUnit}, {"GPU", 4 * kUnit}}, 2);
  resources = {{"CPU", kUnit}, {"licence", kUnit}};
  EXPECT_EQ(why(), "needs 1 licence; no node has any");
  resources = {{"GPU", 8 * kUnit}};
  EXPECT_EQ(why(), "needs 8 GPU; the most that one node has is 4 (node 00000002)");
  resources = {{"CPU", 4 * kUnit}, {"GPU", kUnit}};
  EXPECT_EQ(choose().outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(), "no one node has all of {CPU: 4, GPU: 1}; node 00000001 comes nearest, with only 0 GPU");
  NodeState halves = node_state({{"CPU", 2 * kUnit}, {"GPU", 4 * kUnit}});
  halves.available[1] = 2 * kUnit;
  halves.gpu_free = {kUnit / 2, kUnit / 2, kUnit / 2, kUnit / 2};
  show(view, node_key(2), halves);
  resources = {{"GPU", kUnit}};
  EXPECT_EQ(choose().outcome, Outcome::kLater);
  EXPECT_EQ(why(), "needs {GPU: 1}; no node has whole GPUs enough that are free");
}

TEST_F(PlacementTest, CheckStrategy) {
  EXPECT_TRUE(check_strategy(strategy).ok());
  auto refused = [](auto spoil) {
    Strategy strategy;
    spoil(strategy);
    return !check_strategy(strategy).ok();
  };
  EXPECT_TRUE(refused([](Strategy& one) { one.kind = Kind::kAffinity; }));
  EXPECT_TRUE(refused([](Strategy& one) { one.node = node_id(1); }));
  EXPECT_TRUE(refused([](Strategy& one) { one.kind = static_cast<Kind>(9); }));
  EXPECT_TRUE(refused([](Strategy& one) { one.placement.bundle = -2; }));
  EXPECT_TRUE(refused([](Strategy& one) { one.fallback.resize(kMaxFallbackSelectors + 1); }));
  EXPECT_TRUE(refused([](Strategy& one) { one.selector = {{.key = "a"}}; }));
  EXPECT_TRUE(refused([](Strategy& one) { one.fallback = {{{.key = "a"}}}; }));
  EXPECT_TRUE(refused([](Strategy& one) {
    one.placement.group = GroupId(node_id(1).bits());
    one.kind = Kind::kSpread;
  }));
}

TEST(PlacementInheritanceTest, ChildrenRunInTheGroupIfItCapturesThem) {
  Placement parent{.group = GroupId(node_id(1).bits()), .bundle = 2};
  EXPECT_FALSE(inherited_placement(parent).in_group());
  parent.capture_child_calls = true;
  EXPECT_EQ(inherited_placement(parent), (Placement{parent.group, Placement::kAnyBundle, true}));
}

}  // namespace
}  // namespace sabir::cluster
