#include "runtime/node/cluster/remote_lease_client.h"

#include <gtest/gtest.h>

#include <map>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

class RemoteLeaseClientTest : public testing::Test {
 protected:
  RemoteLeaseClientTest() {
    node(1, 4, 0);
    client.add_class({.token = 5, .job = 1, .resources = cpus(1)}, {});
  }

  void node(uint32_t number, double total, double free) {
    NodeState state = node_state(cpus(total));
    state.available[0] = static_cast<Units>(free * kUnit);
    show(view, node_key(number), state);
  }
  template <typename T>
  std::vector<T> take() {
    std::vector<T> found;
    std::erase_if(out, [&](const LeaseClientInstruction& instruction) {
      const T* one = std::get_if<T>(&instruction);
      if (one != nullptr) {
        found.push_back(*one);
      }
      return one != nullptr;
    });
    return found;
  }
  std::vector<LeaseRequest> requests() {
    client.tick();
    return take<LeaseRequest>();
  }
  void advance_ms(int64_t ms) {
    clock.advance_ns(ms * kMillisecondNs);
    client.tick();
  }
  void grant(const LeaseRequest& request, uint32_t slots) {
    client.on_answer({.client = request.client,
                      .server = request.server,
                      .number = request.number,
                      .outcome = LeaseOutcome::kGranted,
                      .slots = slots,
                      .valid_ns = 10 * kSecondNs});
  }
  void refuse(const LeaseRequest& request, uint32_t number, double total, double free) {
    NodeState state = node_state(cpus(total));
    state.available[0] = static_cast<Units>(free * kUnit);
    const ResourceView::Node* node = view.find(request.server.id);
    client.on_answer({.client = request.client,
                      .server = request.server,
                      .number = request.number,
                      .report = report_of(node_key(number), node->version + 1, state, node->statics->version)});
  }
  // Answers the last status with what the server has.
  void confirm(std::vector<LeaseStatusAnswer::Held> held) {
    auto sent = take<LeaseStatus>();
    ASSERT_FALSE(sent.empty());
    client.on_status_answer({self, sent.back().server, sent.back().sequence, 10 * kSecondNs, std::move(held)});
  }

  ManualClock clock;
  NodeKey self = node_key(1);
  ResourceView view{self, {}, &clock};
  Random random{1};
  std::vector<LeaseClientInstruction> out;
  RemoteLeaseClient client{self, {}, &view, &clock, &random, &out};
};

TEST_F(RemoteLeaseClientTest, ABacklogAsksForSlotsOfTheClass) {
  node(2, 16, 16);
  client.set_backlog(5, 10);
  auto sent = requests();
  ASSERT_EQ(sent.size(), 1u) << "one request for ten calls";
  EXPECT_EQ(sent[0].server, node_key(2));
  EXPECT_EQ(sent[0].slots, 10u);
  EXPECT_EQ(sent[0].wait_ns, 0);
  EXPECT_TRUE(requests().empty());
  grant(sent[0], 10);
  auto use = take<UseSlots>();
  ASSERT_EQ(use.size(), 1u);
  EXPECT_EQ(use[0].slots, 10u);
  client.set_in_flight(sent[0].number, 10);
  client.set_backlog(5, 3);
  EXPECT_EQ(requests()[0].slots, 3u) << "more waits than the slots can take";
}

TEST_F(RemoteLeaseClientTest, V6_LargeBacklogsAreSplitOverTheNodes) {
  for (uint32_t i = 2; i <= 5; ++i) {
    node(i, 4, 4);
  }
  client.set_backlog(5, 100);
  std::map<NodeKey, uint32_t> asked;
  for (const LeaseRequest& one : requests()) {
    asked[one.server] += one.slots;
  }
  EXPECT_EQ(asked.size(), 4u);
  for (const auto& [key, slots] : asked) {
    EXPECT_EQ(slots, 4u) << "what is free there, once";
  }
}

TEST_F(RemoteLeaseClientTest, LocalRoomIsForTheLocalScheduler) {
  node(1, 4, 2);
  node(2, 4, 4);
  client.set_backlog(5, 3);
  auto sent = requests();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].slots, 1u) << "two of three stay here";
  EXPECT_EQ(take<RunHere>().at(0).calls, 2u);
}

TEST_F(RemoteLeaseClientTest, ARefusalBringsNewsAndTheNextNodeIsAsked) {
  node(2, 4, 4);
  node(3, 4, 1);
  client.set_backlog(5, 4);
  auto sent = requests();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].server, node_key(2));
  refuse(sent[0], 2, 4, 0);
  EXPECT_EQ(view.find(node_id(2))->capacity.free().get(node::kCpu), 0);
  auto next = requests();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].server, node_key(3));
  EXPECT_EQ(next[0].slots, 1u);
  node(4, 4, 4);
  advance_ms(20);
  next = take<LeaseRequest>();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].server, node_key(4));
  EXPECT_EQ(next[0].slots, 3u);
}

TEST_F(RemoteLeaseClientTest, WhenNobodyHasRoomARequestWaitsWhereItCanBeServed) {
  node(1, 1, 0);
  node(2, 8, 0);
  client.add_class({.token = 6, .resources = cpus(4)}, {});
  client.set_backlog(6, 100);
  auto sent = requests();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_GT(sent[0].wait_ns, 0);
  EXPECT_LE(sent[0].slots, 4u);
  client.on_answer(
      {.client = self, .server = node_key(2), .number = sent[0].number, .outcome = LeaseOutcome::kWaiting});
  EXPECT_EQ(client.outcome(6), Decision::Outcome::kLater);
  EXPECT_EQ(client.explain(6), "needs 4 CPU; the most free on one node now is 0");
  advance_ms(800);
  EXPECT_TRUE(take<LeaseRequest>().empty()) << "one at a time, and not too often";
  advance_ms(100);
  auto again = take<LeaseRequest>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].number, sent[0].number) << "E1: perhaps the answer was lost";
  client.set_backlog(5, 100);
  EXPECT_TRUE(requests().empty()) << "the local node can serve this one later";
}

TEST_F(RemoteLeaseClientTest, InfeasibleCallsAskNobody) {
  client.add_class({.token = 6, .resources = {{"licence", kUnit}}}, {});
  client.set_backlog(6, 1);
  EXPECT_TRUE(requests().empty());
  EXPECT_EQ(client.outcome(6), Decision::Outcome::kInfeasible);
  EXPECT_EQ(client.explain(6), "needs 1 licence; no node has any");
  show(view, node_key(7), node_state({{"CPU", kUnit}, {"licence", kUnit}}));
  advance_ms(500);
  EXPECT_EQ(take<LeaseRequest>().size(), 1u) << "until a node comes that can";
}

TEST_F(RemoteLeaseClientTest, E1_RequestsAreRepeatedAndThenGivenUp) {
  node(2, 4, 4);
  client.set_backlog(5, 1);
  LeaseNumber number = requests().at(0).number;
  for (int i = 0; i < 9; ++i) {
    advance_ms(300);
    auto again = take<LeaseRequest>();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].number, number);
  }
  client.set_backlog(5, 0);
  advance_ms(300);
  EXPECT_TRUE(take<LeaseRequest>().empty());
  auto told = take<LeaseStatus>();
  ASSERT_EQ(told.size(), 1u) << "E3: should the server have it, it is over";
  EXPECT_TRUE(told[0].open.empty());
  EXPECT_EQ(told[0].next_lease, number + 1);
  advance_ms(300);
  EXPECT_EQ(take<LeaseStatus>().size(), 1u) << "until it is answered";
  client.on_status_answer({self, node_key(2), told[0].sequence + 1, kSecondNs, {}});
  advance_ms(1000);
  EXPECT_TRUE(client.quiet());
  EXPECT_TRUE(out.empty());
}

TEST_F(RemoteLeaseClientTest, E3_ALateGrantOfAGivenUpRequestIsGivenBack) {
  node(2, 4, 4);
  client.set_backlog(5, 1);
  LeaseRequest sent = requests().at(0);
  client.set_backlog(5, 0);
  for (int i = 0; i < 40; ++i) {
    advance_ms(100);
  }
  confirm({});
  client.tick();
  EXPECT_TRUE(client.quiet());
  out.clear();
  grant(sent, 1);
  advance_ms(10);
  EXPECT_TRUE(take<UseSlots>().empty());
  ASSERT_EQ(take<LeaseStatus>().size(), 1u);
}

TEST_F(RemoteLeaseClientTest, SteadyStateTakesOneStatusEachFewSeconds) {
  node(2, 16, 16);
  client.set_backlog(5, 8);
  LeaseRequest sent = requests().at(0);
  grant(sent, 8);
  client.set_in_flight(sent.number, 8);
  client.set_backlog(5, 0);
  out.clear();
  size_t statuses = 0;
  for (int i = 0; i < 6000; ++i) {  // a minute with calls all the time
    client.set_backlog(5, static_cast<uint32_t>(i % 2));
    client.set_in_flight(sent.number, 7 + static_cast<uint32_t>(i + 1) % 2);
    advance_ms(10);
    for (const LeaseStatus& status : take<LeaseStatus>()) {
      statuses += 1;
      client.on_status_answer({self, status.server, status.sequence, 10 * kSecondNs, {{sent.number, 8}}});
    }
    EXPECT_TRUE(take<LeaseRequest>().empty()) << i;
  }
  EXPECT_LE(statuses, 20u);
  EXPECT_EQ(client.slot_count(), 8u);
}

TEST_F(RemoteLeaseClientTest, E5_UnusedSlotsGoBack) {
  node(2, 16, 16);
  client.set_backlog(5, 8);
  LeaseRequest sent = requests().at(0);
  grant(sent, 8);
  client.set_in_flight(sent.number, 8);
  client.set_backlog(5, 0);
  advance_ms(3400);
  confirm({{sent.number, 8}});
  take<UseSlots>();
  client.set_in_flight(sent.number, 2);
  advance_ms(0);
  advance_ms(499);
  EXPECT_TRUE(take<UseSlots>().empty());
  advance_ms(1);
  EXPECT_EQ(take<UseSlots>().at(0).slots, 2u);
  EXPECT_EQ(take<LeaseStatus>().at(0).open.at(0).slots, 2u);
  client.set_in_flight(sent.number, 0);
  advance_ms(0);
  advance_ms(500);
  EXPECT_EQ(take<UseSlots>().at(0).slots, 0u);
  EXPECT_EQ(client.lease_count(), 0u);
  advance_ms(300);
  confirm({});
  client.tick();
  EXPECT_TRUE(client.quiet());
}

TEST_F(RemoteLeaseClientTest, E5_RecalledSlotsAreNotUsedAgain) {
  node(2, 16, 16);
  client.set_backlog(5, 8);
  LeaseRequest sent = requests().at(0);
  grant(sent, 8);
  client.set_in_flight(sent.number, 8);
  take<UseSlots>();
  client.on_recall({self, node_key(2), sent.number, 3});
  client.on_recall({self, node_key(2), sent.number, 5});
  client.on_recall({self, node_key(3), sent.number, 0});
  auto use = take<UseSlots>();
  ASSERT_EQ(use.size(), 1u);
  EXPECT_EQ(use[0].slots, 3u);
  client.on_recall({self, node_key(2), sent.number, 0});
  EXPECT_EQ(client.lease_count(), 1u) << "calls are under way";
  client.set_in_flight(sent.number, 0);
  EXPECT_EQ(client.lease_count(), 0u);
}

TEST_F(RemoteLeaseClientTest, E3_WhatTheServerDoesNotListIsOver) {
  node(2, 16, 16);
  client.set_backlog(5, 2);
  LeaseRequest sent = requests().at(0);
  grant(sent, 2);
  client.set_in_flight(sent.number, 2);
  take<UseSlots>();
  advance_ms(3400);
  confirm({});
  EXPECT_EQ(take<UseSlots>().at(0).slots, 0u);
}

TEST_F(RemoteLeaseClientTest, E4_WithoutAnAnswerALeaseIsNotUsedAnyMore) {
  node(2, 16, 16);
  client.set_backlog(5, 2);
  LeaseRequest sent = requests().at(0);
  grant(sent, 2);
  client.set_in_flight(sent.number, 2);
  take<UseSlots>();
  for (int i = 0; i < 99; ++i) {
    advance_ms(100);
    EXPECT_TRUE(take<UseSlots>().empty());
  }
  advance_ms(100);
  EXPECT_EQ(take<UseSlots>().at(0).slots, 0u);
}

TEST_F(RemoteLeaseClientTest, E6_ADeadServerIsForgottenAndOthersAreAsked) {
  node(2, 16, 16);
  client.set_backlog(5, 2);
  LeaseRequest sent = requests().at(0);
  grant(sent, 2);
  client.set_in_flight(sent.number, 2);
  take<UseSlots>();
  view.remove_node(node_key(2));
  client.tick();
  EXPECT_EQ(take<UseSlots>().at(0).slots, 0u);
  EXPECT_TRUE(client.quiet());
  node(3, 16, 16);
  client.set_backlog(5, 4);
  advance_ms(10);
  EXPECT_EQ(take<LeaseRequest>().at(0).server, node_key(3));
}

TEST_F(RemoteLeaseClientTest, C7_BundlesAreAskedWhereTheyAre) {
  node(2, 4, 0);
  node(3, 4, 0);
  GroupId group(node_id(50).bits());
  client.add_class({.token = 6, .resources = cpus(1)}, {.placement = {.group = group}});
  client.set_backlog(6, 2);
  EXPECT_TRUE(requests().empty());
  EXPECT_EQ(client.explain(6), "the placement group is not known to this node yet, or was removed");
  client.set_group(group, {{node_key(2), cpus(1)}, {node_key(3), cpus(1)}});
  auto sent = requests();
  ASSERT_EQ(sent.size(), 1u) << "two slots at once; the node grants what its bundle has";
  EXPECT_EQ(sent[0].what.placement.group, group);
  grant(sent[0], 1);
  client.set_in_flight(sent[0].number, 1);
  client.set_backlog(6, 1);
  auto next = requests();
  ASSERT_EQ(next.size(), 1u);
  client.set_group(group, {});
}

TEST_F(RemoteLeaseClientTest, ARemovedClassGivesEverythingBack) {
  node(2, 16, 16);
  client.set_backlog(5, 2);
  LeaseRequest held = requests().at(0);
  grant(held, 2);
  client.set_in_flight(held.number, 1);
  client.set_backlog(5, 5);
  client.tick();
  client.remove_class(5);
  client.remove_class(5);
  EXPECT_EQ(client.lease_count(), 1u) << "a call is under way";
  client.set_backlog(5, 9);
  out.clear();
  client.tick();
  EXPECT_TRUE(take<LeaseRequest>().empty());
  client.set_in_flight(held.number, 0);
  advance_ms(0);
  advance_ms(500);
  EXPECT_EQ(client.lease_count(), 0u);
}

}  // namespace
}  // namespace sabir::cluster
