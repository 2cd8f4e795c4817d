#include "runtime/loop/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/clock.h"

namespace sabir::loop {
namespace {

constexpr int64_t kLong = 20 * kSecondNs;

TEST(SignalsTest, ArriveOnTheLoop) {
  EventLoop loop;
  std::vector<int> seen;
  Signals signals(loop, {SIGTERM, SIGINT, SIGCHLD}, [&](int number) { seen.push_back(number); });
  kill(getpid(), SIGTERM);
  EXPECT_TRUE(loop.run_until([&] { return seen.size() == 1; }, kLong));
  kill(getpid(), SIGINT);
  EXPECT_TRUE(loop.run_until([&] { return seen.size() == 2; }, kLong));
  pid_t child = fork();
  if (child == 0) {
    _exit(3);
  }
  EXPECT_TRUE(loop.run_until([&] { return seen.size() == 3; }, kLong));
  EXPECT_THAT(seen, testing::ElementsAre(SIGTERM, SIGINT, SIGCHLD));
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(SignalsTest, MayBeDestroyedByItsCallback) {
  EventLoop loop;
  bool seen = false;
  std::unique_ptr<Signals> signals;
  signals = std::make_unique<Signals>(loop, std::vector<int>{SIGUSR2}, [&](int) {
    signals.reset();
    seen = true;
  });
  kill(getpid(), SIGUSR2);
  EXPECT_TRUE(loop.run_until([&] { return seen; }, kLong));
}

}  // namespace
}  // namespace sabir::loop
