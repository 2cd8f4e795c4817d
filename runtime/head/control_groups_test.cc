#include "runtime/head/control_groups.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "runtime/control/testing/manual_commit_queue.h"
#include "runtime/node/cluster/bundle_manager.h"
#include "runtime/node/cluster/view_for_test.h"

namespace sabir::head {
namespace {

using cluster::BundleManager;
using cluster::GroupAnswer;
using cluster::GroupId;
using cluster::GroupMessage;
using cluster::GroupRequest;
using cluster::GroupSpec;
using cluster::NodeKey;
using control::MemoryStorage;
using control::testing::ManualCommitQueue;
using node::kUnit;
using node::Units;
using Kind = GroupRequest::Kind;

// What reserves at a node, without sabird.
struct Worker {
  Worker(NodeKey key, const Clock* clock) : key(key), bundles(key, {}, &ledger, clock, &ends) {}

  std::optional<GroupMessage> answer(const GroupMessage& message) {
    if (auto* prepare = std::get_if<cluster::PrepareBundles>(&message)) {
      return as_message(bundles.prepare(*prepare));
    }
    if (auto* commit = std::get_if<cluster::CommitBundles>(&message)) {
      return as_message(bundles.commit(*commit));
    }
    auto* drop = std::get_if<cluster::DropBundles>(&message);
    return drop != nullptr ? as_message(bundles.drop(*drop)) : std::nullopt;
  }
  template <typename T>
  static std::optional<GroupMessage> as_message(std::optional<T> made) {
    return made ? std::optional<GroupMessage>(*std::move(made)) : std::nullopt;
  }
  Units free_cpus() const { return resources.free(node::kCpu) / kUnit; }

  NodeKey key;
  node::NodeResources resources = *node::NodeResources::create(cluster::cpus(4));
  cluster::NodeLedger ledger{&resources};
  std::vector<cluster::EndBundleUsers> ends;
  BundleManager bundles;
};

// The groups of a control store that may die and live again, over a disk that the test moves.
class ControlGroupsTest : public ::testing::Test {
 protected:
  ControlGroupsTest() {
    for (uint32_t number = 1; number <= 3; ++number) {
      workers.push_back(std::make_unique<Worker>(cluster::node_key(number), &clock));
    }
    begin_life();
  }

  void begin_life() {
    groups.reset();
    transactor.reset();
    sent.clear();
    said.clear();
    disk.emplace(medium);
    staged.emplace(disk->epoch(), medium->tables);
    tables.emplace(&*staged);
    ASSERT_TRUE(tables->load().ok());
    queue.emplace(&*disk);
    transactor.emplace(&*tables, &*staged, &*queue, &clock, control::Transactor::Hooks());
    view.emplace(NodeKey{}, cluster::ViewOptions{}, &clock);
    view->add_node(asker);
    for (const auto& worker : workers) {
      view->add_node(worker->key);
      report(*worker);
    }
    groups.emplace(&*tables, &*transactor, disk->epoch(), &*view, &clock, Logger(),
                   [this](const NodeKey& to, GroupMessage message) { sent.emplace_back(to, std::move(message)); });
    groups->begin();
    for (const auto& worker : workers) {
      said.emplace_back(worker->key, worker->bundles.inventory());
    }
  }
  void report(Worker& worker) {
    view->apply_report(cluster::report_of(worker.key, ++reports, cluster::state_of(worker.resources)));
  }

  GroupSpec spec(uint32_t number, double cpus = 1) {
    GroupSpec made{.id = GroupId(cluster::node_id(1000 + number).bits()),
                   .job = cluster::JobKey(IdBits{.bytes = {1}}),
                   .home = asker,
                   .strategy = cluster::GroupStrategy::kStrictSpread};
    made.bundles = {{cluster::cpus(cpus)}, {cluster::cpus(cpus)}};
    return made;
  }
  uint64_t ask(Kind kind, const GroupSpec& group) {
    GroupRequest request{.number = ++asked, .epoch = disk->epoch(), .kind = kind};
    request.spec = kind == Kind::kCreate ? group : GroupSpec{};
    request.group = kind == Kind::kCreate ? GroupId() : group.id;
    said.emplace_back(asker, request);
    return request.number;
  }

  // One message, of the store or to it. False: there is none.
  bool deliver() {
    if (!sent.empty()) {
      auto [to, message] = std::move(sent.front());
      sent.pop_front();
      if (auto* answered = std::get_if<GroupAnswer>(&message)) {
        answers[answered->number] = *answered;
      }
      for (const auto& worker : workers) {
        if (std::optional<GroupMessage> reply = worker->key == to ? worker->answer(message) : std::nullopt) {
          said.emplace_back(to, *std::move(reply));
        }
      }
      return true;
    }
    if (said.empty()) {
      return false;
    }
    auto [from, message] = std::move(said.front());
    said.pop_front();
    for (const auto& worker : workers) {
      if (worker->key == from) {
        report(*worker);
      }
    }
    groups->receive(from, message);
    return true;
  }
  void settle() {
    for (int round = 0; round < 200; ++round) {
      clock.advance_ns(20 * kMillisecondNs);
      groups->tick();
      queue->step_all();
      while (deliver()) {
        queue->step_all();
      }
    }
  }
  size_t stored() {
    size_t rows = 0;
    medium->tables.scan(control::ControlStore::kPlacementGroupsTable,
                        [&](std::string_view, std::string_view) { ++rows; });
    return rows;
  }
  Units free_cpus() {
    Units free = 0;
    for (const auto& worker : workers) {
      free += worker->free_cpus();
    }
    return free;
  }
  ErrorKind failure(uint64_t number) {
    auto found = answers.find(number);
    return found != answers.end() && found->second.failure ? found->second.failure->kind() : ErrorKind::kInternal;
  }

  ManualClock clock;
  const NodeKey asker = cluster::node_key(9);
  std::vector<std::unique_ptr<Worker>> workers;
  uint64_t reports = 0;
  uint64_t asked = 0;
  std::shared_ptr<MemoryStorage::Medium> medium = std::make_shared<MemoryStorage::Medium>();
  std::optional<MemoryStorage> disk;
  std::optional<control::StagedStorage> staged;
  std::optional<control::ControlStore> tables;
  std::optional<ManualCommitQueue> queue;
  std::optional<control::Transactor> transactor;
  std::optional<cluster::ResourceView> view;
  std::optional<ControlGroups> groups;
  std::deque<std::pair<NodeKey, GroupMessage>> sent;  // by the store
  std::deque<std::pair<NodeKey, GroupMessage>> said;  // to it
  std::map<uint64_t, GroupAnswer> answers;
};

TEST_F(ControlGroupsTest, WhatWasAnsweredIsThereInTheNextLife) {
  uint64_t made = ask(Kind::kCreate, spec(1));
  settle();
  ASSERT_TRUE(answers.contains(made));
  EXPECT_EQ(free_cpus(), 10);
  begin_life();
  uint64_t found = ask(Kind::kFind, spec(1));
  settle();
  ASSERT_EQ(answers[found].groups.size(), 1u);
  EXPECT_EQ(answers[found].groups[0].stage, cluster::GroupStage::kReady);
  EXPECT_EQ(free_cpus(), 10) << "what was reserved stayed so";
  ask(Kind::kRemove, spec(1));
  settle();
  EXPECT_EQ(free_cpus(), 12);
  EXPECT_EQ(stored(), 0u);
}

TEST_F(ControlGroupsTest, AnAnswerWaitsForTheDisk) {
  uint64_t made = ask(Kind::kCreate, spec(1));
  while (deliver()) {
  }
  EXPECT_FALSE(answers.contains(made));
  begin_life();  // it was not written
  settle();
  EXPECT_EQ(stored(), 0u);
  EXPECT_EQ(free_cpus(), 12);
}

TEST_F(ControlGroupsTest, HalfAReservationIsUndoneByTheNextLife) {
  ask(Kind::kCreate, spec(1));
  while (deliver()) {
  }
  queue->step_all();
  groups->tick();
  ASSERT_EQ(sent.size(), 3u) << "the answer, and two nodes are asked";
  deliver();
  deliver();
  EXPECT_LT(free_cpus(), 12);
  said.clear();  // nobody hears of it
  begin_life();
  ask(Kind::kRemove, spec(1));
  settle();
  EXPECT_EQ(free_cpus(), 12);
  EXPECT_EQ(stored(), 0u);
}

TEST_F(ControlGroupsTest, WhatAFullDiskRefusesDidNotHappenAndAnotherTryMay) {
  ask(Kind::kCreate, spec(1));
  settle();
  // The removal is refused by the disk; what is asked next is refused at once, and what is there can be found.
  uint64_t removed = ask(Kind::kRemove, spec(1));
  deliver();
  queue->step(1, exhausted_error("no room"));
  clock.advance_ns(kSecondNs / 2);
  groups->tick();
  EXPECT_FALSE(answers.contains(removed));
  uint64_t refused = ask(Kind::kCreate, spec(2));
  uint64_t found = ask(Kind::kFind, spec(1));
  while (deliver()) {
    queue->step(queue->size(), exhausted_error("no room"));
  }
  clock.advance_ns(kSecondNs / 2);
  groups->tick();
  uint64_t again = ask(Kind::kFind, spec(1));
  while (deliver()) {
  }
  EXPECT_TRUE(answers.contains(found) || answers.contains(again));
  EXPECT_EQ(free_cpus(), 10) << "nothing was dropped";
  EXPECT_EQ(stored(), 1u);
  // There is room again.
  clock.advance_ns(3 * kSecondNs);
  if (!answers.contains(refused)) {
    said.push_back(
        {asker, GroupRequest{.number = refused, .epoch = disk->epoch(), .kind = Kind::kCreate, .spec = spec(2)}});
  }
  said.push_back(
      {asker, GroupRequest{.number = removed, .epoch = disk->epoch(), .kind = Kind::kRemove, .group = spec(1).id}});
  settle();
  EXPECT_TRUE(answers.contains(removed) && !answers[removed].failure);
  EXPECT_EQ(free_cpus(), answers[refused].failure ? 12 : 10);
}

TEST_F(ControlGroupsTest, ADeadNodesBundlesAreMadeAgainAlsoIfTheStoreDiedWithIt) {
  ask(Kind::kCreate, spec(1));
  settle();
  for (size_t i = 0; i < workers.size(); ++i) {
    if (workers[i]->free_cpus() == 3) {
      workers.erase(workers.begin() + static_cast<ptrdiff_t>(i));
      break;
    }
  }
  begin_life();
  settle();
  EXPECT_EQ(free_cpus(), 6) << "both bundles, on the two that are left";
}

// Kills of the store, lost messages, and a disk that refuses: what was answered is so, and nothing is left over.
TEST_F(ControlGroupsTest, WhateverIsLostWhatWasAnsweredStaysSo) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    auto chance = [&](uint64_t of) { return random() % of == 0; };
    struct Wish {
      GroupSpec group;
      Kind kind = Kind::kCreate;
      uint64_t number = 0;
    };
    std::map<uint32_t, Wish> open;  // by group
    std::set<uint32_t> there;       // were made, as was answered
    std::set<uint32_t> maybe;       // their removal is not answered
    uint32_t last = static_cast<uint32_t>(seed) * 1000;
    auto repeat = [&] {
      for (auto& [number, wish] : open) {
        GroupRequest request{.number = wish.number, .epoch = disk->epoch(), .kind = wish.kind};
        request.spec = wish.kind == Kind::kCreate ? wish.group : GroupSpec{};
        request.group = wish.group.id;
        said.emplace_back(asker, request);
      }
    };
    auto hear = [&] {
      for (auto at = open.begin(); at != open.end();) {
        auto answered = answers.find(at->second.number);
        if (answered == answers.end()) {
          ++at;
          continue;
        }
        bool done = !answered->second.failure;
        EXPECT_TRUE(done || failure(at->second.number) == ErrorKind::kExhausted);
        if (at->second.kind == Kind::kCreate) {
          done ? there.insert(at->first).second : true;
          if (!done) {
            maybe.insert(at->first);  // removed at the end
          }
        } else if (done) {
          maybe.erase(at->first);
        }
        answers.erase(answered);
        at = open.erase(at);
      }
    };
    for (int step = 0; step < 600; ++step) {
      if (chance(8) && open.size() < 4) {
        if (there.size() > 3 || (!there.empty() && chance(3))) {
          uint32_t gone = *std::next(there.begin(), static_cast<ptrdiff_t>(random() % there.size()));
          there.erase(gone);
          maybe.insert(gone);
          open[gone] = {spec(gone), Kind::kRemove, ask(Kind::kRemove, spec(gone))};
        } else {
          ++last;
          open[last] = {spec(last), Kind::kCreate, ask(Kind::kCreate, spec(last))};
        }
      }
      if (chance(60)) {  // killed, perhaps between the write and its answer
        if (chance(2)) {
          queue->write_without_answer(random() % (queue->size() + 1));
        }
        begin_life();
        repeat();
      }
      if (chance(25)) {
        repeat();
      }
      if (!queue->size() || !chance(3)) {
        deliver();
      } else if (chance(12)) {
        queue->step(1, exhausted_error("no room"));
      } else {
        queue->step(1 + random() % queue->size());
      }
      if (chance(4)) {
        clock.advance_ns(static_cast<int64_t>(random() % (300 * kMillisecondNs)));
        groups->tick();
      }
      hear();
    }
    for (int round = 0; round < 20 && !open.empty(); ++round) {
      repeat();
      clock.advance_ns(3 * kSecondNs);
      settle();
      hear();
    }
    EXPECT_TRUE(open.empty());
    for (uint32_t number : there) {
      uint64_t found = ask(Kind::kFind, spec(number));
      settle();
      ASSERT_EQ(answers[found].groups.size(), 1u) << "group " << number << " was made, and is lost";
    }
    for (uint32_t number : maybe) {
      ask(Kind::kRemove, spec(number));
    }
    for (uint32_t number : there) {
      ask(Kind::kRemove, spec(number));
    }
    settle();
    clock.advance_ns(31 * kSecondNs);  // what was prepared for nobody is over
    for (const auto& worker : workers) {
      worker->bundles.tick();
      said.emplace_back(worker->key, worker->bundles.inventory());
    }
    settle();
    EXPECT_EQ(stored(), 0u);
    ASSERT_EQ(free_cpus(), 12) << "something is left over";
  }
}

}  // namespace
}  // namespace sabir::head
