#include "runtime/loop/timer.h"

#include <gtest/gtest.h>

#include <memory>

#include "runtime/base/clock.h"

namespace sabir::loop {
namespace {

constexpr int64_t kLong = 20 * kSecondNs;

class TimerTest : public testing::Test {
 protected:
  EventLoop loop_;
  SteadyClock clock_;
};

TEST_F(TimerTest, FiresOnceAndNotEarly) {
  int fired = 0;
  Timer timer(loop_, [&] { ++fired; });
  EXPECT_FALSE(timer.active());
  int64_t start_ns = clock_.now_ns();
  timer.start_once(3 * kMillisecondNs + 1);
  EXPECT_TRUE(timer.active());
  EXPECT_TRUE(loop_.run_until([&] { return fired > 0; }, kLong));
  EXPECT_GE(clock_.now_ns() - start_ns, 3 * kMillisecondNs);
  EXPECT_FALSE(timer.active());
  EXPECT_FALSE(loop_.run_until([&] { return fired > 1; }, 10 * kMillisecondNs));
}

TEST_F(TimerTest, FiresAgainAndAgainUntilStopped) {
  int fired = 0;
  Timer timer(loop_, [&] {
    if (++fired == 3) {
      timer.stop();
    }
  });
  timer.start_periodic(kMillisecondNs);
  EXPECT_TRUE(loop_.run_until([&] { return fired == 3; }, kLong));
  EXPECT_FALSE(loop_.run_until([&] { return fired > 3; }, 10 * kMillisecondNs));
}

TEST_F(TimerTest, StartReplacesWhatWasSet) {
  int fired = 0;
  Timer timer(loop_, [&] { ++fired; });
  timer.start_periodic(kMillisecondNs);
  timer.start_once(2 * kMillisecondNs);
  EXPECT_TRUE(loop_.run_until([&] { return fired == 1; }, kLong));
  EXPECT_FALSE(loop_.run_until([&] { return fired > 1; }, 10 * kMillisecondNs));
}

TEST_F(TimerTest, NegativeIsTheNextRound) {
  bool fired = false;
  Timer timer(loop_, [&] { fired = true; });
  timer.start_once(-5);
  EXPECT_TRUE(loop_.run_until([&] { return fired; }, kLong));
}

TEST_F(TimerTest, MayBeDestroyedByItsOwnCallback) {
  bool fired = false;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop_, [&timer, &fired, payload = std::make_shared<int>(5)] {
    timer.reset();
    fired = *payload == 5;  // the callback itself is still there
  });
  timer->start_periodic(kMillisecondNs);
  EXPECT_TRUE(loop_.run_until([&] { return fired; }, kLong));
}

TEST_F(TimerTest, DestroyedBeforeItFires) {
  bool fired = false;
  {
    Timer timer(loop_, [&] { fired = true; });
    timer.start_once(0);
  }
  EXPECT_FALSE(loop_.run_until([&] { return fired; }, 5 * kMillisecondNs));
}

}  // namespace
}  // namespace sabir::loop
