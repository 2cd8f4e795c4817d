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

class SharedProcessTest : public WorkerPoolTest {
 protected:
  // One process of job 1 with three workers in the slots from `first`.
  LaunchWorker start_process(shm::SlotIndex first) {
    auto made = launches();
    EXPECT_EQ(made.size(), 1u);
    EXPECT_EQ(made[0].more.size(), 2u);
    EXPECT_TRUE(pool_->worker_ready(made[0].launch, first));
    EXPECT_TRUE(pool_->worker_ready(made[0].more[0], static_cast<shm::SlotIndex>(first + 1)));
    EXPECT_TRUE(pool_->worker_ready(made[0].more[1], static_cast<shm::SlotIndex>(first + 2)));
    return made[0];
  }
};

TEST_F(SharedProcessTest, W8_OneLaunchBringsSoManyWorkers) {
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 2);
  auto first = launches();
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(first[0].more.size(), 2u);
  pool_->need_workers(1, 1, 4);
  EXPECT_EQ(launches().size(), 1u) << "three are on their way, six will be";
  EXPECT_EQ(pool_->process_count(), 6u);
  EXPECT_EQ(pool_->launch(first[0].more[1])->process, first[0].launch);
  pool_->launch_actor({7, 1, 1, 1, false, 0});
  auto actor = launches();
  ASSERT_EQ(actor.size(), 1u);
  EXPECT_TRUE(actor[0].more.empty()) << "an actor is alone";
  pool_->need_workers(2, 1, 1);
  auto other = launches();
  ASSERT_EQ(other.size(), 1u);
  EXPECT_TRUE(other[0].more.empty()) << "of a job that did not ask for it";
}

TEST_F(SharedProcessTest, W8_TheyLeaveTogetherWhenAllAreIdle) {
  make({.warm_workers = 2});
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 3);
  start_process(10);
  pool_->need_workers(1, 1, 3);
  start_process(20);
  pool_->need_workers(1, 1, 0);
  pool_->worker_leased(11);
  pool_->worker_leased(21);
  clock_.advance_ns(5 * kSecondNs);
  EXPECT_EQ(pool_->next_wake_ns(), std::nullopt) << "each has one that works";
  pool_->tick();
  EXPECT_TRUE(out_.empty());
  pool_->worker_idle(11);
  clock_.advance_ns(4 * kSecondNs);
  pool_->tick();
  EXPECT_TRUE(out_.empty());
  EXPECT_EQ(pool_->next_wake_ns(), clock_.now_ns() + kSecondNs) << "since the last of them became idle";
  clock_.advance_ns(kSecondNs);
  pool_->tick();
  auto leaving = taken<ExitWorker>();
  ASSERT_EQ(leaving.size(), 3u);
  EXPECT_EQ(leaving[0].slot, 10);
  EXPECT_EQ(leaving[2].slot, 12);
  pool_->worker_idle(21);
  for (shm::SlotIndex slot : {10, 11, 12}) {
    pool_->worker_gone(slot);
  }
  clock_.advance_ns(60 * kSecondNs);
  pool_->tick();
  EXPECT_TRUE(out_.empty()) << "without the last process fewer than warm_workers were left";
}

TEST_F(SharedProcessTest, W8_WhoKillsOneKillsAll) {
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 1);
  start_process(10);
  taken<LaunchWorker>();
  pool_->kill_worker(11, shm::DeathReason::kKilledByNode, "it broke the protocol");
  auto all = out_;
  EXPECT_EQ(taken<KillWorker>().size(), 1u) << "it is one process";
  out_ = all;
  EXPECT_EQ(taken<RetireWorker>().size(), 3u) << "none of them gets a lease any more";
  pool_->kill_worker(12, shm::DeathReason::kKilledByNode, "again");
  EXPECT_TRUE(out_.empty());
}

TEST_F(SharedProcessTest, W8_AProcessThatFailsCountsOnce) {
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 1);
  for (int i = 1; i <= 3; ++i) {
    auto first = launches();
    ASSERT_EQ(first.size(), 1u) << i;
    EXPECT_TRUE(taken<WorkersUnavailable>().empty());
    pool_->launch_failed(first[0].launch, "no JVM");
    pool_->launch_failed(first[0].more[0], "no JVM");
    pool_->launch_failed(first[0].more[1], "no JVM");
    EXPECT_EQ(taken<WorkersUnavailable>().size(), i < 3 ? 0u : 1u);
    clock_.advance_ns(kSecondNs);
  }
}

TEST_F(SharedProcessTest, W8_OneThatDoesNotJoinInTimeEndsItsProcess) {
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 1);
  for (int i = 1; i <= 3; ++i) {
    auto first = launches();
    ASSERT_EQ(first.size(), 1u) << i;
    EXPECT_TRUE(pool_->worker_ready(first[0].launch, 10));
    clock_.advance_ns(60 * kSecondNs);
    pool_->tick();
    auto all = out_;
    EXPECT_EQ(taken<AbortLaunch>().size(), 1u) << "it is one process";
    out_ = all;
    EXPECT_EQ(taken<RetireWorker>().size(), 1u) << "who has joined gets no lease any more";
    out_ = all;
    EXPECT_EQ(taken<WorkersUnavailable>().size(), i < 3 ? 0u : 1u) << "what never becomes whole never succeeded";
    pool_->launch_failed(first[0].more[0], "killed");
    pool_->launch_failed(first[0].more[1], "killed");
    pool_->worker_gone(10);
    EXPECT_TRUE(taken<WorkersUnavailable>().empty()) << "it counts once";
    clock_.advance_ns(10 * kSecondNs);
  }
}

TEST_F(SharedProcessTest, W8_AProcessThatEndsHalfJoinedIsAFailure) {
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 1);
  for (int i = 1; i <= 3; ++i) {
    auto first = launches();
    ASSERT_EQ(first.size(), 1u) << i;
    EXPECT_TRUE(pool_->worker_ready(first[0].launch, 10));
    EXPECT_TRUE(pool_->worker_ready(first[0].more[0], 11));
    pool_->launch_failed(first[0].more[1], "no slot is free");
    pool_->worker_gone(10);
    pool_->worker_gone(11);
    EXPECT_EQ(taken<WorkersUnavailable>().size(), i < 3 ? 0u : 1u);
    EXPECT_TRUE(launches().empty()) << "after a pause";
    clock_.advance_ns(kSecondNs);
  }
}

TEST_F(SharedProcessTest, W8_WhatIsKilledBeforeItIsWholeIsNoFailure) {
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 1);
  auto first = launches();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_TRUE(pool_->worker_ready(first[0].launch, 10));
  pool_->kill_worker(10, shm::DeathReason::kKilledByNode, "it broke the protocol");
  EXPECT_FALSE(pool_->worker_ready(first[0].more[0], 11)) << "its process is about to end";
  pool_->launch_failed(first[0].more[1], "killed");
  pool_->worker_gone(10);
  EXPECT_EQ(launches().size(), 1u) << "at once";
}

TEST_F(SharedProcessTest, W8_TheLimitCountsWorkers) {
  make({.max_processes = 4});
  pool_->set_slots_per_process(1, 1, 3);
  pool_->need_workers(1, 1, 1);
  start_process(10);
  pool_->need_workers(1, 1, 1);
  for (shm::SlotIndex slot : {10, 11, 12}) {
    pool_->worker_leased(slot);
  }
  pool_->tick();
  auto all = out_;
  auto fewer = taken<LaunchWorker>();
  ASSERT_EQ(fewer.size(), 1u);
  EXPECT_TRUE(fewer[0].more.empty()) << "three more do not fit, but one does";
  out_ = all;
  EXPECT_TRUE(taken<PoolFull>().empty());
  pool_->need_workers(1, 1, 2);
  pool_->tick();
  EXPECT_EQ(taken<PoolFull>().size(), 1u);
  make({.max_processes = 2});
  pool_->set_slots_per_process(1, 1, 64);
  pool_->need_workers(1, 1, 1);
  fewer = launches();
  ASSERT_EQ(fewer.size(), 1u);
  EXPECT_EQ(fewer[0].more.size(), 1u) << "what the limit allows";
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
