#include "runtime/node/cluster/lend_book.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

class LendBookTest : public testing::Test {
 protected:
  LendBookTest() {
    for (int i = 0; i < 3; ++i) {
      log_.join();
    }
    view_.emplace(1, log_.snapshot());
  }

  void die(Incarnation node) { view_->apply(*log_.die(node)).value(); }

  const ObjectName x_{1, 1, 10};
  const ObjectName y_{3, 1, 11};
  control::NodeLog log_;
  std::optional<ClusterView> view_;
  LendBook book_{&*view_};
};

TEST_F(LendBookTest, N2_LentUntilTheReceiverIsDone) {
  EXPECT_TRUE(book_.lend(1, 2, {x_, y_}).ok());
  EXPECT_EQ(book_.lend(1, 3, {x_}).error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_TRUE(book_.done(1, 3).empty()) << "not its carrier";
  EXPECT_TRUE(book_.done(2, 2).empty());
  EXPECT_EQ(book_.done(1, 2), (std::vector<ObjectName>{x_, y_}));
  EXPECT_TRUE(book_.done(1, 2).empty()) << "a copy";
  EXPECT_EQ(book_.carriers(), 0u);
}

TEST_F(LendBookTest, NothingIsLentToWhoIsNotAlive) {
  die(2);
  EXPECT_EQ(book_.lend(1, 2, {x_}).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(book_.lend(1, 1, {x_}).error().kind(), ErrorKind::kDisconnected) << "nor to itself";
  EXPECT_EQ(book_.lend(1, 9, {x_}).error().kind(), ErrorKind::kDisconnected) << "nor to who has not joined yet";
}

// F2: the dead may have lent on what they got.
TEST_F(LendBookTest, N2_WhatWasLentToTheDeadStaysUntilTheDeathIsSettled) {
  EXPECT_TRUE(book_.lend(1, 2, {x_}).ok());
  EXPECT_TRUE(book_.lend(2, 2, {x_, y_}).ok());
  EXPECT_TRUE(book_.lend(3, 3, {y_}).ok());
  die(2);
  EXPECT_TRUE(book_.done(1, 2).empty()) << "a late word";
  EXPECT_EQ(book_.node_settled(2), (std::vector<ObjectName>{x_, x_, y_}));
  EXPECT_TRUE(book_.node_settled(2).empty());
  EXPECT_EQ(book_.carriers(), 1u);
}

}  // namespace
}  // namespace sabir::node
