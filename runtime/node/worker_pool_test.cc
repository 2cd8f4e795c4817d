#include "runtime/node/worker_pool.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

class WorkerPoolTest : public testing::Test {
 protected:
  WorkerPoolTest() { make({}); }

  void make(WorkerPoolOptions options) {
    pool_.emplace(options, &clock_, &out_);
    pool_->add_job(1);
    pool_->add_job(2);
  }
  template <typename Kind>
  std::vector<Kind> taken() {
    std::vector<Kind> found;
    for (const Instruction& instruction : out_) {
      if (const Kind* one = std::get_if<Kind>(&instruction)) {
        found.push_back(*one);
      }
    }
    out_.clear();
    return found;
  }
  std::vector<LaunchWorker> launches() {
    pool_->tick();
    return taken<LaunchWorker>();
  }

  ManualClock clock_;
  Instructions out_;
  std::optional<WorkerPool> pool_;
};

TEST_F(WorkerPoolTest, W1_StartsWhatIsNeededAFewAtATime) {
  pool_->need_workers(1, 1, 6);
  auto first = launches();
  ASSERT_EQ(first.size(), 4u);
  EXPECT_TRUE(launches().empty());
  EXPECT_TRUE(pool_->worker_ready(first[0].launch, 10));
  EXPECT_EQ(launches().size(), 1u);
  EXPECT_EQ(pool_->worker(10)->state, WorkerState::kIdle);
  EXPECT_FALSE(pool_->worker_ready(first[0].launch, 11)) << "once";
  EXPECT_FALSE(pool_->worker_ready(999, 11));
}

TEST_F(WorkerPoolTest, PrestartIsForOnce) {
  pool_->prestart(1, 1, 1);
  auto first = launches();
  ASSERT_EQ(first.size(), 1u);
  pool_->need_workers(1, 1, 1);
  EXPECT_TRUE(launches().empty()) << "it is on its way";
  EXPECT_TRUE(pool_->worker_ready(first[0].launch, 10));
  pool_->need_workers(1, 1, 0);
  EXPECT_TRUE(launches().empty());
  pool_->worker_gone(10);
  EXPECT_TRUE(launches().empty());
}

TEST_F(WorkerPoolTest, W3_SurplusLeavesAfterAWhile) {
  pool_->need_workers(1, 1, 4);
  shm::SlotIndex slot = 10;
  for (const LaunchWorker& launch : launches()) {
    EXPECT_TRUE(pool_->worker_ready(launch.launch, slot++));
  }
  pool_->need_workers(1, 1, 0);
  pool_->worker_leased(10);
  clock_.advance_ns(4 * kSecondNs);
  EXPECT_TRUE(launches().empty());
  EXPECT_EQ(pool_->next_wake_ns(), kSecondNs + 5 * kSecondNs);
  clock_.advance_ns(kSecondNs);
  pool_->tick();
  auto all = out_;
  EXPECT_EQ(taken<ExitWorker>().size(), 2u) << "one is leased, one more stays";
  out_ = all;
  EXPECT_EQ(taken<RetireWorker>().size(), 2u);
  EXPECT_EQ(pool_->worker(10)->state, WorkerState::kLeased);
  // Who does not leave is killed.
  clock_.advance_ns(10 * kSecondNs);
  pool_->tick();
  EXPECT_EQ(taken<KillWorker>().size(), 2u);
}

TEST_F(WorkerPoolTest, W4_AtTheLimitAnIdleOneOfOthersLeaves) {
  make({.max_processes = 2});
  pool_->need_workers(1, 1, 2);
  auto first = launches();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_TRUE(pool_->worker_ready(first[0].launch, 10));
  EXPECT_TRUE(pool_->worker_ready(first[1].launch, 11));
  pool_->need_workers(1, 1, 0);
  pool_->worker_leased(10);
  pool_->need_workers(2, 1, 1);
  pool_->tick();
  EXPECT_EQ(taken<ExitWorker>().size(), 1u);
  pool_->tick();
  EXPECT_TRUE(out_.empty()) << "one is enough, and the place is not free yet";
  pool_->worker_gone(11);
  auto second = launches();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].job, 2u);
  // Now all are busy: the scheduler is told, once.
  EXPECT_TRUE(pool_->worker_ready(second[0].launch, 12));
  pool_->worker_leased(12);
  pool_->tick();
  EXPECT_EQ(taken<PoolFull>().size(), 1u);
  pool_->tick();
  EXPECT_TRUE(out_.empty());
}

TEST_F(WorkerPoolTest, W5_FailuresPauseAndAreTold) {
  pool_->need_workers(1, 1, 1);
  int64_t pause_ns = 100 * kMillisecondNs;
  for (int i = 1; i <= 5; ++i) {
    auto first = launches();
    ASSERT_EQ(first.size(), 1u) << i;
    pool_->launch_failed(first[0].launch, "exec: no such file");
    auto told = taken<WorkersUnavailable>();
    ASSERT_EQ(told.size(), i < 3 ? 0u : 1u);
    if (i >= 3) {
      EXPECT_EQ(told[0].error.kind(), ErrorKind::kSystem);
      EXPECT_NE(told[0].error.message().find("exec: no such file"), std::string::npos);
    }
    EXPECT_TRUE(launches().empty());
    EXPECT_EQ(pool_->next_wake_ns(), clock_.now_ns() + pause_ns);
    clock_.advance_ns(pause_ns);
    pause_ns *= 2;
  }
  auto good = launches();
  ASSERT_EQ(good.size(), 1u);
  EXPECT_TRUE(pool_->worker_ready(good[0].launch, 10));
  pool_->need_workers(1, 1, 1);
  EXPECT_EQ(launches().size(), 1u) << "a success ends the pauses";
}

TEST_F(WorkerPoolTest, W6_ALaunchThatHangsIsAborted) {
  pool_->need_workers(1, 1, 1);
  auto first = launches();
  ASSERT_EQ(first.size(), 1u);
  clock_.advance_ns(60 * kSecondNs);
  pool_->tick();
  EXPECT_EQ(taken<AbortLaunch>().size(), 1u);
  EXPECT_FALSE(pool_->worker_ready(first[0].launch, 10)) << "too late";
  EXPECT_EQ(pool_->process_count(), 0u);
  EXPECT_TRUE(launches().empty()) << "it counts as failed: a pause";
}

TEST_F(WorkerPoolTest, W7_AJobTakesAllItsProcessesWithIt) {
  pool_->need_workers(1, 1, 2);
  pool_->launch_actor({7, 1, 1, 1, true, 0});
  pool_->launch_actor({8, 1, 1, 1, false, 0});
  auto first = launches();
  ASSERT_EQ(first.size(), 4u);
  ASSERT_EQ(first[0].actor, 7u);
  ASSERT_EQ(first[1].actor, 8u);
  EXPECT_TRUE(pool_->worker_ready(first[0].launch, 10));
  EXPECT_TRUE(pool_->worker_ready(first[2].launch, 11));
  pool_->end_job(1);
  auto all = out_;
  auto killed = taken<KillWorker>();
  ASSERT_EQ(killed.size(), 1u);
  EXPECT_EQ(killed[0].slot, 11) << "the detached actor stays";
  EXPECT_EQ(killed[0].reason, shm::DeathReason::kJobEnded);
  out_ = all;
  EXPECT_EQ(taken<AbortLaunch>().size(), 2u);
  pool_->end_job(1);
  pool_->need_workers(1, 1, 5);
  pool_->prestart(1, 1, 5);
  EXPECT_TRUE(launches().empty());
  pool_->launch_failed(first[1].launch, "killed");
  pool_->launch_failed(first[3].launch, "killed");
  pool_->worker_gone(11);
  EXPECT_TRUE(taken<ActorLaunchFailed>().empty()) << "as it was asked to";
  EXPECT_EQ(pool_->process_count(), 1u);
}

TEST_F(WorkerPoolTest, ActorsHearOfTheirFailures) {
  pool_->launch_actor({7, 3, 1, 1, false, 0b10});
  auto first = launches();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].gpu_mask, 0b10u);
  EXPECT_EQ(pool_->launch(first[0].launch)->incarnation, 3u);
  pool_->launch_failed(first[0].launch, "fork failed");
  auto told = taken<ActorLaunchFailed>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].incarnation, 3u);
  pool_->launch_actor({7, 4, 1, 1, false, 0});
  pool_->abort_actor_launch(7);
  EXPECT_TRUE(launches().empty()) << "it had not even begun";
}

}  // namespace
}  // namespace sabir::node
