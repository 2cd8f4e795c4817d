#include "runtime/node/place_calls.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/node/cluster/read_strategy.h"
#include "runtime/node/cluster/view_for_test.h"

namespace sabir::node {
namespace {

using cluster::cpus;
using cluster::Labels;
using cluster::node_id;
using cluster::node_key;
using cluster::NodeState;
using cluster::Strategy;

class PlaceCallsTest : public testing::Test {
 protected:
  PlaceCallsTest() {
    node(1, 2, {{"zone", "eu"}});
    node(2, 2, {{"zone", "us"}});
    node(3, 2, {{"zone", "asia"}});
    backlog_.resources = cpus(1);
    backlog_.waiting = 1;
  }
  void node(uint32_t number, double count, Labels labels, double free = -1) {
    NodeState state = cluster::node_state(cpus(count), std::move(labels));
    state.available[0] = static_cast<Units>((free < 0 ? count : free) * kUnit);
    cluster::show(view_, node_key(number), state);
  }
  PlacePlan plan() { return placer_.plan(backlog_, view_); }
  uint32_t calls_to(const PlacePlan& plan, uint32_t number) {
    auto found = plan.elsewhere.find(node_key(number));
    return found == plan.elsewhere.end() ? 0 : found->second.calls;
  }
  Strategy& strategy() { return backlog_.place.strategy; }
  void bind(uint32_t number, bool soft) {
    strategy().kind = Strategy::Kind::kAffinity;
    strategy().node = node_id(number);
    strategy().soft = soft;
  }
  void want(const char* zone) { strategy().selector = {*cluster::parse_label_term("zone", zone)}; }

  ManualClock clock_;
  cluster::ResourceView view_{{}, {}, &clock_};
  std::set<cluster::NodeId> dead_;
  CallPlacer placer_{node_id(1), &clock_, 7, [this](const cluster::NodeId& id) { return dead_.contains(id); }};
  ClassBacklog backlog_;
};

TEST_F(PlaceCallsTest, P1_WithoutAStrategyItIsThisNodesForAWhile) {
  node(1, 2, {}, 0);
  PlacePlan first = plan();
  EXPECT_FALSE(first.here) << "nothing to say: its leases are not counted";
  EXPECT_TRUE(first.elsewhere.empty());
  clock_.advance_ns(100 * kMillisecondNs);
  PlacePlan later = plan();
  EXPECT_EQ(calls_to(later, 2) + calls_to(later, 3), 1u);
}

TEST_F(PlaceCallsTest, P1_WhatThisNodeNeverCanDoesNotWaitForIt) {
  node(1, 0.5, {});
  PlacePlan first = plan();
  EXPECT_EQ(calls_to(first, 2) + calls_to(first, 3), 1u);
}

TEST_F(PlaceCallsTest, P1_LabelsThatThisNodeHas) {
  want("in(eu, us)");
  EXPECT_EQ(plan().here, UINT64_MAX);
  node(1, 2, {{"zone", "eu"}}, 0);
  clock_.advance_ns(100 * kMillisecondNs);
  PlacePlan later = plan();
  EXPECT_EQ(calls_to(later, 2), 1u) << "and no other has";
}

TEST_F(PlaceCallsTest, P2_ASpreadClassUsesAllNodesAlike) {
  strategy().kind = Strategy::Kind::kSpread;
  backlog_.waiting = 6;
  PlacePlan first = plan();
  EXPECT_EQ(calls_to(first, 2), 2u);
  EXPECT_EQ(calls_to(first, 3), 2u);
  EXPECT_EQ(first.elsewhere.at(node_key(2)).most, 2u);
  EXPECT_EQ(first.here, 0u) << "P4: not before the links are there";
  backlog_.promised = 4;
  PlacePlan second = plan();
  EXPECT_TRUE(second.elsewhere.empty()) << "P3";
  EXPECT_EQ(second.here, 2u);
}

TEST_F(PlaceCallsTest, P2_NothingWaitsNothingIsAllowed) {
  strategy().kind = Strategy::Kind::kSpread;
  backlog_.leases_here = 2;
  backlog_.waiting = 0;
  EXPECT_EQ(plan().here, 0u);
  EXPECT_TRUE(plan().let_go);
  bind(2, false);
  EXPECT_FALSE(plan().let_go) << "the next one goes there, too";
}

TEST_F(PlaceCallsTest, P2_LabelsOfOtherNodesAreNotRunHere) {
  want("!eu");
  backlog_.waiting = 100;
  PlacePlan first = plan();
  EXPECT_EQ(first.here, 0u);
  EXPECT_EQ(calls_to(first, 2), 2u);
  EXPECT_EQ(calls_to(first, 3), 2u);
  EXPECT_FALSE(first.infeasible);
}

TEST_F(PlaceCallsTest, P2_AFallbackWhenTheWantedNodesAreFull) {
  want("us");
  strategy().fallback = {{*cluster::parse_label_term("zone", "eu")}};
  backlog_.waiting = 3;
  PlacePlan first = plan();
  EXPECT_EQ(calls_to(first, 2), 2u);
  EXPECT_EQ(first.here, 1u);
}

TEST_F(PlaceCallsTest, P3_ALeaseThatIsNotTakenIsDecidedAgain) {
  want("us");
  strategy().fallback = {{*cluster::parse_label_term("zone", "eu")}};
  node(2, 2, {{"zone", "us"}}, 0);
  EXPECT_EQ(plan().here, 1u);
  node(1, 2, {{"zone", "eu"}}, 0);  // others took it
  EXPECT_EQ(plan().here, 1u);
  clock_.advance_ns(kSecondNs);
  node(2, 2, {{"zone", "us"}}, 2);
  view_.expire_debits();
  PlacePlan later = plan();
  EXPECT_EQ(later.here, 0u);
  EXPECT_EQ(calls_to(later, 2), 1u);
}

TEST_F(PlaceCallsTest, ACallThatWaitsAtAFullNodeIsAskedForOnce) {
  bind(2, false);
  node(2, 2, {}, 0);
  backlog_.waiting = 10;
  EXPECT_EQ(calls_to(plan(), 2), 1u);
  backlog_.promised = 1;
  EXPECT_EQ(calls_to(plan(), 2), 0u);
  backlog_.promised = 0;
  backlog_.under_way = 1;
  EXPECT_EQ(calls_to(plan(), 2), 0u);
}

TEST_F(PlaceCallsTest, P6_CallsThatHaveEndedTakeNoRoom) {
  bind(2, false);
  backlog_.waiting = 2;
  EXPECT_EQ(calls_to(plan(), 2), 2u);
  EXPECT_FALSE(placer_.explain(cpus(1), strategy(), view_).empty()) << "no room";
  backlog_.waiting = 0;
  backlog_.under_way = 2;
  plan();
  EXPECT_FALSE(placer_.explain(cpus(1), strategy(), view_).empty());
  backlog_.under_way = 0;
  plan();
  EXPECT_TRUE(placer_.explain(cpus(1), strategy(), view_).empty());
}

TEST_F(PlaceCallsTest, P5_HardAffinityToANodeThatIsGone) {
  bind(2, false);
  EXPECT_EQ(calls_to(plan(), 2), 1u);
  view_.remove_node(node_key(2));
  EXPECT_FALSE(plan().failure) << "it may be about to join";
  dead_.insert(node_id(2));
  PlacePlan over = plan();
  ASSERT_TRUE(over.failure);
  EXPECT_EQ(over.failure->kind(), ErrorKind::kUnschedulable);
  EXPECT_NE(over.failure->message().find("node 00000002 is not in the cluster"), std::string::npos);
  EXPECT_EQ(over.here, 0u);
}

TEST_F(PlaceCallsTest, P5_HardAffinityToANodeThatNobodyKnows) {
  bind(9, false);
  EXPECT_FALSE(plan().failure);
  clock_.advance_ns(3 * kSecondNs);
  ASSERT_TRUE(plan().failure);
}

TEST_F(PlaceCallsTest, P5_HardAffinityToANodeThatCanNeverRunIt) {
  bind(2, false);
  backlog_.resources = cpus(3);
  ASSERT_TRUE(plan().failure);
  EXPECT_NE(plan().failure->message().find("needs 3 CPU"), std::string::npos);
}

TEST_F(PlaceCallsTest, SoftAffinity) {
  bind(2, true);
  PlacePlan first = plan();
  EXPECT_EQ(calls_to(first, 2), 1u);
  EXPECT_EQ(first.here, 0u);
  view_.remove_node(node_key(2));
  PlacePlan second = plan();
  EXPECT_EQ(second.here, UINT64_MAX) << "as by default";
  EXPECT_FALSE(second.failure);
}

TEST_F(PlaceCallsTest, AffinityToThisNode) {
  bind(1, false);
  node(1, 2, {}, 0);
  clock_.advance_ns(kSecondNs);
  PlacePlan later = plan();
  EXPECT_EQ(later.here, UINT64_MAX);
  EXPECT_TRUE(later.elsewhere.empty());
}

TEST_F(PlaceCallsTest, WhatAnotherNodeSentHereIsNotDecidedAgain) {
  backlog_.place.here_only = true;
  clock_.advance_ns(kSecondNs);
  PlacePlan plan = this->plan();
  EXPECT_FALSE(plan.here);
  EXPECT_TRUE(plan.elsewhere.empty());
}

TEST_F(PlaceCallsTest, InfeasibleAndWhy) {
  want("mars");
  EXPECT_TRUE(plan().infeasible);
  EXPECT_FALSE(plan().failure) << "such a node may join";
  EXPECT_TRUE(placer_.is_infeasible(cpus(1), strategy(), view_));
  EXPECT_EQ(placer_.explain(cpus(1), strategy(), view_), "no node has zone = mars; nodes have zone = asia, eu, us");
}

TEST_F(PlaceCallsTest, OneDecisionForAnActor) {
  want("us");
  EXPECT_EQ(placer_.choose(cpus(2), strategy(), view_).node, node_key(2));
  cluster::Decision second = placer_.choose(cpus(2), strategy(), view_);
  EXPECT_EQ(second.outcome, cluster::Decision::Outcome::kLater) << "the first counts";
}

TEST(PlaceAloneTest, OnANodeThatHasNoOthers) {
  Labels labels = {{"zone", "eu"}};
  Strategy strategy;
  strategy.kind = Strategy::Kind::kSpread;
  EXPECT_TRUE(place_alone(strategy, node_id(1), labels).here);
  strategy = {.kind = Strategy::Kind::kAffinity, .node = node_id(1)};
  EXPECT_TRUE(place_alone(strategy, node_id(1), labels).here);
  EXPECT_FALSE(place_alone(strategy, node_id(2), labels).here);
  EXPECT_EQ(place_alone(strategy, node_id(2), labels).failure->kind(), ErrorKind::kUnschedulable);
  strategy.soft = true;
  EXPECT_TRUE(place_alone(strategy, node_id(2), labels).here);
  strategy = {};
  strategy.selector = {*cluster::parse_label_term("zone", "us")};
  AlonePlan plan = place_alone(strategy, node_id(1), labels);
  EXPECT_FALSE(plan.here);
  EXPECT_EQ(plan.reason, "no node has zone = us");
  strategy.fallback = {{*cluster::parse_label_term("zone", "exists()")}};
  EXPECT_TRUE(place_alone(strategy, node_id(1), labels).here);
}

TEST(ReadStrategyTest, WordsAndBack) {
  Scheduling words;
  words.kind = Scheduling::Kind::kNode;
  words.node_id = std::string(16, 'A');
  words.soft = true;
  words.labels = {{"zone", "in(eu, us)"}};
  words.fallback = {{}, {{"zone", "!exists()"}}};
  Result<Strategy> strategy = cluster::read_strategy(words);
  ASSERT_TRUE(strategy.ok());
  EXPECT_EQ(strategy->node.hex(), "41414141414141414141414141414141");
  EXPECT_EQ(cluster::describe(*strategy),
            "node 41414141 or another, labels zone in (eu, us), else any, else zone does not exist");
  EXPECT_EQ(*cluster::read_strategy({}), Strategy{});
  EXPECT_EQ(cluster::describe(Strategy{}), "");
  words.labels = {{"zone", "in("}};
  EXPECT_EQ(cluster::read_strategy(words).error().kind(), ErrorKind::kInvalid);
  words.labels = {};
  words.node_id = "short";
  EXPECT_EQ(cluster::read_strategy(words).error().kind(), ErrorKind::kInvalid);
  words.kind = static_cast<Scheduling::Kind>(200);
  EXPECT_EQ(cluster::read_strategy(words).error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace sabir::node
