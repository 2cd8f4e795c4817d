#include "runtime/node/cluster/bundle_plan.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

using Outcome = Decision::Outcome;

class BundlePlanTest : public testing::Test {
 protected:
  void node(uint32_t number, double total, double free, Labels labels = {}) {
    NodeState state = node_state(cpus(total), std::move(labels));
    state.available[0] = static_cast<Units>(free * kUnit);
    show(view, node_key(number), state);
  }
  void want(std::vector<double> sizes) {
    bundles.clear();
    for (double size : sizes) {
      bundles.push_back({cpus(size)});
    }
    query.placed.assign(sizes.size(), NodeKey{});
  }
  BundlePlan plan(GroupStrategy strategy) {
    query.strategy = strategy;
    BundlePlan plan = plan_bundles(query, view, random);
    check(plan);
    return plan;
  }
  // Whatever was decided: it fits.
  void check(const BundlePlan& plan) {
    if (plan.outcome != Outcome::kNow) {
      return;
    }
    ASSERT_EQ(plan.nodes.size(), bundles.size());
    std::map<NodeId, Capacity> room;
    for (size_t i = 0; i < bundles.size(); ++i) {
      const ResourceView::Node* node = view.find(plan.nodes[i].id);
      ASSERT_TRUE(node != nullptr && node->key == plan.nodes[i] && node->usable());
      if (!query.placed[i].id.is_nil()) {
        EXPECT_EQ(plan.nodes[i], query.placed[i]);
        continue;
      }
      EXPECT_TRUE(matches(bundles[i].selector, node->labels()));
      Capacity& left = room.try_emplace(node->key.id, node->capacity).first->second;
      ResourceSet set = *view.resolve(bundles[i].resources);
      ASSERT_TRUE(left.fits(set));
      left.take(set);
    }
  }
  std::string why(GroupStrategy strategy) {
    query.strategy = strategy;
    return explain_bundles(query, view);
  }
  static size_t distinct(const BundlePlan& plan) {
    return std::set<NodeKey>(plan.nodes.begin(), plan.nodes.end()).size();
  }

  ManualClock clock;
  ResourceView view{NodeKey{}, {}, &clock};
  Random random{1};
  std::vector<BundleSpec> bundles;
  BundleQuery query{.bundles = &bundles};
};

TEST_F(BundlePlanTest, StrictPackTakesTheFullestNodeThatTakesAll) {
  node(1, 8, 8);
  node(2, 8, 3);
  node(3, 8, 4);
  want({1, 2, 1});
  BundlePlan result = plan(GroupStrategy::kStrictPack);
  EXPECT_EQ(result.nodes, std::vector<NodeKey>(3, node_key(3)));
  want({8, 1});
  EXPECT_EQ(plan(GroupStrategy::kStrictPack).outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(GroupStrategy::kStrictPack),
            "all bundles on one node: needs 9 CPU; the most that one node has is 8 (node 00000001)");
  node(1, 8, 7);
  want({4, 4});
  EXPECT_EQ(plan(GroupStrategy::kStrictPack).outcome, Outcome::kLater);
}

TEST_F(BundlePlanTest, StrictSpreadFindsEveryMatching) {
  node(1, 8, 8, {{"disk", "ssd"}});
  node(2, 4, 4, {{"disk", "ssd"}});
  node(3, 4, 4);
  want({4, 2, 2});
  bundles[1].selector = {{.key = "disk", .op = LabelTerm::Op::kExists}};
  bundles[2].selector = {{.key = "disk", .op = LabelTerm::Op::kExists}};
  for (int i = 0; i < 20; ++i) {
    BundlePlan result = plan(GroupStrategy::kStrictSpread);
    ASSERT_EQ(result.outcome, Outcome::kNow) << "the large one has to leave the nodes with disks to the others";
    EXPECT_EQ(distinct(result), 3u);
    EXPECT_EQ(result.nodes[0], node_key(3));
  }
  want({1, 1, 1, 1});
  EXPECT_EQ(plan(GroupStrategy::kStrictSpread).outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(GroupStrategy::kStrictSpread),
            "needs 4 more nodes that each serve one bundle; of 3 in the cluster not enough do");
  want({1, 1, 1});
  node(2, 4, 0);
  EXPECT_EQ(plan(GroupStrategy::kStrictSpread).outcome, Outcome::kLater);
}

TEST_F(BundlePlanTest, PackUsesFewNodes) {
  for (uint32_t i = 1; i <= 5; ++i) {
    node(i, 4, 4);
  }
  want({1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(distinct(plan(GroupStrategy::kPack)), 2u);
  node(6, 16, 16);
  EXPECT_EQ(distinct(plan(GroupStrategy::kPack)), 1u) << "one takes them all";
}

TEST_F(BundlePlanTest, SpreadUsesManyNodesAndLeastUsedOnesFirst) {
  for (uint32_t i = 1; i <= 4; ++i) {
    node(i, 4, i == 4 ? 1 : 4);
  }
  want({1, 1, 1});
  BundlePlan result = plan(GroupStrategy::kSpread);
  EXPECT_EQ(distinct(result), 3u);
  EXPECT_EQ(std::count(result.nodes.begin(), result.nodes.end(), node_key(4)), 0);
  want({1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(distinct(plan(GroupStrategy::kSpread)), 4u);
  want({4, 4, 4});
  EXPECT_EQ(plan(GroupStrategy::kSpread).outcome, Outcome::kNow);
}

TEST_F(BundlePlanTest, WhereTheOrderFailsASearchFinds) {
  // Largest first puts 4 and 3 on the node of 7, and then has no place for 2 + 2 + 3 on the node of 7.
  node(1, 7, 7);
  node(2, 7, 7);
  want({4, 3, 3, 2, 2});
  for (GroupStrategy strategy : {GroupStrategy::kPack, GroupStrategy::kSpread}) {
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(plan(strategy).outcome, Outcome::kNow);
    }
  }
  want({4, 4, 4});
  EXPECT_EQ(plan(GroupStrategy::kPack).outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(GroupStrategy::kPack), "each bundle has a place, but there is none for all 3 of them together");
}

TEST_F(BundlePlanTest, LostBundlesArePlacedBesideThoseThatLive) {
  for (uint32_t i = 1; i <= 4; ++i) {
    node(i, 4, 2);
  }
  want({1, 1, 1});
  query.placed = {node_key(3), NodeKey{}, node_key(1)};
  EXPECT_EQ(plan(GroupStrategy::kStrictSpread).nodes.size(), 3u);
  for (int i = 0; i < 20; ++i) {
    BundlePlan spread = plan(GroupStrategy::kStrictSpread);
    EXPECT_EQ(distinct(spread), 3u);
    EXPECT_EQ(distinct(plan(GroupStrategy::kPack)), 2u);
    EXPECT_EQ(distinct(plan(GroupStrategy::kSpread)), 3u);
  }
  query.placed = {node_key(3), NodeKey{}, node_key(3)};
  EXPECT_EQ(plan(GroupStrategy::kStrictPack).nodes[1], node_key(3));
  node(3, 4, 0);
  EXPECT_EQ(plan(GroupStrategy::kStrictPack).outcome, Outcome::kLater);
  EXPECT_EQ(why(GroupStrategy::kStrictPack),
            "the other bundles of the group are on one node, and it has no room for the rest");
}

TEST_F(BundlePlanTest, ReasonsNameTheBundle) {
  node(1, 4, 4, {{"zone", "eu"}});
  want({1, 5});
  EXPECT_EQ(plan(GroupStrategy::kPack).outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(GroupStrategy::kPack), "bundle 1: needs 5 CPU; the most that one node has is 4 (node 00000001)");
  want({1, 1});
  bundles[0].selector = {{.key = "zone", .values = {"us"}}};
  EXPECT_EQ(why(GroupStrategy::kSpread), "bundle 0: no node has zone = us; nodes have zone = eu");
  bundles[0] = {{{"licence", kUnit}}};
  EXPECT_EQ(plan(GroupStrategy::kSpread).outcome, Outcome::kInfeasible);
  EXPECT_EQ(why(GroupStrategy::kSpread), "bundle 0: needs 1 licence; no node has any");
}

// Small random groups against every possible assignment: what is decided is right, both ways.
TEST_F(BundlePlanTest, DecisionsAreRightForSmallGroups) {
  for (int round = 0; round < 300; ++round) {
    uint32_t count = 1 + static_cast<uint32_t>(random() % 4);
    ResourceView fresh(NodeKey{}, {}, &clock);
    std::vector<int> free(count);
    for (uint32_t i = 0; i < count; ++i) {
      free[i] = static_cast<int>(random() % 6);
      NodeState state = node_state(cpus(6));
      state.available[0] = free[i] * kUnit;
      show(fresh, node_key(i + 1), state);
    }
    std::vector<double> sizes;
    for (uint64_t i = 1 + random() % 4; i > 0; --i) {
      sizes.push_back(static_cast<double>(1 + random() % 4));
    }
    want(sizes);
    for (auto strategy :
         {GroupStrategy::kPack, GroupStrategy::kSpread, GroupStrategy::kStrictPack, GroupStrategy::kStrictSpread}) {
      uint64_t assignments = 1;
      for (size_t i = 0; i < sizes.size(); ++i) {
        assignments *= count;
      }
      bool possible = false;
      for (uint64_t code = 0; code < assignments && !possible; ++code) {
        std::vector<double> used(count);
        std::vector<int> bundles_at(count);
        uint64_t rest = code;
        for (double size : sizes) {
          used[rest % count] += size;
          bundles_at[rest % count] += 1;
          rest /= count;
        }
        possible = true;
        for (uint32_t i = 0; i < count; ++i) {
          auto here = static_cast<size_t>(bundles_at[i]);
          possible = possible && used[i] <= free[i] && (strategy != GroupStrategy::kStrictSpread || here <= 1) &&
                     (strategy != GroupStrategy::kStrictPack || here == 0 || here == sizes.size());
        }
      }
      query.strategy = strategy;
      EXPECT_EQ(plan_bundles(query, fresh, random).outcome == Outcome::kNow, possible)
          << "round " << round << " strategy " << group_strategy_name(strategy);
    }
  }
}

}  // namespace
}  // namespace sabir::cluster
