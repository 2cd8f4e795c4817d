#include "runtime/control/nodes.h"

#include <gtest/gtest.h>

namespace sabir::control {
namespace {

class NodesTest : public ::testing::Test {
 protected:
  static NodeSpec spec(char id, char start) {
    NodeSpec made;
    made.id = std::string(16, id);
    made.start_id = std::string(16, start);
    made.address = std::string(1, id) + ":7000";
    made.resources = {{"CPU", 40'000}, {"GPU", 0}};
    made.labels = {{"zone", "west"}, {"spot", ""}};
    return made;
  }
  void restart() {
    nodes_.emplace(&storage_);
    ASSERT_TRUE(nodes_->load().ok());
  }

  MemoryStorage storage_;
  std::optional<Nodes> nodes_{&storage_};
};

TEST_F(NodesTest, ARegistrationIsIdempotentAndSurvives) {
  EXPECT_EQ(*nodes_->register_node(spec('a', 'x'), 0), 1u);
  EXPECT_EQ(*nodes_->register_node(spec('b', 'x'), 0), 2u);
  EXPECT_EQ(*nodes_->register_node(spec('a', 'x'), 0), 1u) << "its answer was lost";
  EXPECT_EQ(*nodes_->register_node(spec('a', 'x'), 1), 1u) << "it has reconnected";
  restart();
  EXPECT_EQ(*nodes_->register_node(spec('a', 'x'), 1), 1u);
  const NodeRecord* record = nodes_->find(std::string(16, 'a'));
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->spec, spec('a', 'x'));
  EXPECT_EQ(record->state, NodeState::kAlive);
  EXPECT_EQ(nodes_->all().size(), 2u);
  EXPECT_EQ(*nodes_->register_node(spec('c', 'x'), 0), 3u) << "no incarnation is given twice";
}

TEST_F(NodesTest, WhatANodeSaysOfItselfIsTakenAnew) {
  ASSERT_TRUE(nodes_->register_node(spec('a', 'x'), 0).ok());
  ASSERT_TRUE(nodes_->drain({std::string(16, 'a'), 1}, "maintenance").ok());
  NodeSpec moved = spec('a', 'x');
  moved.address = "elsewhere:1";
  EXPECT_EQ(*nodes_->register_node(moved, 1), 1u);
  restart();
  EXPECT_EQ(nodes_->find(moved.id)->spec, moved);
  EXPECT_EQ(nodes_->find(moved.id)->state, NodeState::kDraining) << "that is not its to say";
}

TEST_F(NodesTest, AnotherNodeWithTheSameIdIsRefusedWhileTheFirstLives) {
  ASSERT_TRUE(nodes_->register_node(spec('a', 'x'), 0).ok());
  Result<uint64_t> other = nodes_->register_node(spec('a', 'y'), 0);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_NE(other.error().message().find("a:7000"), std::string::npos) << other.error().message();
  ASSERT_TRUE(nodes_->drain({std::string(16, 'a'), 1}, "").ok());
  EXPECT_EQ(nodes_->register_node(spec('a', 'y'), 0).error().kind(), ErrorKind::kAlreadyExists);
  ASSERT_TRUE(nodes_->declare_dead({std::string(16, 'a'), 1}, "silent").ok());
  EXPECT_EQ(*nodes_->register_node(spec('a', 'y'), 0), 2u);
}

TEST_F(NodesTest, WhoWasDeclaredDeadIsFenced) {
  NodeRef first{std::string(16, 'a'), *nodes_->register_node(spec('a', 'x'), 0)};
  EXPECT_TRUE(nodes_->check(first).ok());
  ASSERT_TRUE(nodes_->declare_dead(first, "no heartbeat for 30 s").ok());
  ASSERT_TRUE(nodes_->declare_dead(first, "again").ok());
  restart();
  Result<void> late = nodes_->check(first);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind(), ErrorKind::kDisconnected);
  EXPECT_NE(late.error().message().find("no heartbeat for 30 s"), std::string::npos) << late.error().message();
  EXPECT_EQ(nodes_->drain(first, "").error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(nodes_->register_node(spec('a', 'x'), first.incarnation).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(nodes_->register_node(spec('a', 'x'), 0).error().kind(), ErrorKind::kDisconnected) << "the same start";
  NodeRef second{first.id, *nodes_->register_node(spec('a', 'y'), 0)};
  EXPECT_GT(second.incarnation, first.incarnation);
  EXPECT_TRUE(nodes_->check(second).ok());
  EXPECT_EQ(nodes_->check(first).error().kind(), ErrorKind::kDisconnected) << "an earlier life";
  ASSERT_TRUE(nodes_->declare_dead(first, "").ok());
  EXPECT_TRUE(nodes_->check(second).ok()) << "the death of an earlier life is not this one's";
}

TEST_F(NodesTest, WhoNeverRegisteredIsNotFound) {
  EXPECT_EQ(nodes_->check({std::string(16, 'a'), 0}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(nodes_->check({std::string(16, 'a'), 1}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(nodes_->declare_dead({std::string(16, 'a'), 1}, "").error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(nodes_->register_node(spec('a', 'x'), 0).ok());
  ASSERT_TRUE(nodes_->register_node(spec('b', 'x'), 0).ok());
  EXPECT_EQ(nodes_->check({std::string(16, 'a'), 2}).error().kind(), ErrorKind::kNotFound) << "b's incarnation";
  EXPECT_EQ(nodes_->register_node(spec('a', 'x'), 9).error().kind(), ErrorKind::kNotFound);
}

TEST_F(NodesTest, ForgottenDeadOnesStayFenced) {
  std::vector<NodeRef> dead;
  for (size_t i = 0; i < Nodes::kMaxDead + 10; ++i) {
    NodeSpec one = spec('a', 'x');
    one.id = std::to_string(1'000'000'000'000'000 + i);
    NodeRef ref{one.id, *nodes_->register_node(one, 0)};
    ASSERT_TRUE(nodes_->declare_dead(ref, "").ok());
    dead.push_back(ref);
  }
  EXPECT_EQ(nodes_->all().size(), Nodes::kMaxDead);
  restart();
  EXPECT_EQ(nodes_->all().size(), Nodes::kMaxDead);
  EXPECT_EQ(nodes_->find(dead.front().id), nullptr);
  NodeSpec back = spec('a', 'x');
  back.id = dead.front().id;
  for (const NodeRef& ref : {dead.front(), dead.back()}) {
    EXPECT_EQ(nodes_->check(ref).error().kind(), ErrorKind::kDisconnected);
  }
  EXPECT_EQ(nodes_->register_node(back, dead.front().incarnation).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(*nodes_->register_node(back, 0), Nodes::kMaxDead + 11);
}

TEST_F(NodesTest, LivingOnesAreBounded) {
  for (size_t i = 0; i < Nodes::kMaxLiving; ++i) {
    NodeSpec one = spec('a', 'x');
    one.id = std::to_string(1'000'000'000'000'000 + i);
    ASSERT_TRUE(nodes_->register_node(one, 0).ok());
  }
  EXPECT_EQ(nodes_->register_node(spec('a', 'x'), 0).error().kind(), ErrorKind::kExhausted);
}

TEST_F(NodesTest, MalformedRegistrationsAreRefused) {
  std::vector<std::function<void(NodeSpec&)>> faults = {
      [](NodeSpec& bad) { bad.id = "short"; },
      [](NodeSpec& bad) { bad.start_id.clear(); },
      [](NodeSpec& bad) { bad.address.clear(); },
      [](NodeSpec& bad) { bad.address = std::string(1000, 'x'); },
      [](NodeSpec& bad) {
        bad.resources.push_back({"", 1});
      },
      [](NodeSpec& bad) {
        bad.resources.push_back({"CPU", -1});
      },
      [](NodeSpec& bad) {
        bad.resources.resize(1000, {"x", 1});
      },
      [](NodeSpec& bad) { bad.labels.emplace("", "x"); },
      [](NodeSpec& bad) { bad.labels.emplace("x", std::string(1000, 'x')); },
      [](NodeSpec& bad) {
        for (int i = 0; i < 100; ++i) {
          bad.labels.emplace(std::to_string(i), "");
        }
      },
  };
  for (size_t i = 0; i < faults.size(); ++i) {
    NodeSpec bad = spec('a', 'x');
    faults[i](bad);
    EXPECT_EQ(nodes_->register_node(bad, 0).error().kind(), ErrorKind::kInvalid) << i;
  }
  EXPECT_TRUE(nodes_->all().empty());
}

}  // namespace
}  // namespace sabir::control
