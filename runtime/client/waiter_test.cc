#include "runtime/client/waiter.h"

#include <gtest/gtest.h>

#include <thread>

#include "runtime/base/clock.h"

namespace sabir::client {
namespace {

// As WaitRoom does it.
void sleep_until_interrupted(Waiter& waiter, shm::Atomic32& word) {
  while (!waiter.consume()) {
    uint32_t value = word.load();
    waiter.begin_sleep(&word);
    if (!waiter.interrupted()) {
      shm::futex_wait(word, value, -1);
    }
    waiter.end_sleep();
  }
}

TEST(WaiterTest, AnEarlyInterruptIsKept) {
  Waiter waiter;
  shm::Atomic32 word{0};
  waiter.interrupt();
  sleep_until_interrupted(waiter, word);
  EXPECT_FALSE(waiter.interrupted());
}

// At whatever moment it comes, the sleeper wakes, and the word is not touched after that.
TEST(WaiterTest, NoInterruptIsLost) {
  Waiter waiter;
  std::atomic<int> rounds{0};
  constexpr int kRounds = 3000;
  std::thread interrupter([&] {
    for (int i = 0; i < kRounds; ++i) {
      while (rounds.load() != i) {
        std::this_thread::yield();
      }
      waiter.interrupt();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    shm::Atomic32 word{0};  // a new one each time, on the stack
    rounds.store(i);
    sleep_until_interrupted(waiter, word);
  }
  interrupter.join();
}

}  // namespace
}  // namespace sabir::client
