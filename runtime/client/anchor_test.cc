#include "runtime/client/anchor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

#include "runtime/client/actor_peer.h"
#include "runtime/client/future.h"

namespace sabir::client {
namespace {

class CountingOrphanage final : public Orphanage {
 public:
  CountingOrphanage(std::atomic<int>& buried, std::atomic<bool>& gone) : buried_(buried), gone_(gone) {}
  ~CountingOrphanage() override { gone_.store(true); }
  void bury(Future* dead) override {
    ++buried_;
    if (dead->extra != nullptr) {
      for (Future* nested : dead->extra->nested) {
        if (nested->count.fetch_sub(1) == 1) {
          nested->anchor->push_only(nested);
        }
      }
      delete dead->extra;
      dead->extra = nullptr;
    }
  }

 private:
  std::atomic<int>& buried_;
  std::atomic<bool>& gone_;
};

TEST(AnchorTest, WithoutHandlesTheEndIsAtOnce) {
  std::atomic<int> buried{0};
  std::atomic<bool> gone{false};
  Anchor::acquire()->orphan(new CountingOrphanage(buried, gone), 0);
  EXPECT_TRUE(gone);
  EXPECT_EQ(buried, 0);
}

TEST(AnchorTest, TheLastHandleEndsIt) {
  std::atomic<int> buried{0};
  std::atomic<bool> gone{false};
  Anchor* anchor = Anchor::acquire();
  std::array<Future, 3> futures;
  for (Future& future : futures) {
    future.anchor = anchor;
  }
  release(&futures[0]);  // before the client is gone: waits in the list
  EXPECT_TRUE(anchor->has_dead());
  anchor->orphan(new CountingOrphanage(buried, gone), 3);
  EXPECT_EQ(buried, 1);
  release(&futures[1]);
  EXPECT_FALSE(gone);
  release(&futures[2]);
  EXPECT_TRUE(gone);
  EXPECT_EQ(buried, 3);
}

// A chain of references inside references dies with its head, however long it is: nothing recurses.
TEST(AnchorTest, LongChainsDieInALoop) {
  constexpr size_t kLength = 200000;
  std::atomic<int> buried{0};
  std::atomic<bool> gone{false};
  Anchor* anchor = Anchor::acquire();
  std::vector<Future> futures(kLength);
  for (size_t i = 0; i < kLength; ++i) {
    futures[i].anchor = anchor;
    if (i + 1 < kLength) {
      futures[i].more().nested.push_back(&futures[i + 1]);
    }
  }
  anchor->orphan(new CountingOrphanage(buried, gone), kLength);
  release(&futures[0]);
  EXPECT_TRUE(gone);
  EXPECT_EQ(buried, static_cast<int>(kLength));
}

TEST(AnchorTest, FinalizersOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> buried{0};
    std::atomic<bool> gone{false};
    Anchor* anchor = Anchor::acquire();
    std::vector<Future> futures(kThreads * kEach);
    for (Future& future : futures) {
      future.anchor = anchor;
    }
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          release(&futures[static_cast<size_t>(t * kEach + i)]);
        }
      });
    }
    anchor->orphan(new CountingOrphanage(buried, gone), kThreads * kEach);
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_TRUE(gone);
    EXPECT_EQ(buried, kThreads * kEach);
  }
}

TEST(AnchorTest, AForkIsNoticed) {
  Anchor* anchor = Anchor::acquire();
  EXPECT_FALSE(anchor->forked());
  pid_t child = ::fork();
  if (child == 0) {
    ::_exit(anchor->forked() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(anchor->forked());
  std::atomic<int> buried{0};
  std::atomic<bool> gone{false};
  anchor->orphan(new CountingOrphanage(buried, gone), 0);
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace sabir::client
