#include "runtime/node/cluster/cluster_view.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

using control::Incarnation;
using control::NodeLog;
using Standing = ClusterView::Standing;

class ClusterViewTest : public testing::Test {
 protected:
  ClusterViewTest() {
    for (int i = 0; i < 3; ++i) {
      log_.join();
    }
  }

  NodeLog log_;
};

TEST_F(ClusterViewTest, N1_WhoIsNeitherLiveNorNewerIsDead) {
  log_.die(1);
  ClusterView view(3, log_.snapshot());
  EXPECT_EQ(view.standing(3), Standing::kSelf);
  EXPECT_EQ(view.standing(2), Standing::kLive);
  EXPECT_EQ(view.standing(1), Standing::kDead);
  EXPECT_EQ(view.standing(4), Standing::kNotYet);
  EXPECT_EQ(view.standing(0), Standing::kDead) << "nobody";
}

TEST_F(ClusterViewTest, EntriesComeInOrderAndOnce) {
  ClusterView view(3, log_.snapshot());
  control::NodeLogEntry joined = log_.join();
  control::NodeLogEntry died = *log_.die(1);
  EXPECT_EQ(view.apply(died).error().kind(), ErrorKind::kInvalid) << "one is missing";
  EXPECT_EQ(view.apply(joined)->joined, std::vector<Incarnation>{4});
  EXPECT_TRUE(view.apply(joined)->joined.empty());
  EXPECT_EQ(view.apply(died)->died, std::vector<Incarnation>{1});
  EXPECT_TRUE(view.apply(died)->died.empty());
  EXPECT_EQ(view.position(), 5u);
}

TEST_F(ClusterViewTest, ItsOwnDeathIsTheEnd) {
  ClusterView view(3, log_.snapshot());
  control::NodeLogEntry died = *log_.die(3);
  EXPECT_EQ(view.apply(died).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(view.apply(log_.snapshot()).error().kind(), ErrorKind::kDisconnected);
}

TEST_F(ClusterViewTest, N8_ADeathIsUnsettledUntilItIsSettled) {
  ClusterView view(3, log_.snapshot());
  control::LogPosition first = log_.die(1)->position;
  control::LogPosition second = log_.die(2)->position;
  EXPECT_EQ(view.settle(first).error().kind(), ErrorKind::kInvalid) << "this node does not even know it";
  view.apply({.position = first, .node = 1, .died = true}).value();
  view.apply({.position = second, .node = 2, .died = true}).value();
  EXPECT_EQ(view.unsettled(), (std::vector<Incarnation>{1, 2}));
  EXPECT_EQ(view.settle(first)->settled, std::vector<Incarnation>{1});
  EXPECT_TRUE(view.settle(first)->settled.empty());
  EXPECT_EQ(view.settle(second)->settled, std::vector<Incarnation>{2});
  EXPECT_TRUE(view.unsettled().empty());
}

TEST_F(ClusterViewTest, ASnapshotStandsForTheEntriesThatWereMissed) {
  ClusterView view(3, log_.snapshot());
  log_.die(1);
  log_.join();  // 4
  log_.join();  // 5
  log_.die(4);
  ClusterView::Changes changes = *view.apply(log_.snapshot());
  EXPECT_EQ(changes.died, std::vector<Incarnation>{1});
  EXPECT_EQ(changes.joined, std::vector<Incarnation>{5});
  EXPECT_EQ(view.standing(4), Standing::kDead) << "joined and died between two looks";
  EXPECT_TRUE(view.apply(log_.snapshot())->died.empty());
}

// A death of a snapshot is settled with the last death, although a join came after it.
TEST_F(ClusterViewTest, N8_DeathsOfASnapshotAreSettledToo) {
  ClusterView view(3, log_.snapshot());
  log_.die(1);
  log_.join();
  view.apply(log_.snapshot()).value();
  EXPECT_TRUE(log_.acknowledge(2, 5).ok());
  EXPECT_TRUE(log_.acknowledge(3, view.position()).ok());
  EXPECT_TRUE(log_.acknowledge(4, 5).ok());
  EXPECT_EQ(view.settle(log_.settled())->settled, std::vector<Incarnation>{1});
}

}  // namespace
}  // namespace sabir::node
