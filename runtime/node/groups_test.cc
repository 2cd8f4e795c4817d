#include "runtime/node/groups.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::node {
namespace {

using cluster::GroupId;
using cluster::GroupMessage;
using cluster::GroupRequest;
using cluster::GroupSpec;
using cluster::GroupStage;
using cluster::NodeKey;

// A node with four CPUs that is alone.
class GroupsTest : public testing::Test {
 protected:
  GroupsTest() {
    view.add_node(self);
    report();
    groups.lead(&view, &storage);
  }
  void report() {
    cluster::NodeState state = cluster::state_of(resources);
    view.apply_report(cluster::report_of(self, ++version, state));
  }
  Groups::Hooks hooks() {
    Groups::Hooks made;
    made.send = [this](const GroupMessage&) { ++others; };
    made.report = [this] { report(); };
    made.make_room = [this](const ResourceSet&) { return room; };
    return made;
  }
  GroupSpec spec(uint8_t number, double size) {
    return {.id = GroupId(IdBits{.bytes = {number}}),
            .job = cluster::JobKey(IdBits{.bytes = {1}}),
            .bundles = {{cluster::cpus(size)}}};
  }
  Result<void> create(const GroupSpec& group) {
    Result<void> outcome = internal_error("no answer");
    groups.create(group, kSecondNs, [&](Result<void> answer) { outcome = std::move(answer); });
    return outcome;
  }
  Units free_cpus() { return resources.free(kCpu) / kUnit; }

  const NodeKey self = cluster::node_key(1);
  ManualClock clock;
  cluster::ResourceView view{self, {}, &clock};
  uint64_t version = 0;
  cluster::NoGroupStorage storage;
  NodeResources resources = *NodeResources::create(cluster::cpus(4));
  cluster::NodeLedger ledger{&resources};
  bool room = true;
  int others = 0;
  Groups groups{self, 1, {}, &ledger, &clock, hooks()};
};

TEST_F(GroupsTest, OnOneNodeAGroupIsReadyAtOnce) {
  GroupSpec group = spec(1, 3);
  ASSERT_TRUE(create(group).ok());
  EXPECT_TRUE(groups.watch(group.id, [](const Result<void>&) { FAIL(); }));
  ASSERT_NE(groups.known(group.id), nullptr);
  EXPECT_EQ(groups.known(group.id)->stage, GroupStage::kReady);
  EXPECT_EQ(free_cpus(), 1);
  EXPECT_EQ(ledger.open_bundles({.group = group.id}).size(), 1u);
  groups.remove(group.id, kSecondNs, [](const Result<void>& removed) { EXPECT_TRUE(removed.ok()); });
  EXPECT_EQ(free_cpus(), 4);
  EXPECT_EQ(groups.known(group.id)->stage, GroupStage::kGone);
  EXPECT_TRUE(groups.closing().empty()) << "nothing ran in it";
  EXPECT_EQ(others, 0);
}

TEST_F(GroupsTest, WhoWaitsHearsOfTheEnd) {
  ASSERT_TRUE(create(spec(1, 3)).ok());
  GroupSpec second = spec(2, 2);
  ASSERT_TRUE(create(second).ok());
  std::optional<Result<void>> first_waiter;
  std::optional<Result<void>> second_waiter;
  EXPECT_FALSE(groups.watch(second.id, [&](Result<void> outcome) { first_waiter = std::move(outcome); }));
  EXPECT_FALSE(groups.watch(second.id, [&](Result<void> outcome) { second_waiter = std::move(outcome); }));
  EXPECT_FALSE(first_waiter);
  groups.remove(spec(1, 3).id, kSecondNs, [](const Result<void>&) {});
  clock.advance_ns(kSecondNs);
  groups.tick();
  ASSERT_TRUE(first_waiter && second_waiter);
  EXPECT_TRUE(first_waiter->ok() && second_waiter->ok());
  GroupSpec third = spec(3, 4);
  ASSERT_TRUE(create(third).ok());
  std::optional<Result<void>> removed;
  groups.watch(third.id, [&](Result<void> outcome) { removed = std::move(outcome); });
  groups.end_job(third.job);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->error().kind(), ErrorKind::kGroupRemoved);
  EXPECT_EQ(free_cpus(), 4);
}

TEST_F(GroupsTest, ABundleWaitsForLeasesThatEnd) {
  room = false;
  GroupSpec group = spec(1, 3);
  ASSERT_TRUE(create(group).ok());
  EXPECT_EQ(groups.known(group.id)->stage, GroupStage::kPending) << "as it was made; nothing has changed since";
  EXPECT_EQ(free_cpus(), 4);
  room = true;
  clock.advance_ns(kMillisecondNs);
  groups.tick();
  EXPECT_EQ(groups.known(group.id)->stage, GroupStage::kReady);
}

TEST_F(GroupsTest, WhatRunsInABundleThatIsRemovedIsToEnd) {
  GroupSpec group = spec(1, 3);
  ASSERT_TRUE(create(group).ok());
  ResourceSet wanted = *resources.resolve(cluster::cpus(1));
  auto claim = ledger.claim(wanted, {.group = group.id});
  ASSERT_TRUE(claim);
  groups.remove(group.id, kSecondNs, [](const Result<void>&) {});
  EXPECT_EQ(groups.closing(), std::set<AccountId>{claim->bundle});
  EXPECT_EQ(free_cpus(), 1) << "not before it has ended";
  ledger.release(*claim);
  EXPECT_EQ(free_cpus(), 4);
}

TEST_F(GroupsTest, OfAGroupThatNobodyMadeThereIsNothing) {
  const cluster::GroupState* state = groups.known(spec(9, 1).id);
  ASSERT_NE(state, nullptr) << "the coordinator is here";
  EXPECT_EQ(state->stage, GroupStage::kGone);
  bool answered = false;
  groups.find(spec(9, 1).id, "", "", kSecondNs, [&](const Result<std::vector<cluster::GroupState>>& found) {
    answered = true;
    EXPECT_EQ(found.error().kind(), ErrorKind::kGroupRemoved);
  });
  EXPECT_TRUE(answered);
}

// Of a cluster: what it says to the control store stays in a list.
class FarGroupsTest : public GroupsTest {
 protected:
  Groups::Hooks hooks() {
    Groups::Hooks made = GroupsTest::hooks();
    made.send = [this](const GroupMessage& message) { said.push_back(message); };
    return made;
  }
  std::vector<GroupRequest> requests() {
    std::vector<GroupRequest> list;
    for (const GroupMessage& message : std::exchange(said, {})) {
      if (const auto* request = std::get_if<GroupRequest>(&message)) {
        list.push_back(*request);
      }
    }
    return list;
  }
  void wait_ns(int64_t duration_ns) {
    clock.advance_ns(duration_ns);
    far.tick();
  }

  using Kind = GroupRequest::Kind;
  std::vector<GroupMessage> said;
  Groups far{self, 7, {}, &ledger, &clock, hooks()};
};

TEST_F(FarGroupsTest, WithoutAnAnswerAQuestionIsAskedAgainAndEnds) {
  std::optional<Result<void>> outcome;
  far.create(spec(1, 1), 5 * kSecondNs, [&](Result<void> answer) { outcome = std::move(answer); });
  std::vector<GroupRequest> first = requests();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].epoch, 7u);
  wait_ns(kSecondNs);
  EXPECT_EQ(requests().size(), 1u);
  EXPECT_FALSE(outcome);
  wait_ns(5 * kSecondNs);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().kind(), ErrorKind::kTimeout);
  std::vector<GroupRequest> after = requests();
  ASSERT_FALSE(after.empty());
  EXPECT_EQ(after.back().kind, Kind::kRemove) << "perhaps it was made";
  EXPECT_EQ(after.back().group, spec(1, 1).id);
  wait_ns(kSecondNs);
  after = requests();
  ASSERT_EQ(after.size(), 1u) << "until that is answered";
  EXPECT_EQ(after[0].kind, Kind::kRemove);
  far.on_message(cluster::GroupAnswer{.number = after[0].number});
  wait_ns(kSecondNs);
  EXPECT_TRUE(requests().empty());
}

TEST_F(FarGroupsTest, AnotherLifeOfTheControlStoreIsAskedAnewAndToldWhatIsHere) {
  far.on_message(cluster::PrepareBundles{
      .epoch = 7, .node = self, .group = spec(1, 1).id, .attempt = 1, .bundles = {{0, cluster::cpus(1)}}});
  far.create(spec(2, 1), 5 * kSecondNs, [](const Result<void>&) {});
  cluster::GroupState known{.spec = spec(3, 1), .stage = GroupStage::kReady};
  far.on_message(known);
  requests();
  far.coordinator_changed(8);
  bool told = false;
  for (const GroupMessage& message : said) {
    const auto* inventory = std::get_if<cluster::BundleInventory>(&message);
    told = told || (inventory != nullptr && inventory->bundles.size() == 1);
  }
  EXPECT_TRUE(told);
  std::vector<GroupRequest> asked = requests();
  ASSERT_EQ(asked.size(), 2u);
  for (const GroupRequest& request : asked) {
    EXPECT_EQ(request.epoch, 8u);
    EXPECT_EQ(request.kind, request.group == spec(3, 1).id ? Kind::kFind : Kind::kCreate);
  }
}

TEST_F(FarGroupsTest, WhatAJobAskedForIsNotRepeatedAfterItsEnd) {
  std::optional<Result<void>> outcome;
  far.create(spec(1, 1), 5 * kSecondNs, [&](Result<void> answer) { outcome = std::move(answer); });
  requests();
  far.end_job(spec(1, 1).job);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().kind(), ErrorKind::kGroupRemoved);
  wait_ns(kSecondNs);
  for (const GroupRequest& request : requests()) {
    EXPECT_EQ(request.kind, Kind::kEndJob);
  }
}

}  // namespace
}  // namespace sabir::node
