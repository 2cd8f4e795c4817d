#include "runtime/node/cluster/remote_lease_server.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

class RemoteLeaseServerTest : public testing::Test {
 protected:
  RemoteLeaseServerTest() {
    view.add_node(client);
    view.add_node(other);
  }

  LeaseRequest request(LeaseNumber number, uint32_t slots, double size = 1, int64_t wait_ns = 0) {
    return {.client = client,
            .server = self,
            .number = number,
            .what = {.token = 1, .resources = cpus(size)},
            .slots = slots,
            .wait_ns = wait_ns};
  }
  // The last answer to a request, if there was one.
  std::optional<LeaseAnswer> ask(const LeaseRequest& what) {
    out.clear();
    server.on_request(what);
    return last<LeaseAnswer>();
  }
  template <typename T>
  std::optional<T> last() {
    std::optional<T> found;
    for (const LeaseServerInstruction& instruction : out) {
      if (const T* one = std::get_if<T>(&instruction)) {
        found = *one;
      }
    }
    out.clear();
    return found;
  }
  std::optional<LeaseStatusAnswer> status(uint64_t sequence, LeaseNumber next, std::vector<LeaseStatus::Open> open) {
    out.clear();
    server.on_status({client, self, sequence, next, std::move(open)});
    return last<LeaseStatusAnswer>();
  }
  void advance_ms(int64_t ms) {
    clock.advance_ns(ms * kMillisecondNs);
    server.tick();
  }
  Units free_cpu() { return resources.free(node::kCpu) / kUnit; }

  ManualClock clock;
  NodeKey self = node_key(1), client = node_key(2), other = node_key(3);
  ResourceView view{self, {}, &clock};
  node::NodeResources resources = *node::NodeResources::create(cpus(4));
  NodeLedger ledger{&resources};
  std::vector<LeaseServerInstruction> out;
  RemoteLeaseServer server{self, {}, &view, &ledger, &clock, &out};
};

TEST_F(RemoteLeaseServerTest, E1_E2_GrantsWhatIsFreeAndTheSameAgain) {
  auto first = ask(request(1, 3));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->outcome, LeaseOutcome::kGranted);
  EXPECT_EQ(first->slots, 3u);
  EXPECT_EQ(free_cpu(), 1);
  EXPECT_EQ(ask(request(1, 3))->slots, 3u);
  EXPECT_EQ(free_cpu(), 1);
  EXPECT_EQ(ask(request(2, 5))->slots, 1u) << "fewer than asked for";
  auto refused = ask(request(3, 1));
  EXPECT_EQ(refused->outcome, LeaseOutcome::kRefused);
  EXPECT_EQ(refused->reason, "{CPU: 1} is not free now");
}

TEST_F(RemoteLeaseServerTest, E2_CallsTakeSlotsAndGiveThemBack) {
  ask(request(1, 2));
  auto first = server.begin(client, 1);
  auto second = server.begin(client, 1);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(server.begin(client, 1));
  EXPECT_FALSE(server.begin(client, 9));
  EXPECT_FALSE(server.begin(other, 1));
  server.end(first->id);
  EXPECT_EQ(free_cpu(), 2) << "the slot stays with the client";
  EXPECT_TRUE(server.begin(client, 1));
}

TEST_F(RemoteLeaseServerTest, E3_WhatAStatusDoesNotListIsOver) {
  ask(request(1, 1));
  ask(request(2, 1));
  auto answer = status(1, 3, {{2, 1}});
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->held.size(), 1u);
  EXPECT_EQ(answer->held[0].number, 2u);
  EXPECT_EQ(free_cpu(), 3);
  EXPECT_FALSE(ask(request(1, 1))) << "its copy comes late";
  EXPECT_EQ(free_cpu(), 3);
  EXPECT_TRUE(ask(request(3, 1))) << "not below next_lease";
  EXPECT_FALSE(status(0, 9, {})) << "an earlier status";
  EXPECT_EQ(free_cpu(), 2);
  EXPECT_TRUE(status(1, 3, {{2, 1}})) << "the same again is answered again";
  EXPECT_TRUE(status(2, 5, {{4, LeaseStatus::kAsked}}));
  EXPECT_EQ(free_cpu(), 4);
  EXPECT_EQ(ask(request(4, 1))->outcome, LeaseOutcome::kGranted) << "it was listed as asked for";
}

TEST_F(RemoteLeaseServerTest, E5_SlotsBecomeFewerWhenTheirCallsHaveEnded) {
  ask(request(1, 4));
  auto a = server.begin(client, 1);
  auto b = server.begin(client, 1);
  status(1, 2, {{1, 1}});
  EXPECT_EQ(free_cpu(), 2) << "two were unused; of the two used ones one is too many";
  EXPECT_FALSE(server.begin(client, 1));
  server.end(a->id);
  EXPECT_EQ(free_cpu(), 3);
  server.end(b->id);
  EXPECT_EQ(free_cpu(), 3);
  EXPECT_EQ(status(2, 2, {{1, 3}})->held[0].slots, 1u) << "an earlier number of slots does not come back";
  status(3, 2, {{1, 0}});
  EXPECT_EQ(free_cpu(), 4);
}

TEST_F(RemoteLeaseServerTest, E4_WithoutStatusALeaseIsOver) {
  ask(request(1, 2));
  auto slot = server.begin(client, 1);
  advance_ms(6'000);
  status(1, 2, {{1, 2}});
  advance_ms(6'000);
  EXPECT_EQ(free_cpu(), 2);
  advance_ms(4'000);
  EXPECT_EQ(free_cpu(), 3);
  EXPECT_FALSE(server.begin(client, 1));
  EXPECT_EQ(ask(request(1, 2))->outcome, LeaseOutcome::kRefused);
  server.end(slot->id);
  EXPECT_EQ(free_cpu(), 4) << "what ran held it until it ended";
  EXPECT_EQ(server.next_wake_ns(), std::nullopt);
}

TEST_F(RemoteLeaseServerTest, E6_OnlyMembersOfTheRightIncarnationAreHeard) {
  LeaseRequest wrong = request(1, 1);
  wrong.server.incarnation = 7;
  EXPECT_FALSE(ask(wrong));
  wrong = request(1, 1);
  wrong.client = node_key(2, 9);
  EXPECT_EQ(ask(wrong)->outcome, LeaseOutcome::kRefused);
  EXPECT_EQ(free_cpu(), 4);
  out.clear();
  server.on_status({node_key(2, 9), self, 1, 1, {}});
  EXPECT_TRUE(out.empty());
}

TEST_F(RemoteLeaseServerTest, E6_ADeadClientsLeasesAreOverAndWhatRunsIsStopped) {
  ask(request(1, 3));
  auto slot = server.begin(client, 1);
  out.clear();
  view.add_node(node_key(2, 2));
  server.tick();
  auto stop = last<StopSlot>();
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->slot, slot->id);
  EXPECT_EQ(free_cpu(), 3);
  server.end(slot->id);
  EXPECT_EQ(free_cpu(), 4);
  view.remove_node(other);
  server.tick();
  EXPECT_TRUE(out.empty());
}

TEST_F(RemoteLeaseServerTest, E7_RequestsWaitInOrderAndForSoLong) {
  auto all = ledger.claim(*resources.resolve(cpus(4)), {});
  EXPECT_EQ(ask(request(1, 2, 1, kSecondNs))->outcome, LeaseOutcome::kWaiting);
  EXPECT_EQ(ask(request(1, 2, 1, kSecondNs))->outcome, LeaseOutcome::kWaiting);
  EXPECT_EQ(ask(request(2, 9, 1, 2 * kSecondNs))->outcome, LeaseOutcome::kWaiting);
  auto never = ask(request(3, 1, 5, kSecondNs));
  EXPECT_EQ(never->outcome, LeaseOutcome::kRefused);
  EXPECT_EQ(never->reason, "{CPU: 5} is more than there is here");
  EXPECT_EQ(server.waiting_count(), 2u);
  EXPECT_EQ(server.waiting_demand()[1].second, 9u);
  ledger.release(*all);
  server.tick();
  auto second = last<LeaseAnswer>();
  EXPECT_EQ(second->number, 2u);
  EXPECT_EQ(second->slots, 2u) << "the first one got two before";
  EXPECT_EQ(ask(request(1, 2, 1, kSecondNs))->slots, 2u) << "its answer was lost: asked again";
  EXPECT_EQ(ask(request(4, 1, 1, kSecondNs))->outcome, LeaseOutcome::kWaiting);
  advance_ms(1000);
  auto late = last<LeaseAnswer>();
  EXPECT_EQ(late->outcome, LeaseOutcome::kRefused);
  EXPECT_EQ(late->reason, "nothing became free in time");
  EXPECT_EQ(server.waiting_count(), 0u);
}

TEST_F(RemoteLeaseServerTest, E7_WhoCameFirstIsServedFirst) {
  auto three = ledger.claim(*resources.resolve(cpus(3)), {});
  ResourceSet two = *resources.resolve(cpus(2));
  server.set_local_waiting({{two, clock.now_ns()}});
  clock.advance_ns(1);
  EXPECT_EQ(ask(request(1, 1))->outcome, LeaseOutcome::kRefused) << "a local call waits for the CPU that is free";
  EXPECT_EQ(ask(request(2, 1, 1, kSecondNs))->outcome, LeaseOutcome::kWaiting);
  server.tick();
  EXPECT_EQ(server.waiting_count(), 1u);
  server.set_local_waiting({{two, clock.now_ns() + 1}});
  server.tick();
  EXPECT_EQ(server.waiting_count(), 0u) << "it was earlier";

  ask(request(3, 1, 2, kSecondNs));
  EXPECT_TRUE(server.goes_first(two, clock.now_ns() + 1));
  EXPECT_FALSE(server.goes_first(two, clock.now_ns() - 1));
  EXPECT_FALSE(server.goes_first(*resources.resolve({{"memory", 1}}), clock.now_ns() + 1)) << "not in its way";
  ledger.release(*three);
}

TEST_F(RemoteLeaseServerTest, E7_WhoWaitsForWhatGroupsHoldIsInNobodysWay) {
  auto bundle = ledger.reserve(GroupId(node_id(50).bits()), {{0, *resources.resolve(cpus(2))}});
  ResourceSet three = *resources.resolve(cpus(3));
  server.set_local_waiting({{three, clock.now_ns() - 1}});
  EXPECT_EQ(ask(request(1, 1))->outcome, LeaseOutcome::kGranted);
  ledger.close(bundle->front());
  EXPECT_EQ(ask(request(2, 1))->outcome, LeaseOutcome::kRefused) << "now it can be waited for";
}

TEST_F(RemoteLeaseServerTest, E5_RecallTakesUnusedSlotsAtOnceAndUsedOnesWhenTheyEnd) {
  ask(request(1, 3));
  ask(request(2, 1));
  auto used = server.begin(client, 2);
  ResourceSet one = *resources.resolve(cpus(1));
  EXPECT_EQ(server.recall(one, 1), 1u);
  auto recall = last<LeaseRecall>();
  EXPECT_EQ(recall->number, 1u);
  EXPECT_EQ(recall->slots, 2u);
  EXPECT_EQ(free_cpu(), 1);
  EXPECT_EQ(status(1, 3, {{1, 3}, {2, 1}})->held[0].slots, 2u) << "the recall was lost: the answer says it again";
  EXPECT_EQ(server.recall(one, 10), 3u);
  EXPECT_EQ(free_cpu(), 3);
  server.end(used->id);
  EXPECT_EQ(free_cpu(), 4);
  EXPECT_EQ(server.recall(one, 1), 0u);
  EXPECT_EQ(server.recall(*resources.resolve({{"memory", 1}}), 1), 0u);
}

TEST_F(RemoteLeaseServerTest, SlotsInABundleEndWithIt) {
  GroupId group(node_id(50).bits());
  auto bundle = ledger.reserve(group, {{0, *resources.resolve(cpus(3))}});
  ledger.open(bundle->front());
  LeaseRequest what = request(1, 3);
  what.what.placement = {.group = group, .bundle = 0};
  EXPECT_EQ(ask(what)->slots, 3u);
  EXPECT_EQ(free_cpu(), 1);
  EXPECT_EQ(server.recall(*resources.resolve(cpus(1)), 1), 0u) << "it would free nothing outside of the bundle";
  auto slot = server.begin(client, 1);
  EXPECT_FALSE(ledger.close(bundle->front()));
  out.clear();
  server.end_bundle(bundle->front());
  server.end_bundle(bundle->front());
  ASSERT_EQ(out.size(), 2u) << "one to stop, one recall; the second time nothing";
  EXPECT_EQ(std::get<StopSlot>(out[0]).slot, slot->id);
  EXPECT_EQ(std::get<LeaseRecall>(out[1]).slots, 0u);
  EXPECT_FALSE(server.begin(client, 1));
  server.end(slot->id);
  EXPECT_EQ(free_cpu(), 4);
}

TEST_F(RemoteLeaseServerTest, BadRequestsAndDraining) {
  EXPECT_EQ(ask(request(1, 0))->outcome, LeaseOutcome::kRefused);
  EXPECT_EQ(ask(request(1, kMaxSlotsOfLease + 1))->outcome, LeaseOutcome::kRefused);
  EXPECT_EQ(ask(request(1, 1, -1))->outcome, LeaseOutcome::kRefused);
  ask(request(1, 1));
  server.drain();
  EXPECT_EQ(ask(request(1, 1))->outcome, LeaseOutcome::kGranted) << "what it has";
  EXPECT_EQ(ask(request(2, 1))->reason, "node 00000001 is draining: it takes nothing new");
  GroupId group(node_id(50).bits());
  ledger.open(ledger.reserve(group, {{0, *resources.resolve(cpus(1))}})->front());
  LeaseRequest in_bundle = request(3, 1);
  in_bundle.what.placement.group = group;
  EXPECT_EQ(ask(in_bundle)->outcome, LeaseOutcome::kGranted) << "what was reserved before goes on";
}

}  // namespace
}  // namespace sabir::cluster
