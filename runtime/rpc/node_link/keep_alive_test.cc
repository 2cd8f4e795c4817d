#include "runtime/rpc/node_link/keep_alive.h"

#include <gtest/gtest.h>

namespace sabir::node_link {
namespace {

using Action = KeepAlive::Action;

class KeepAliveTest : public testing::Test {
 protected:
  Action look_later(const KeepAlive::Progress& progress) {
    clock_.advance_ns(keep_alive_.look_interval_ns());
    return keep_alive_.look(progress);
  }

  ManualClock clock_;
  KeepAlive keep_alive_{clock_, {.ping_after_ns = 2 * kSecondNs, .dead_after_ns = 10 * kSecondNs}};
};

TEST_F(KeepAliveTest, SilenceIsPingedOnceAndThenDeath) {
  EXPECT_EQ(look_later({}), Action::kNone);
  EXPECT_EQ(look_later({}), Action::kPing);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(look_later({}), Action::kNone);
  }
  EXPECT_EQ(look_later({}), Action::kDead);
}

TEST_F(KeepAliveTest, WhateverComesIsLife) {
  for (uint64_t i = 1; i < 100; ++i) {
    EXPECT_EQ(look_later({.read_bytes = i}), Action::kNone);
  }
  EXPECT_EQ(look_later({.read_bytes = 99}), Action::kNone);
  EXPECT_EQ(look_later({.read_bytes = 99}), Action::kPing);
  EXPECT_EQ(look_later({.read_bytes = 100}), Action::kNone) << "its answer";
  EXPECT_EQ(look_later({.read_bytes = 100}), Action::kNone);
  EXPECT_EQ(look_later({.read_bytes = 100}), Action::kPing) << "the next silence";
}

TEST_F(KeepAliveTest, ALargeMessageThatThePeerTakesIsLife) {
  for (uint64_t i = 1; i < 30; ++i) {
    EXPECT_NE(look_later({.acknowledged_bytes = i, .writing = true}), Action::kDead);
  }
  Action last = Action::kNone;
  for (int i = 0; i < 10; ++i) {
    last = look_later({.acknowledged_bytes = 29, .writing = true});
  }
  EXPECT_EQ(last, Action::kDead) << "it stopped taking";
}

TEST_F(KeepAliveTest, AKernelThatTakesPingsIsNot) {
  Action last = Action::kNone;
  for (uint64_t i = 1; i <= 10; ++i) {
    last = look_later({.acknowledged_bytes = 50 * i});
  }
  EXPECT_EQ(last, Action::kDead);
}

TEST_F(KeepAliveTest, OnesOwnStandstillIsNotThePeers) {
  look_later({});
  clock_.advance_ns(3600 * kSecondNs);
  EXPECT_NE(keep_alive_.look({}), Action::kDead);
  EXPECT_EQ(look_later({.read_bytes = 1}), Action::kNone);
  clock_.advance_ns(3600 * kSecondNs);
  Action last = Action::kNone;
  int looks = 0;
  while (last != Action::kDead) {
    last = look_later({.read_bytes = 1});
    ASSERT_LT(++looks, 12);
  }
  EXPECT_GE(looks, 7) << "it had its time";
}

}  // namespace
}  // namespace sabir::node_link
