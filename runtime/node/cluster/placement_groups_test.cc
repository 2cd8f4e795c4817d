#include "runtime/node/cluster/placement_groups.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>

#include "runtime/node/cluster/bundle_manager.h"
#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

const JobKey kJob{IdBits{.bytes = {1}}};
const JobKey kOtherJob{IdBits{.bytes = {2}}};

// A coordinator and real nodes; messages arrive at once, unless `lose` says they do not.
class PlacementGroupsTest : public testing::Test {
 protected:
  struct Node {
    Node(NodeKey key, double size, const Clock* clock)
        : resources(*node::NodeResources::create(cpus(size))),
          ledger(&resources),
          bundles(key, {}, &ledger, clock, &ends) {}
    node::NodeResources resources;
    NodeLedger ledger;
    std::vector<EndBundleUsers> ends;
    BundleManager bundles;
    uint64_t version = 0;
  };

  PlacementGroupsTest() { start(1); }

  void start(uint64_t epoch) {
    out.clear();
    groups = std::make_unique<PlacementGroups>(epoch, GroupOptions{}, &view, &clock, &random, &out);
    std::vector<GroupRecord> records;
    for (const auto& [id, bytes] : stored) {
      records.push_back(*decode_group(bytes));
    }
    groups->load(std::move(records));
  }
  void add(uint32_t number, double size, uint64_t incarnation = 1) {
    NodeKey key = node_key(number, incarnation);
    nodes[key] = std::make_unique<Node>(key, size, &clock);
    view.add_node(key);
    tell(key);
    groups->node_added();
  }
  void tell(NodeKey key) {
    Node& node = *nodes.at(key);
    view.apply_report(report_of(key, ++node.version, state_of(node.resources)));
  }
  void kill(uint32_t number, uint64_t incarnation = 1) {
    NodeKey key = node_key(number, incarnation);
    nodes.erase(key);
    view.remove_node(key);
    groups->node_gone(key);
  }

  void deliver(GroupInstruction& instruction) {
    if (const auto* what = std::get_if<StoreGroup>(&instruction)) {
      stored[what->record.spec.id] = encode_group(what->record);
    } else if (const auto* what = std::get_if<EraseGroup>(&instruction)) {
      stored.erase(what->group);
    } else if (const auto* what = std::get_if<AnswerWaiter>(&instruction)) {
      answers.insert_or_assign(what->waiter, what->result);
    } else if (const auto* what = std::get_if<PrepareBundles>(&instruction)) {
      auto found = nodes.find(what->node);
      if (lose("prepare", what->node) || found == nodes.end()) {
        return;
      }
      if (auto answer = found->second->bundles.prepare(*what)) {
        tell(what->node);
        groups->on_prepared(*answer);
      }
    } else if (const auto* what = std::get_if<CommitBundles>(&instruction)) {
      auto found = nodes.find(what->node);
      if (lose("commit", what->node) || found == nodes.end()) {
        return;
      }
      if (auto answer = found->second->bundles.commit(*what)) {
        groups->on_committed(*answer);
      }
    } else if (const auto* what = std::get_if<DropBundles>(&instruction)) {
      auto found = nodes.find(what->node);
      if (lose("drop", what->node) || found == nodes.end()) {
        return;
      }
      if (auto answer = found->second->bundles.drop(*what)) {
        tell(what->node);
        groups->on_dropped(*answer);
      }
    }
  }
  // Carries out everything that comes of it; `steps` at most, then the rest is lost with the coordinator.
  void run(int64_t for_ns = 0, int steps = INT32_MAX) {
    int64_t end_ns = clock.now_ns() + for_ns;
    while (true) {
      groups->tick();
      while (!out.empty()) {
        GroupInstructions now = std::exchange(out, {});
        for (GroupInstruction& instruction : now) {
          if (steps-- <= 0) {
            return;
          }
          deliver(instruction);
        }
      }
      std::optional<int64_t> wake = groups->next_wake_ns();
      if (!wake || *wake > end_ns) {
        break;
      }
      clock.advance_ns(std::max<int64_t>(*wake - clock.now_ns(), kMillisecondNs / 10));
    }
    clock.advance_ns(std::max<int64_t>(end_ns - clock.now_ns(), 0));
  }

  GroupSpec spec(uint32_t number, GroupStrategy strategy, std::vector<double> sizes) {
    GroupSpec spec{.id = GroupId(node_id(1000 + number).bits()), .job = kJob, .strategy = strategy};
    for (double size : sizes) {
      spec.bundles.push_back({cpus(size)});
    }
    return spec;
  }
  GroupPhase phase(const GroupSpec& spec) { return groups->view(spec.id)->phase; }
  std::vector<NodeKey> places(const GroupSpec& spec) {
    std::vector<NodeKey> places;
    for (const BundleLocation& location : groups->locations(spec.id)) {
      places.push_back(location.node);
    }
    return places;
  }
  size_t reserved() {
    size_t count = 0;
    for (const auto& [key, node] : nodes) {
      count += node->bundles.inventory().bundles.size();
      node->ledger.check_invariants();
    }
    return count;
  }

  ManualClock clock;
  ResourceView view{NodeKey{}, {}, &clock};
  Random random{1};
  GroupInstructions out;
  std::unique_ptr<PlacementGroups> groups;
  std::map<NodeKey, std::unique_ptr<Node>> nodes;
  std::map<GroupId, std::string> stored;
  std::map<WaiterId, Result<void>> answers;
  std::function<bool(std::string_view, NodeKey)> lose = [](std::string_view, NodeKey) { return false; };
};

TEST_F(PlacementGroupsTest, FromCreationToRemoval) {
  add(1, 4);
  add(2, 4);
  GroupSpec group = spec(1, GroupStrategy::kSpread, {1, 2});
  EXPECT_TRUE(groups->create(group).ok());
  EXPECT_TRUE(groups->create(group).ok()) << "idempotent";
  EXPECT_TRUE(groups->wait(group.id, 7, std::nullopt).ok());
  EXPECT_EQ(phase(group), GroupPhase::kPending);
  run();
  EXPECT_EQ(phase(group), GroupPhase::kReady);
  EXPECT_TRUE(answers.at(7).ok());
  EXPECT_EQ(reserved(), 2u);
  EXPECT_TRUE(decode_group(stored.at(group.id))->ready);
  EXPECT_TRUE(groups->wait(group.id, 8, std::nullopt).ok());
  run();
  EXPECT_TRUE(answers.at(8).ok());
  EXPECT_EQ(groups->explain(group.id), "");
  groups->remove(group.id);
  groups->remove(group.id);
  run();
  EXPECT_FALSE(groups->view(group.id));
  EXPECT_EQ(reserved(), 0u);
  EXPECT_TRUE(stored.empty());
  EXPECT_TRUE(groups->quiet());
  EXPECT_EQ(groups->wait(group.id, 9, std::nullopt).error().kind(), ErrorKind::kNotFound);
}

TEST_F(PlacementGroupsTest, NamesBelongToOneGroup) {
  GroupSpec first = spec(1, GroupStrategy::kPack, {1});
  first.name = "ring";
  first.name_space = "a";
  EXPECT_TRUE(groups->create(first).ok());
  EXPECT_EQ(groups->find("a", "ring"), first.id);
  GroupSpec second = spec(2, GroupStrategy::kPack, {1});
  second.name = "ring";
  second.name_space = "a";
  EXPECT_EQ(groups->create(second).error().kind(), ErrorKind::kAlreadyExists);
  second.name_space = "b";
  EXPECT_TRUE(groups->create(second).ok());
  second.bundles.push_back({cpus(1)});
  EXPECT_EQ(groups->create(second).error().kind(), ErrorKind::kAlreadyExists) << "another one with the same id";
  groups->remove(first.id);
  EXPECT_FALSE(groups->find("a", "ring"));
  EXPECT_EQ(groups->create(GroupSpec{}).error().kind(), ErrorKind::kInvalid);
}

TEST_F(PlacementGroupsTest, GroupsEndWithTheHomeOfTheirJob) {
  add(1, 4);
  add(2, 4);
  GroupSpec plain = spec(1, GroupStrategy::kPack, {1});
  plain.home = node_key(2);
  GroupSpec detached = spec(2, GroupStrategy::kPack, {1});
  detached.home = node_key(2);
  detached.detached = true;
  EXPECT_TRUE(groups->create(plain).ok());
  EXPECT_TRUE(groups->create(detached).ok());
  run();
  kill(2);
  run(5 * kSecondNs);
  EXPECT_FALSE(groups->view(plain.id));
  EXPECT_EQ(phase(detached), GroupPhase::kReady);
  EXPECT_EQ(reserved(), 1u);
}

TEST_F(PlacementGroupsTest, DetachedGroupsOutliveTheirJob) {
  add(1, 4);
  GroupSpec plain = spec(1, GroupStrategy::kPack, {1});
  GroupSpec detached = spec(2, GroupStrategy::kPack, {1});
  detached.detached = true;
  GroupSpec other = spec(3, GroupStrategy::kPack, {1});
  other.job = kOtherJob;
  for (const GroupSpec& one : {plain, detached, other}) {
    EXPECT_TRUE(groups->create(one).ok());
  }
  run();
  groups->end_job(kJob);
  run();
  EXPECT_FALSE(groups->view(plain.id));
  EXPECT_EQ(phase(detached), GroupPhase::kReady);
  EXPECT_EQ(phase(other), GroupPhase::kReady);
  EXPECT_EQ(reserved(), 2u);
}

TEST_F(PlacementGroupsTest, G9_AGroupWaitsWithoutHoldingAnything) {
  add(1, 4);
  add(2, 2);
  GroupSpec group = spec(1, GroupStrategy::kStrictSpread, {2, 3, 2});
  EXPECT_TRUE(groups->create(group).ok());
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kPending);
  EXPECT_TRUE(groups->view(group.id)->infeasible);
  EXPECT_EQ(reserved(), 0u);
  EXPECT_NE(groups->explain(group.id), "");
  add(3, 3);
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kReady);
}

TEST_F(PlacementGroupsTest, AViewThatIsBehindCostsAnAttemptNotAReservation) {
  add(1, 4);
  add(2, 4);
  // Taken locally, and not told yet.
  auto claim = nodes.at(node_key(2))->ledger.claim(*nodes.at(node_key(2))->resources.resolve(cpus(4)), {});
  GroupSpec group = spec(1, GroupStrategy::kStrictSpread, {1, 1});
  EXPECT_TRUE(groups->create(group).ok());
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kPending);
  EXPECT_FALSE(groups->view(group.id)->infeasible);
  EXPECT_EQ(reserved(), 0u) << "G2: what the other node had prepared was dropped";
  nodes.at(node_key(2))->ledger.release(*claim);
  tell(node_key(2));
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kReady);
}

TEST_F(PlacementGroupsTest, WaitersHaveDeadlinesAndAreTold) {
  GroupSpec group = spec(1, GroupStrategy::kPack, {1});
  EXPECT_TRUE(groups->create(group).ok());
  EXPECT_TRUE(groups->wait(group.id, 1, kSecondNs).ok());
  EXPECT_TRUE(groups->wait(group.id, 2, std::nullopt).ok());
  EXPECT_TRUE(groups->wait(group.id, 3, std::nullopt).ok());
  groups->cancel_wait(3);
  run(kSecondNs);
  EXPECT_EQ(answers.at(1).error().kind(), ErrorKind::kTimeout);
  EXPECT_FALSE(answers.contains(2));
  groups->remove(group.id);
  run();
  EXPECT_EQ(answers.at(2).error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(answers.contains(3));
  EXPECT_TRUE(groups->create(group).ok());
  for (WaiterId waiter = 10; waiter < 10 + 1024; ++waiter) {
    EXPECT_TRUE(groups->wait(group.id, waiter, std::nullopt).ok());
  }
  EXPECT_EQ(groups->wait(group.id, 5000, std::nullopt).error().kind(), ErrorKind::kExhausted);
}

TEST_F(PlacementGroupsTest, LostMessagesAreRepeated) {
  add(1, 4);
  add(2, 4);
  std::map<std::string, int> seen;
  lose = [&](std::string_view what, NodeKey) { return seen[std::string(what)]++ % 3 != 2; };
  GroupSpec group = spec(1, GroupStrategy::kStrictSpread, {1, 1});
  EXPECT_TRUE(groups->create(group).ok());
  run(10 * kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kReady);
  groups->remove(group.id);
  run(10 * kSecondNs);
  EXPECT_EQ(reserved(), 0u);
  EXPECT_TRUE(groups->quiet());
}

TEST_F(PlacementGroupsTest, ANodeThatDoesNotAnswerEndsTheAttempt) {
  add(1, 4);
  add(2, 4);
  lose = [&](std::string_view what, NodeKey node) { return what != "drop" && node == node_key(2); };
  GroupSpec group = spec(1, GroupStrategy::kStrictSpread, {2, 2});
  EXPECT_TRUE(groups->create(group).ok());
  run(2900 * kMillisecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kPreparing);
  EXPECT_EQ(reserved(), 1u);
  nodes.at(node_key(2))->ledger.claim(*nodes.at(node_key(2))->resources.resolve(cpus(4)), {});
  tell(node_key(2));
  run(100 * kMillisecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kPending);
  EXPECT_EQ(reserved(), 0u);
  add(3, 4);
  kill(2);
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kReady);
  EXPECT_EQ(reserved(), 2u);
}

TEST_F(PlacementGroupsTest, G4_ALostReservationIsPlacedAgain) {
  add(1, 4);
  GroupSpec group = spec(1, GroupStrategy::kPack, {1, 1});
  lose = [&](std::string_view what, NodeKey) { return what == "commit"; };
  EXPECT_TRUE(groups->create(group).ok());
  run();
  EXPECT_EQ(phase(group), GroupPhase::kCommitting);
  clock.advance_ns(60 * kSecondNs);
  nodes.at(node_key(1))->bundles.tick();
  EXPECT_EQ(reserved(), 0u) << "the node gave up waiting";
  lose = [](std::string_view, NodeKey) { return false; };
  tell(node_key(1));
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kReady);
  EXPECT_EQ(reserved(), 2u);
}

TEST_F(PlacementGroupsTest, G8_OnlyLostBundlesArePlacedAgain) {
  for (uint32_t i = 1; i <= 3; ++i) {
    add(i, 4);
  }
  GroupSpec group = spec(1, GroupStrategy::kStrictSpread, {1, 1, 1});
  EXPECT_TRUE(groups->create(group).ok());
  run();
  std::vector<NodeKey> before = places(group);
  NodeKey dead = before[1];
  kill(dead.id == node_id(1) ? 1 : dead.id == node_id(2) ? 2 : 3);
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kPending);
  EXPECT_FALSE(decode_group(stored.at(group.id))->ready);
  EXPECT_EQ(reserved(), 2u) << "the others stay";
  EXPECT_TRUE(groups->wait(group.id, 1, std::nullopt).ok());
  add(9, 4);
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kReady);
  EXPECT_TRUE(answers.at(1).ok());
  EXPECT_EQ(places(group), (std::vector<NodeKey>{before[0], node_key(9), before[2]}));
}

TEST_F(PlacementGroupsTest, G7_ANodeThatComesBackIsAnotherOne) {
  add(1, 4);
  GroupSpec group = spec(1, GroupStrategy::kPack, {1});
  EXPECT_TRUE(groups->create(group).ok());
  run();
  kill(1);
  add(1, 4, 2);
  run(kSecondNs);
  EXPECT_EQ(phase(group), GroupPhase::kReady);
  EXPECT_EQ(places(group), std::vector<NodeKey>{node_key(1, 2)});
}

// Cut at every instruction: whatever was carried out before, a coordinator that starts again from the records finishes
// or undoes it.
TEST_F(PlacementGroupsTest, G3_ARestartAtEachStepFinishesOrUndoes) {
  for (int steps = 0; steps < 24; ++steps) {
    for (bool removed : {false, true}) {
      nodes.clear();
      stored.clear();
      while (!view.nodes().empty()) {
        view.remove_node(view.nodes()[0].key);
      }
      auto epoch = static_cast<uint64_t>(2 * steps + (removed ? 1 : 0)) * 2 + 1;
      start(epoch);
      add(1, 4);
      add(2, 4);
      GroupSpec group = spec(1, GroupStrategy::kStrictSpread, {2, 2});
      EXPECT_TRUE(groups->create(group).ok());
      if (removed) {
        run();
        groups->remove(group.id);
      }
      run(0, steps);
      bool known = stored.contains(group.id);
      start(epoch + 1);
      for (const auto& [key, node] : nodes) {
        groups->on_inventory(node->bundles.inventory());
      }
      run(5 * kSecondNs);
      if (known) {
        EXPECT_EQ(phase(group), GroupPhase::kReady) << "steps " << steps;
        EXPECT_EQ(reserved(), 2u) << "steps " << steps;
        for (const auto& [key, node] : nodes) {
          EXPECT_TRUE(node->bundles.inventory().bundles[0].committed);
        }
      } else {
        EXPECT_FALSE(groups->view(group.id));
        EXPECT_EQ(reserved(), 0u) << "steps " << steps << " removed " << removed;
      }
      EXPECT_TRUE(groups->quiet());
    }
  }
}

TEST_F(PlacementGroupsTest, G6_WhatNobodyKnowsIsDropped) {
  add(1, 4);
  GroupSpec group = spec(1, GroupStrategy::kPack, {1});
  EXPECT_TRUE(groups->create(group).ok());
  run();
  BundleManager& node = nodes.at(node_key(1))->bundles;
  GroupId stranger(node_id(555).bits());
  node.prepare({1, node_key(1), stranger, 3, {{0, cpus(1)}, {1, cpus(1)}}});
  node.commit({1, node_key(1), stranger, 3, {0}});
  EXPECT_EQ(reserved(), 3u);
  groups->on_inventory(node.inventory());
  run();
  EXPECT_EQ(reserved(), 1u);
  BundleInventory foreign = node.inventory();
  foreign.node = node_key(1, 7);
  foreign.bundles[0].attempt += 1;
  groups->on_inventory(foreign);
  run();
  EXPECT_EQ(reserved(), 1u);
}

TEST_F(PlacementGroupsTest, ManyThatWaitAreTriedInTurnsAndOldestFirst) {
  add(1, 1);
  std::vector<GroupSpec> all;
  for (uint32_t i = 0; i < 300; ++i) {
    all.push_back(spec(i, GroupStrategy::kPack, {1}));
    EXPECT_TRUE(groups->create(all.back()).ok());
  }
  run(5 * kSecondNs);
  EXPECT_EQ(phase(all[0]), GroupPhase::kReady);
  for (size_t i = 0; i + 1 < 20; ++i) {
    groups->remove(all[i].id);
    run(10 * kMillisecondNs);
    EXPECT_EQ(phase(all[i + 1]), GroupPhase::kReady) << i;
  }
}

TEST_F(PlacementGroupsTest, AnswersOfFormerAttemptsChangeNothing) {
  add(1, 4);
  GroupSpec group = spec(1, GroupStrategy::kPack, {1});
  EXPECT_TRUE(groups->create(group).ok());
  run();
  groups->on_prepared({node_key(1), group.id, 1, false, "late"});
  groups->on_committed({node_key(1), group.id, 1, {}, {0}});
  groups->on_dropped({node_key(1), group.id, {{0, 1}}});
  groups->on_prepared({node_key(5), GroupId(), 1, true});
  run();
  EXPECT_EQ(phase(group), GroupPhase::kReady);
  EXPECT_EQ(reserved(), 1u);
}

}  // namespace
}  // namespace sabir::cluster
