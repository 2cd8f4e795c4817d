#include "runtime/shm/doorbell.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"

namespace sabir::shm {
namespace {

class DoorbellTest : public ::testing::Test {
 protected:
  int64_t in_ns(int64_t duration_ns) const { return clock_.now_ns() + duration_ns; }

  SteadyClock clock_;
  Atomic32 word_{0};
  Doorbell bell_{word_};
  RingMemo memo_{0};
};

TEST_F(DoorbellTest, RingingTheAwakeCostsNothing) {
  EXPECT_FALSE(bell_.ring(memo_));
  EXPECT_EQ(word_.load(), 0u);
}

TEST_F(DoorbellTest, TheSleeperAloneSetsAndClearsTheBit) {
  EXPECT_FALSE(bell_.sleeping());
  uint32_t value = bell_.prepare_sleep();
  EXPECT_TRUE(bell_.sleeping());
  EXPECT_TRUE(bell_.ring(memo_));
  EXPECT_TRUE(bell_.sleeping());
  EXPECT_EQ(bell_.sleep(value, -1), SleepOutcome::kRung) << "the word moved: no wait at all";
  bell_.end_sleep();
  EXPECT_FALSE(bell_.sleeping());
}

TEST_F(DoorbellTest, OneRingerWakesASleepOnceOnly) {
  bell_.prepare_sleep();
  EXPECT_TRUE(bell_.ring(memo_));
  EXPECT_FALSE(bell_.ring(memo_));
  RingMemo other{0};
  EXPECT_TRUE(bell_.ring(other)) << "what one process did is no promise to another";
  EXPECT_TRUE(bell_.ring(memo_)) << "and the word is another one now";
  bell_.end_sleep();
  uint32_t value = bell_.prepare_sleep();
  EXPECT_TRUE(bell_.ring(memo_)) << "a new sleep has a word of its own";
  EXPECT_EQ(bell_.sleep(value, -1), SleepOutcome::kRung);
}

TEST_F(DoorbellTest, SleepsUntilTheDeadline) {
  uint32_t value = bell_.prepare_sleep();
  int64_t deadline_ns = in_ns(5 * kMillisecondNs);
  EXPECT_EQ(bell_.sleep(value, deadline_ns), SleepOutcome::kTimeout);
  EXPECT_GE(clock_.now_ns(), deadline_ns);
  EXPECT_EQ(bell_.sleep(value, 0), SleepOutcome::kTimeout) << "long past";
}

TEST_F(DoorbellTest, ASignalInterrupts) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, nullptr), 0);
  pthread_t sleeper = ::pthread_self();
  std::atomic<bool> over{false};
  std::thread poker([&] {
    while (!over.load()) {
      ::pthread_kill(sleeper, SIGUSR1);
      ::usleep(1000);
    }
  });
  SleepOutcome outcome = bell_.sleep(bell_.prepare_sleep(), in_ns(10 * kSecondNs));
  over.store(true);
  poker.join();
  EXPECT_EQ(outcome, SleepOutcome::kInterrupted);
}

// Q8: no ring is ever lost. The sleeper would time out.
TEST_F(DoorbellTest, NobodySleepsThroughAPublication) {
  constexpr int kItems = 20000;
  std::atomic<uint64_t> published{0};
  std::atomic<int> timeouts{0};
  std::thread sleeper([&] {
    uint64_t seen = 0;
    while (seen < 2 * kItems) {
      uint64_t now = published.load(std::memory_order_acquire);
      if (now != seen) {
        seen = now;
        continue;
      }
      uint32_t value = bell_.prepare_sleep();
      SleepOutcome outcome = SleepOutcome::kRung;
      if (published.load(std::memory_order_seq_cst) == seen) {
        outcome = bell_.sleep(value, in_ns(5 * kSecondNs));
      }
      bell_.end_sleep();
      timeouts += outcome == SleepOutcome::kTimeout ? 1 : 0;
    }
  });
  auto ring_many = [&] {
    for (int i = 0; i < kItems; ++i) {
      published.fetch_add(1, std::memory_order_release);
      bell_.ring(memo_);
    }
  };
  std::thread ringer(ring_many);
  ring_many();
  ringer.join();
  sleeper.join();
  EXPECT_EQ(timeouts.load(), 0);
}

TEST(DaemonBellTest, RingsUnlessSabirdWatches) {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  NodeHeader node = {};
  DaemonBell bell(fd.get(), node);
  uint64_t count = 0;
  node.watching.store(1);
  EXPECT_FALSE(bell.ring_unless_watching());
  EXPECT_LT(::read(fd.get(), &count, sizeof(count)), 0);
  node.watching.store(0);
  EXPECT_TRUE(bell.ring_unless_watching());
  bell.ring();
  ASSERT_EQ(::read(fd.get(), &count, sizeof(count)), static_cast<ssize_t>(sizeof(count)));
  EXPECT_EQ(count, 2u);
}

}  // namespace
}  // namespace sabir::shm
