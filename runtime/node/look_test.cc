#include "runtime/node/look.h"

#include <unistd.h>

#include "gtest/gtest.h"
#include "runtime/node/node_parts_for_test.h"

namespace sabir::node {
namespace {

class LookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto look = Look::create(loop_, clock_, segments_.node.header(), {}, [this] { return once(); });
    ASSERT_TRUE(look.ok());
    look_ = std::move(*look);
  }
  bool once() {
    watching_seen_ = segments_.node.header().watching.load();
    if (on_look_) {
      on_look_();
    }
    return busy_;
  }
  void ring() {
    uint64_t one = 1;
    ASSERT_EQ(::write(look_->bell_fd(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  }
  bool wait_looks(uint64_t count) {
    for (int i = 0; i < 200 && look_->count() < count; ++i) {
      loop_.run_until([&] { return look_->count() >= count; }, 10 * kMillisecondNs);
    }
    return look_->count() >= count;
  }
  uint32_t watching() { return segments_.node.header().watching.load(); }

  loop::EventLoop loop_;
  ManualClock clock_;
  shm::SessionSegments segments_ = NodeParts::make_segments();
  bool busy_ = false;
  uint32_t watching_seen_ = 0;
  std::function<void()> on_look_;
  std::unique_ptr<Look> look_;
};

TEST_F(LookTest, ABellIsOneLook) {
  ring();
  ring();
  EXPECT_TRUE(wait_looks(1));
  loop_.run_until([] { return false; }, 50 * kMillisecondNs);
  EXPECT_EQ(look_->count(), 1u) << "quiet: no timer";
  EXPECT_EQ(watching(), 0u);
}

TEST_F(LookTest, WhileAnythingGoesOnItLooksByItself) {
  busy_ = true;
  ring();
  EXPECT_TRUE(wait_looks(10));
  EXPECT_EQ(watching(), 1u);
}

TEST_F(LookTest, WhenAllIsQuietItLooksOnceMoreWithoutWatching) {
  busy_ = true;
  ring();
  ASSERT_TRUE(wait_looks(2));
  busy_ = false;
  clock_.advance_ns(99 * kMillisecondNs);
  ASSERT_TRUE(wait_looks(look_->count() + 2));
  EXPECT_EQ(watching(), 1u) << "not yet";
  clock_.advance_ns(2 * kMillisecondNs);
  ASSERT_TRUE(wait_looks(look_->count() + 2));
  EXPECT_EQ(watching(), 0u);
  EXPECT_EQ(watching_seen_, 0u) << "the last look came after the word";
}

TEST_F(LookTest, WhatArrivedInBetweenKeepsItWatching) {
  busy_ = true;
  ring();
  ASSERT_TRUE(wait_looks(2));
  busy_ = false;
  clock_.advance_ns(kSecondNs);
  // Published by somebody who still saw `watching`: only the look after the change finds it.
  on_look_ = [this] { busy_ = watching() == 0; };
  ASSERT_TRUE(wait_looks(look_->count() + 2));
  EXPECT_EQ(watching(), 1u);
}

}  // namespace
}  // namespace sabir::node
