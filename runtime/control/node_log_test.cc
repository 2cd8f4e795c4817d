#include "runtime/control/node_log.h"

#include <gtest/gtest.h>

namespace sabir::control {
namespace {

TEST(NodeLogTest, N1_IncarnationsAndPositionsRise) {
  NodeLog log;
  EXPECT_EQ(log.join(), (NodeLogEntry{.position = 1, .node = 1}));
  EXPECT_EQ(log.join(), (NodeLogEntry{.position = 2, .node = 2}));
  EXPECT_EQ(log.die(1), (NodeLogEntry{.position = 3, .node = 1, .died = true}));
  EXPECT_EQ(log.join(), (NodeLogEntry{.position = 4, .node = 3}));
  EXPECT_FALSE(log.is_live(1));
  EXPECT_TRUE(log.is_live(3));
}

TEST(NodeLogTest, ADeathIsWrittenOnce) {
  NodeLog log;
  Incarnation node = log.join().node;
  EXPECT_TRUE(log.die(node).has_value());
  EXPECT_FALSE(log.die(node).has_value());
  EXPECT_FALSE(log.die(77).has_value());
}

TEST(NodeLogTest, N8_SettledWhenAllTheLivingHaveAcknowledged) {
  NodeLog log;
  Incarnation a = log.join().node;
  Incarnation b = log.join().node;
  Incarnation c = log.join().node;
  LogPosition death = log.die(a)->position;
  EXPECT_TRUE(log.acknowledge(b, death).ok());
  EXPECT_EQ(log.settled(), 0u);
  EXPECT_TRUE(log.acknowledge(c, death - 1).ok());
  EXPECT_EQ(log.settled(), 0u) << "not far enough";
  EXPECT_TRUE(log.acknowledge(c, death).ok());
  EXPECT_EQ(log.settled(), death);
}

// F3 of tests/models: b died later and had not acknowledged a's death, so what it lent on may hang on a's holds.
TEST(NodeLogTest, N8_DeathsAreSettledTogether) {
  NodeLog log;
  Incarnation a = log.join().node;
  Incarnation b = log.join().node;
  Incarnation c = log.join().node;
  LogPosition first = log.die(a)->position;
  LogPosition second = log.die(b)->position;
  EXPECT_TRUE(log.acknowledge(c, first).ok());
  EXPECT_EQ(log.settled(), 0u);
  EXPECT_TRUE(log.acknowledge(c, second).ok());
  EXPECT_EQ(log.settled(), second);
}

TEST(NodeLogTest, N8_TheDeathOfWhoHadNotAcknowledgedStillNeedsTheOthers) {
  NodeLog log;
  Incarnation a = log.join().node;
  Incarnation b = log.join().node;
  Incarnation c = log.join().node;
  LogPosition first = log.die(a)->position;
  EXPECT_TRUE(log.acknowledge(c, first).ok());
  LogPosition second = log.die(b)->position;
  EXPECT_EQ(log.settled(), 0u);
  EXPECT_TRUE(log.acknowledge(c, second).ok());
  EXPECT_EQ(log.settled(), second);
}

TEST(NodeLogTest, N8_WhoJoinsHasNothingOfTheDeadBefore) {
  NodeLog log;
  Incarnation a = log.join().node;
  Incarnation b = log.join().node;
  LogPosition death = log.die(a)->position;
  log.join();
  EXPECT_TRUE(log.acknowledge(b, death).ok());
  EXPECT_EQ(log.settled(), death) << "the one that joined need not say anything, and its entry is no death";
}

TEST(NodeLogTest, TheDeadAndTheUnknownCannotAcknowledge) {
  NodeLog log;
  Incarnation a = log.join().node;
  Incarnation b = log.join().node;
  LogPosition death = log.die(a)->position;
  EXPECT_EQ(log.acknowledge(a, death).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(log.acknowledge(9, death).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(log.acknowledge(b, death + 1).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(log.settled(), 0u);
}

TEST(NodeLogTest, NobodyLeft) {
  NodeLog log;
  Incarnation a = log.join().node;
  LogPosition death = log.die(a)->position;
  EXPECT_EQ(log.settled(), death);
}

TEST(NodeLogTest, ARestartForgetsAcknowledgementsOnly) {
  NodeLog log;
  Incarnation a = log.join().node;
  Incarnation b = log.join().node;
  Incarnation c = log.join().node;
  EXPECT_TRUE(log.acknowledge(b, log.die(a)->position).ok());
  EXPECT_TRUE(log.acknowledge(c, 4).ok());
  EXPECT_EQ(log.settled(), 4u);
  EXPECT_TRUE(log.acknowledge(c, log.die(b)->position - 1).ok());
  log.join();

  NodeLog again(log.snapshot());
  EXPECT_EQ(again.settled(), 4u);
  EXPECT_EQ(again.snapshot().live, (std::vector<Incarnation>{c, 4}));
  EXPECT_TRUE(again.acknowledge(4, 6).ok());
  EXPECT_EQ(again.settled(), 4u);
  EXPECT_TRUE(again.acknowledge(c, 5).ok());
  EXPECT_EQ(again.settled(), 5u);
  EXPECT_EQ(again.join(), (NodeLogEntry{.position = 7, .node = 5}));
}

}  // namespace
}  // namespace sabir::control
