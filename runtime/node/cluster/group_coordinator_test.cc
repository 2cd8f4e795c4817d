#include "runtime/node/cluster/group_coordinator.h"

#include <gtest/gtest.h>

#include <memory>

#include "runtime/node/cluster/bundle_manager.h"
#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

// What is stored is durable when the test says so.
class SlowStorage final : public GroupStorage {
 public:
  void commit(std::vector<GroupChange> changes, std::function<void()> durable) override {
    for (GroupChange& change : changes) {
      if (change.record) {
        records.insert_or_assign(change.group, *change.record);
      } else {
        records.erase(change.group);
      }
    }
    waiting.push_back(std::move(durable));
  }
  void settle() {
    while (!waiting.empty()) {
      std::function<void()> durable = std::move(waiting.front());
      waiting.pop_front();
      durable();
    }
  }

  std::map<GroupId, GroupRecord> records;
  std::deque<std::function<void()>> waiting;
};

// One coordinator and one node that reserves, messages in a list.
class GroupCoordinatorTest : public testing::Test {
 protected:
  GroupCoordinatorTest() {
    show(view, worker, node_state(cpus(4)));
    show(view, asker, node_state(cpus(0)));
    start(1);
  }

  void start(uint64_t epoch) {
    sent.clear();
    coordinator = std::make_unique<GroupCoordinator>(
        epoch, GroupOptions{}, &view, &clock, 1, &storage,
        [this](const NodeKey& to, GroupMessage message) { sent.emplace_back(to, std::move(message)); });
    std::vector<GroupRecord> records;
    for (const auto& [id, record] : storage.records) {
      records.push_back(record);
    }
    coordinator->load(std::move(records));
  }

  GroupSpec spec(uint32_t number, double size = 1) {
    return {
        .id = GroupId(node_id(1000 + number).bits()), .job = JobKey(IdBits{.bytes = {1}}), .bundles = {{cpus(size)}}};
  }
  void ask(GroupRequest request) { coordinator->on_message(asker, request); }
  void create(const GroupSpec& group, uint64_t number) {
    ask({.number = number, .kind = GroupRequest::Kind::kCreate, .spec = group});
  }
  // Delivers what is for the node, and keeps the rest in `heard`.
  void run() {
    while (!sent.empty()) {
      auto [to, message] = std::move(sent.front());
      sent.erase(sent.begin());
      std::optional<GroupMessage> answer;
      if (auto* prepare = std::get_if<PrepareBundles>(&message)) {
        answer = *bundles.prepare(*prepare);
      } else if (auto* commit = std::get_if<CommitBundles>(&message)) {
        answer = *bundles.commit(*commit);
      } else if (auto* drop = std::get_if<DropBundles>(&message)) {
        answer = *bundles.drop(*drop);
      } else {
        heard.emplace_back(to, std::move(message));
      }
      if (answer) {
        coordinator->on_message(worker, *answer);
      }
      coordinator->tick();
      storage.settle();
    }
  }
  std::optional<GroupAnswer> answer(uint64_t number) {
    for (const auto& [to, message] : heard) {
      const auto* told = std::get_if<GroupAnswer>(&message);
      if (told != nullptr && told->number == number && to == asker) {
        return *told;
      }
    }
    return std::nullopt;
  }
  std::vector<GroupStage> stages(const GroupId& group) {
    std::vector<GroupStage> list;
    for (const auto& [to, message] : heard) {
      if (const auto* state = std::get_if<GroupState>(&message); state != nullptr && state->spec.id == group) {
        list.push_back(state->stage);
      }
    }
    return list;
  }

  const NodeKey worker = node_key(1);
  const NodeKey asker = node_key(2);
  ManualClock clock;
  ResourceView view{NodeKey{}, {}, &clock};
  SlowStorage storage;
  node::NodeResources resources = *node::NodeResources::create(cpus(4));
  NodeLedger ledger{&resources};
  std::vector<EndBundleUsers> ends;
  BundleManager bundles{worker, {}, &ledger, &clock, &ends};
  std::unique_ptr<GroupCoordinator> coordinator;
  std::vector<std::pair<NodeKey, GroupMessage>> sent;
  std::vector<std::pair<NodeKey, GroupMessage>> heard;
};

TEST_F(GroupCoordinatorTest, K1_NothingLeavesBeforeItIsStored) {
  create(spec(1), 1);
  EXPECT_TRUE(sent.empty()) << "neither the answer nor the nodes' orders";
  EXPECT_EQ(storage.records.size(), 1u);
  storage.settle();
  ASSERT_FALSE(sent.empty());
  run();
  ASSERT_TRUE(answer(1));
  EXPECT_FALSE(answer(1)->failure);
  EXPECT_EQ(bundles.views().size(), 1u);
  EXPECT_TRUE(storage.records.at(spec(1).id).ready);
}

TEST_F(GroupCoordinatorTest, K2_ARequestThatComesAgainHasOneEffect) {
  create(spec(1), 1);
  create(spec(1), 1);
  ask({.number = 2, .kind = GroupRequest::Kind::kWait, .group = spec(1).id});
  ask({.number = 2, .kind = GroupRequest::Kind::kWait, .group = spec(1).id});
  storage.settle();
  run();
  size_t answers = 0;
  for (const auto& [to, message] : heard) {
    const auto* told = std::get_if<GroupAnswer>(&message);
    answers += told != nullptr && told->number == 2 ? 1 : 0;
  }
  EXPECT_EQ(answers, 1u);
  ask({.number = 3, .kind = GroupRequest::Kind::kRemove, .group = spec(1).id});
  ask({.number = 3, .kind = GroupRequest::Kind::kRemove, .group = spec(1).id});
  storage.settle();
  run();
  EXPECT_TRUE(storage.records.empty());
  EXPECT_TRUE(bundles.views().empty());
  EXPECT_TRUE(coordinator->groups().quiet());
}

TEST_F(GroupCoordinatorTest, K3_WhoMadeAGroupHearsOfItsChanges) {
  create(spec(1), 1);
  storage.settle();
  run();
  ASSERT_FALSE(stages(spec(1).id).empty());
  EXPECT_EQ(stages(spec(1).id).back(), GroupStage::kReady);
  ask({.number = 2, .kind = GroupRequest::Kind::kEndJob, .job = spec(1).job});
  storage.settle();
  run();
  EXPECT_EQ(stages(spec(1).id).back(), GroupStage::kGone);
  ask({.number = 3, .kind = GroupRequest::Kind::kFind, .group = spec(1).id});
  run();
  EXPECT_EQ(answer(3)->failure->kind(), ErrorKind::kGroupRemoved);
  ask({.number = 4, .kind = GroupRequest::Kind::kWait, .group = spec(1).id});
  run();
  EXPECT_EQ(answer(4)->failure->kind(), ErrorKind::kGroupRemoved);
}

TEST_F(GroupCoordinatorTest, AGroupThatWaitsSaysWhy) {
  create(spec(1, 9), 1);
  storage.settle();
  run();
  ask({.number = 2, .kind = GroupRequest::Kind::kFind});
  run();
  ASSERT_EQ(answer(2)->groups.size(), 1u);
  const GroupState& state = answer(2)->groups.front();
  EXPECT_EQ(state.stage, GroupStage::kPending);
  EXPECT_TRUE(state.infeasible);
  EXPECT_NE(state.reason.find("CPU"), std::string::npos) << state.reason;
  ask({.number = 3, .kind = GroupRequest::Kind::kWait, .group = spec(1).id});
  ask({.number = 4, .kind = GroupRequest::Kind::kCancelWait, .wait_number = 3});
  ask({.number = 5, .kind = GroupRequest::Kind::kRemove, .group = spec(1).id});
  storage.settle();
  run();
  EXPECT_FALSE(answer(3)) << "nobody waits for it any more";
}

TEST_F(GroupCoordinatorTest, ANextLifeGoesOnFromWhatWasStored) {
  create(spec(1), 1);
  storage.settle();
  run();
  start(2);
  ask({.number = 9, .kind = GroupRequest::Kind::kFind, .group = spec(1).id});
  run();
  EXPECT_EQ(answer(9)->groups.front().stage, GroupStage::kReady);
  ask({.number = 10, .kind = GroupRequest::Kind::kRemove, .group = spec(1).id});
  storage.settle();
  run();
  EXPECT_TRUE(bundles.views().empty());
}

TEST_F(GroupCoordinatorTest, K1_WhatTheStorageRefusedDidNotHappen) {
  create(spec(1), 1);
  storage.settle();
  run();
  std::map<GroupId, GroupRecord> kept = storage.records;
  ask({.number = 2, .kind = GroupRequest::Kind::kRemove, .group = spec(1).id});
  create(spec(2), 3);
  ask({.number = 4, .kind = GroupRequest::Kind::kWait, .group = spec(2).id});
  EXPECT_TRUE(sent.empty());
  storage.waiting.clear();
  coordinator->load({kept.at(spec(1).id)});
  storage.records = kept;
  run();
  EXPECT_FALSE(answer(2));
  EXPECT_FALSE(answer(3));
  EXPECT_EQ(stages(spec(1).id).back(), GroupStage::kReady);
  EXPECT_TRUE(stages(spec(2).id).empty()) << "it never was there, and may come still";
  EXPECT_EQ(bundles.views().size(), 1u) << "nothing was dropped";
  create(spec(2), 3);  // asked again
  storage.settle();
  run();
  EXPECT_FALSE(answer(3)->failure);
  EXPECT_EQ(stages(spec(2).id).back(), GroupStage::kReady);
  EXPECT_EQ(bundles.views().size(), 2u);
  EXPECT_FALSE(answer(4)) << "who waits asks again";
}

TEST_F(GroupCoordinatorTest, K4_AJobThatEndedGetsNoMoreGroups) {
  ask({.number = 1, .kind = GroupRequest::Kind::kEndJob, .job = spec(1).job});
  create(spec(1), 2);
  GroupSpec detached = spec(2);
  detached.detached = true;
  create(detached, 3);
  storage.settle();
  run();
  EXPECT_EQ(answer(2)->failure->kind(), ErrorKind::kGroupRemoved);
  EXPECT_FALSE(answer(3)->failure) << "it outlives its job";
  EXPECT_EQ(storage.records.size(), 1u);
}

TEST_F(GroupCoordinatorTest, ALargeGroupIsRefused) {
  GroupSpec large = spec(1);
  for (size_t bundle = 0; bundle < kMaxBundles - 1; ++bundle) {
    Amounts amounts = cpus(1);
    for (int i = 0; i < 20; ++i) {
      amounts.push_back({std::string(200, 'r') + std::to_string(i), kUnit});
    }
    large.bundles.push_back({amounts});
  }
  create(large, 1);
  storage.settle();
  run();
  EXPECT_EQ(answer(1)->failure->kind(), ErrorKind::kInvalid);
  EXPECT_TRUE(storage.records.empty());
}

TEST_F(GroupCoordinatorTest, AmountsThatCannotBeAddedAreRefused) {
  GroupSpec huge = spec(1);
  huge.bundles.assign(kMaxBundles, {{{"memory", Units{1} << 55}}});
  create(huge, 1);
  storage.settle();
  run();
  EXPECT_EQ(answer(1)->failure->kind(), ErrorKind::kInvalid);
}

TEST_F(GroupCoordinatorTest, ANextLifeEndsTheGroupsOfAHomeThatDied) {
  GroupSpec mine = spec(1);
  mine.home = asker;
  create(mine, 1);
  GroupSpec detached = spec(2);
  detached.home = asker;
  detached.detached = true;
  create(detached, 2);
  storage.settle();
  run();
  view.remove_node(asker);
  start(2);
  coordinator->tick();
  storage.settle();
  run();
  EXPECT_FALSE(storage.records.contains(mine.id));
  EXPECT_TRUE(storage.records.contains(detached.id));
  EXPECT_EQ(bundles.views().size(), 1u);
}

TEST_F(GroupCoordinatorTest, WhoIsNoMemberIsNotHeard) {
  coordinator->on_message(node_key(9), GroupRequest{.number = 1, .kind = GroupRequest::Kind::kCreate, .spec = spec(1)});
  storage.settle();
  EXPECT_TRUE(sent.empty());
  EXPECT_TRUE(storage.records.empty());
}

}  // namespace
}  // namespace sabir::cluster
