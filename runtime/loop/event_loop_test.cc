#include "runtime/loop/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"

namespace sabir::loop {
namespace {

using testing::ElementsAre;

TEST(EventLoopTest, PostsRunInOrderOnTheLoopsThread) {
  EventLoop loop;
  std::vector<int> order;
  std::thread::id ran_on;
  loop.post([&] { order.push_back(1); });
  loop.post([&] { order.push_back(2); });
  loop.post([&] {
    ran_on = std::this_thread::get_id();
    loop.post([&] {
      order.push_back(3);
      loop.stop();
    });
  });
  loop.run();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EventLoopTest, StopFromAnotherThread) {
  EventLoop loop;
  std::thread stopper([&] { loop.stop(); });
  loop.run();
  stopper.join();
}

TEST(EventLoopTest, StopBeforeRunEndsThatRunOnly) {
  EventLoop loop;
  loop.stop();
  loop.run();
  bool ran = false;
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(ran);
}

TEST(EventLoopTest, RunUntilSaysWhetherItHeld) {
  EventLoop loop;
  int looked = 0;
  EXPECT_FALSE(loop.run_until([] { return false; }, kMillisecondNs));
  EXPECT_TRUE(loop.run_until([&] { return ++looked > 0; }, 0));
  bool posted = false;
  loop.post([&] { posted = true; });
  EXPECT_TRUE(loop.run_until([&] { return posted; }, 10 * kSecondNs));
}

TEST(EventLoopTest, WhatNobodyRanIsDropped) {
  auto token = std::make_shared<int>(0);
  {
    EventLoop loop;
    loop.post([token] { FAIL(); });
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(EventLoopTest, PostsOfManyThreadsAllArrive) {
  EventLoop loop;
  constexpr int kThreads = 4;
  constexpr int kPosts = 1000;
  int arrived = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&] { ++arrived; });
      }
    });
  }
  EXPECT_TRUE(loop.run_until([&] { return arrived == kThreads * kPosts; }, 20 * kSecondNs));
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace sabir::loop
