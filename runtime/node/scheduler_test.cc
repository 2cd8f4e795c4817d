#include "runtime/node/scheduler.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() { scheduler_.add_job(1); }

  static NodeResources two_cpus() {
    return *NodeResources::create({{"CPU", 2 * kUnit}, {"GPU", 2 * kUnit}, {"memory", 10 * kUnit}});
  }
  shm::ClassIndex declare(std::vector<ResourceRequest> request, JobNumber job = 1) {
    return scheduler_.declare_class(job, 1, request)->class_index;
  }
  // One decision; what it asked for of one kind.
  template <typename Kind>
  std::vector<Kind> tick() {
    scheduler_.tick();
    scheduler_.check_invariants();
    return taken<Kind>();
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
  void see(shm::SlotIndex slot, WorkerSample sample) { scheduler_.observe_worker(slot, sample); }
  // Job 1 runs calls of one CPU on slots 1 and 2 since a second, and more wait. Job 2, whose worker is slot 3, has one
  // call of this class waiting from now on.
  shm::ClassIndex flood_and_wait(std::vector<ResourceRequest> request) {
    scheduler_.add_job(2);
    scheduler_.open_queue(10, declare({{"CPU", kUnit}}), 5);
    shm::ClassIndex other = declare(std::move(request), 2);
    scheduler_.open_queue(11, other, 6);
    scheduler_.add_worker(1, 1, 1, 0);
    scheduler_.add_worker(2, 1, 1, 0);
    scheduler_.add_worker(3, 2, 1, 0);
    scheduler_.observe_queue(10, 1000);
    EXPECT_EQ(tick<GrantLease>().size(), 2u);
    see(1, {.running = true});
    see(2, {.running = true});
    clock_.advance_ns(kSecondNs);
    scheduler_.observe_queue(11, 1);
    return other;
  }

  ManualClock clock_;
  Instructions out_;
  Scheduler scheduler_{two_cpus(), {}, &clock_, &out_};
};

TEST_F(SchedulerTest, L1_TheSameClassForTheSameThing) {
  scheduler_.add_job(2);
  EXPECT_EQ(declare({{"CPU", kUnit}}), declare({{"CPU", kUnit}, {"x", 0}}));
  EXPECT_NE(declare({{"CPU", kUnit}}), declare({{"CPU", kUnit}}, 2));
  EXPECT_NE(declare({{"CPU", kUnit}}), scheduler_.declare_class(1, 2, {{"CPU", kUnit}})->class_index);
  EXPECT_EQ(scheduler_.declare_class(3, 1, {}).error().kind(), ErrorKind::kNotFound);
}

TEST_F(SchedulerTest, L1_AnotherStrategyIsAnotherClass) {
  ClassPlace spread;
  spread.strategy.kind = cluster::Strategy::Kind::kSpread;
  auto with = [&](ClassPlace place) { return scheduler_.declare_class(1, 1, {{"CPU", kUnit}}, place)->class_index; };
  EXPECT_FALSE(scheduler_.has_strategies());
  EXPECT_EQ(with(spread), with(spread));
  EXPECT_NE(with(spread), with({}));
  EXPECT_NE(with({.here_only = true}), with({}));
  EXPECT_TRUE(scheduler_.has_strategies());
}

TEST_F(SchedulerTest, S12_AClassWithAStrategyHasTheLeasesThatItWasAllowed) {
  ClassPlace spread;
  spread.strategy.kind = cluster::Strategy::Kind::kSpread;
  shm::ClassIndex what = scheduler_.declare_class(1, 1, {{"CPU", kUnit}}, spread)->class_index;
  scheduler_.open_queue(0, what, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.add_worker(2, 1, 1, 0);
  scheduler_.observe_queue(0, 5);
  EXPECT_EQ(tick<GrantLease>().size(), 0u) << "none at first";
  EXPECT_TRUE(scheduler_.busy()) << "somebody is to look at it again";
  scheduler_.allow(what, 1);
  std::vector<GrantLease> granted = tick<GrantLease>();
  ASSERT_EQ(granted.size(), 1u);
  see(granted[0].slot, {.running = true});
  clock_.advance_ns(kSecondNs);
  EXPECT_EQ(tick<GrantLease>().size(), 0u);
  EXPECT_EQ(scheduler_.classes()[0].leases_here, 1u);
  see(granted[0].slot, {.blocked = 1, .running = true});
  EXPECT_EQ(tick<GrantLease>().size(), 1u) << "a blocked one is no help";
}

TEST_F(SchedulerTest, S12_WhatAClassHoldsBeyondIsWithdrawn) {
  ClassPlace spread;
  spread.strategy.kind = cluster::Strategy::Kind::kSpread;
  shm::ClassIndex what = scheduler_.declare_class(1, 1, {{"CPU", kUnit}}, spread)->class_index;
  scheduler_.open_queue(0, what, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.add_worker(2, 1, 1, 0);
  scheduler_.observe_queue(0, 5);
  scheduler_.allow(what, 2);
  EXPECT_EQ(tick<GrantLease>().size(), 2u);
  see(2, {.running = true});
  scheduler_.observe_queue(0, 0);
  scheduler_.allow(what, 1);
  std::vector<WithdrawLease> withdrawn = tick<WithdrawLease>();
  ASSERT_EQ(withdrawn.size(), 1u);
  EXPECT_EQ(withdrawn[0].slot, 1) << "the one that runs nothing";
  scheduler_.allow(what, 0);
  EXPECT_EQ(tick<WithdrawLease>().size(), 1u);
  EXPECT_EQ(tick<WithdrawLease>().size(), 0u) << "once each";
}

TEST_F(SchedulerTest, SaysWhatNoNodeHasAndNeverGrantsIt) {
  auto declared = *scheduler_.declare_class(1, 1, {{"licence", kUnit}});
  EXPECT_EQ(declared.infeasible, "needs 1 licence, this node has 0");
  EXPECT_EQ(taken<MarkInfeasible>().size(), 1u);
  scheduler_.open_queue(0, declared.class_index, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.observe_queue(0, 3);
  EXPECT_TRUE(tick<GrantLease>().empty());
  EXPECT_FALSE(scheduler_.busy()) << "nothing to look for";
}

TEST_F(SchedulerTest, L2_GrantWithdrawAcknowledgeGrant) {
  shm::ClassIndex wide = declare({{"CPU", 2 * kUnit}});
  shm::ClassIndex other = declare({{"CPU", 2 * kUnit}, {"memory", kUnit}});
  scheduler_.open_queue(10, wide, 5);
  scheduler_.open_queue(11, other, 5);
  scheduler_.add_worker(1, 1, 1, 41);
  scheduler_.add_worker(2, 1, 1, 7);
  scheduler_.observe_queue(10, 1);
  auto grants = tick<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].slot, 2) << "the worker that was idle last";
  EXPECT_EQ(grants[0].epoch, 8u);
  EXPECT_EQ(grants[0].first_queue, 10u);

  // S5: its queue is empty and another class waits.
  scheduler_.observe_queue(10, 0);
  scheduler_.observe_queue(11, 1);
  see(2, {.lease_epoch_done = 7, .running = true});
  scheduler_.tick();
  auto all = out_;
  EXPECT_EQ(taken<WithdrawLease>().size(), 1u);
  out_ = all;
  EXPECT_EQ(taken<UnlistWorker>().size(), 1u);

  // S2: until the worker's word nothing is free.
  clock_.advance_ns(kSecondNs);
  EXPECT_TRUE(tick<GrantLease>().empty());
  see(2, {.lease_epoch_done = 9, .running = true});
  EXPECT_TRUE(tick<GrantLease>().empty()) << "T3: not the epoch it was given";
  see(2, {.lease_epoch_done = 8});
  grants = tick<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].epoch, 9u);
  EXPECT_EQ(grants[0].class_index, other);
}

TEST_F(SchedulerTest, L4_S6_TheLentCpuGoesToTheQueueOfWhoLentIt) {
  shm::ClassIndex one = declare({{"CPU", 2 * kUnit}});
  scheduler_.open_queue(10, one, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.observe_queue(10, 100);
  EXPECT_EQ(tick<GrantLease>().size(), 1u);
  scheduler_.open_queue(11, one, 1);
  scheduler_.observe_queue(11, 1);
  see(1, {.blocked = 1, .running = true});
  EXPECT_EQ(tick<NeedWorkers>().size(), 1u);
  scheduler_.add_worker(2, 1, 1, 0);
  auto grants = tick<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].first_queue, 11u) << "though a hundred wait in the other";

  // It resumes at once: the debt is paid before anything is granted, by its own lease (S7).
  see(1, {.blocked = 2, .running = true});
  EXPECT_EQ(scheduler_.resources().free(kCpu), -2 * kUnit);
  EXPECT_TRUE(tick<WithdrawLease>().empty());
  see(1, {.blocked = 2, .lease_epoch_done = 1});
  EXPECT_EQ(scheduler_.resources().free(kCpu), 0);
  EXPECT_TRUE(tick<GrantLease>().empty());
}

TEST_F(SchedulerTest, L4_OnlyTheCpuIsLent) {
  shm::ClassIndex gpu = declare({{"CPU", kUnit}, {"GPU", 2 * kUnit}});
  scheduler_.open_queue(10, gpu, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.add_worker(2, 1, 1, 0);
  scheduler_.observe_queue(10, 2);
  auto grants = tick<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].gpu_mask, 0b11u);
  see(grants[0].slot, {.blocked = 1, .running = true});
  clock_.advance_ns(kSecondNs);
  EXPECT_TRUE(tick<GrantLease>().empty());
  EXPECT_EQ(scheduler_.resources().free(kCpu), 2 * kUnit);
  EXPECT_EQ(scheduler_.resources().free(kGpu), 0);
}

TEST_F(SchedulerTest, S10_ARecursionDeeperThanTheLimitFails) {
  shm::ClassIndex one = declare({{"CPU", kUnit}});
  // More than a class may list: blocked ones do not count.
  constexpr shm::SlotIndex kDepth = shm::kMaxWorkersPerClass + 10;
  for (shm::SlotIndex slot = 1; slot <= kDepth; ++slot) {
    // Each submits one call and waits for it.
    scheduler_.open_queue(slot, one, slot - 1);
    scheduler_.add_worker(slot, 1, 1, 0);
    scheduler_.observe_queue(slot, 1);
    ASSERT_EQ(tick<GrantLease>().size(), 1u) << slot;
    scheduler_.observe_queue(slot, 0);
    see(slot, {.blocked = 1, .running = true});
  }
  scheduler_.open_queue(1000, one, kDepth);
  scheduler_.observe_queue(1000, 1);
  EXPECT_EQ(tick<NeedWorkers>().size(), 1u);
  scheduler_.pool_full(1, 1, exhausted_error("no more"));
  EXPECT_TRUE(tick<FailClass>().empty());
  clock_.advance_ns(2 * kSecondNs);
  auto failed = tick<FailClass>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].class_index, one);
  EXPECT_EQ(failed[0].error.kind(), ErrorKind::kExhausted);
  EXPECT_TRUE(tick<FailClass>().empty()) << "once";
}

TEST_F(SchedulerTest, S7_ABlockBetweenTwoLooksEndsTheLeaseToo) {
  shm::ClassIndex one = declare({{"CPU", kUnit}});
  scheduler_.open_queue(10, one, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.observe_queue(10, 1);
  EXPECT_EQ(tick<GrantLease>().size(), 1u);
  see(1, {.blocked = 2, .running = true});
  EXPECT_EQ(tick<UnlistWorker>().size(), 1u) << "nobody rings who will not come";
  see(1, {.blocked = 2, .lease_epoch_done = 1});
  EXPECT_EQ(tick<GrantLease>().size(), 1u);
}

TEST_F(SchedulerTest, S7_AResumedLeaseIsNoHelpForWhatWaits) {
  shm::ClassIndex half = declare({{"CPU", kUnit / 2}});
  scheduler_.open_queue(10, half, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.add_worker(2, 1, 1, 0);
  scheduler_.observe_queue(10, 1);
  ASSERT_EQ(tick<GrantLease>().size(), 1u);
  see(2, {.blocked = 2, .running = true});
  EXPECT_EQ(tick<GrantLease>().size(), 1u) << "at once: its worker claims nothing more";
}

TEST_F(SchedulerTest, S8_OneCallBehindRunningLeasesWaitsAMoment) {
  shm::ClassIndex half = declare({{"CPU", kUnit / 2}});
  scheduler_.open_queue(10, half, 5);
  for (shm::SlotIndex slot : {1, 2, 3, 4}) {
    scheduler_.add_worker(slot, 1, 1, 0);
  }
  scheduler_.observe_queue(10, 1);
  ASSERT_EQ(tick<GrantLease>().size(), 1u) << "the first lease at once";
  see(4, {.running = true});
  EXPECT_TRUE(tick<GrantLease>().empty());
  EXPECT_EQ(scheduler_.next_wake_ns(), clock_.now_ns() + 2 * kMillisecondNs);
  clock_.advance_ns(2 * kMillisecondNs);
  EXPECT_EQ(tick<GrantLease>().size(), 1u) << "it has waited";
  see(3, {.running = true});
  scheduler_.observe_queue(10, 2);
  EXPECT_EQ(tick<GrantLease>().size(), 2u) << "more than one at once";
}

// Two workers that end calls of 50 ms at different times, and one call that needs both of their CPUs.
TEST_F(SchedulerTest, S4_WhoNeedsSeveralLeasesGetsThemAlsoOneAfterTheOther) {
  shm::ClassIndex wide = flood_and_wait({{"CPU", 2 * kUnit}});
  tick<GrantLease>();
  clock_.advance_ns(20 * kMillisecondNs);
  EXPECT_EQ(tick<WithdrawLease>().size(), 2u);
  clock_.advance_ns(25 * kMillisecondNs);
  EXPECT_TRUE(tick<GrantLease>().empty());
  see(1, {.lease_epoch_done = 1});
  EXPECT_TRUE(tick<GrantLease>().empty()) << "one of the two CPUs is kept for it";
  clock_.advance_ns(25 * kMillisecondNs);
  see(2, {.lease_epoch_done = 1});
  auto grants = tick<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].class_index, wide);
}

TEST_F(SchedulerTest, S11_WhoDoesNotHearIsRungAgain) {
  shm::ClassIndex one = declare({{"CPU", kUnit}});
  scheduler_.open_queue(10, one, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.observe_queue(10, 1);
  ASSERT_EQ(tick<GrantLease>().size(), 1u);
  EXPECT_TRUE(tick<RingWorker>().empty()) << "the grant rang it";
  ASSERT_TRUE(scheduler_.next_wake_ns());
  clock_.advance_ns(20 * kMillisecondNs);
  auto rung = tick<RingWorker>();
  ASSERT_EQ(rung.size(), 1u);
  EXPECT_EQ(rung[0].slot, 1);
  EXPECT_TRUE(tick<RingWorker>().empty()) << "once in a quantum";
  clock_.advance_ns(20 * kMillisecondNs);
  see(1, {.running = true});
  EXPECT_TRUE(tick<RingWorker>().empty()) << "it will look when it is done";
}

TEST_F(SchedulerTest, D2_ADeathGivesEverythingBack) {
  shm::ClassIndex one = declare({{"CPU", kUnit}, {"GPU", kUnit}});
  scheduler_.open_queue(10, one, 5);
  for (shm::SlotIndex slot : {1, 2}) {
    scheduler_.add_worker(slot, 1, 1, 0);
  }
  scheduler_.observe_queue(10, 2);
  EXPECT_EQ(tick<GrantLease>().size(), 2u);
  see(1, {.blocked = 1, .running = true});
  scheduler_.remove_worker(1);
  scheduler_.remove_worker(2);
  scheduler_.remove_worker(2);
  auto cleared = taken<ClearLease>();
  EXPECT_EQ(cleared.size(), 2u);
  EXPECT_EQ(scheduler_.resources().free(kCpu), 2 * kUnit);
  EXPECT_EQ(scheduler_.resources().free(kGpu), 2 * kUnit);
  scheduler_.check_invariants();
}

// Three classes of one CPU each: `first` and `second` hold a lease and have nothing queued, `third` has one call
// waiting.
TEST_F(SchedulerTest, S5_AnIdleLeaseIsTakenBeforeARunningOne) {
  std::vector<shm::ClassIndex> classes;
  for (Units memory = 0; memory < 3; ++memory) {
    classes.push_back(declare({{"CPU", kUnit}, {"memory", memory * kUnit}}));
    scheduler_.open_queue(static_cast<shm::QueueIndex>(10 + memory), classes.back(), 5);
  }
  for (shm::SlotIndex slot : {3, 2, 1}) {
    scheduler_.add_worker(slot, 1, 1, 0);
  }
  for (shm::QueueIndex queue : {10, 11}) {
    scheduler_.observe_queue(queue, 1);
    ASSERT_EQ(tick<GrantLease>().size(), 1u);
    scheduler_.observe_queue(queue, 0);
  }
  see(1, {.running = true});
  see(2, {});
  scheduler_.observe_queue(12, 1);
  auto withdrawn = tick<WithdrawLease>();
  ASSERT_EQ(withdrawn.size(), 1u);
  EXPECT_EQ(withdrawn[0].slot, 2) << "slot 1 runs, for nobody knows how long";

  // Before it saw that, it claimed one more call, and that takes long: the other is asked for.
  see(2, {.running = true});
  see(1, {});
  EXPECT_TRUE(tick<WithdrawLease>().empty()) << "it may be short";
  ASSERT_TRUE(scheduler_.next_wake_ns());
  clock_.advance_ns(20 * kMillisecondNs);
  withdrawn = tick<WithdrawLease>();
  ASSERT_EQ(withdrawn.size(), 1u);
  EXPECT_EQ(withdrawn[0].slot, 1);
  see(1, {.lease_epoch_done = 1});
  auto grants = tick<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].class_index, classes[2]);
}

TEST_F(SchedulerTest, S4_WhoDoesNotComeBackInAQuantumIsNotWaitedFor) {
  shm::ClassIndex other = flood_and_wait({{"CPU", kUnit}});
  std::vector<shm::SlotIndex> withdrawn;
  for (int quantum = 0; quantum < 4; ++quantum) {
    for (const WithdrawLease& one : tick<WithdrawLease>()) {
      withdrawn.push_back(one.slot);
    }
    ASSERT_EQ(withdrawn.size(), quantum < 1 ? 0u : quantum < 2 ? 1u : 2u) << "in quantum " << quantum;
    clock_.advance_ns(20 * kMillisecondNs);
  }
  // The second runs short calls: what it gives back is for who waits, though the first may return at any time.
  see(withdrawn[1], {.lease_epoch_done = 1});
  auto grants = tick<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].class_index, other);
}

TEST_F(SchedulerTest, S4_AnActorThatCountsOnALeaseIsLookedAtAgain) {
  scheduler_.open_queue(10, declare({{"CPU", 2 * kUnit}}), 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.observe_queue(10, 1);
  ASSERT_EQ(tick<GrantLease>().size(), 1u);
  scheduler_.observe_queue(10, 0);
  see(1, {.running = true});
  EXPECT_FALSE(scheduler_.next_wake_ns()) << "nobody waits";
  ResourceSet one;
  one.set(kCpu, kUnit);
  scheduler_.place_actor(3, 1, one);
  EXPECT_EQ(tick<WithdrawLease>().size(), 1u);
  EXPECT_EQ(scheduler_.next_wake_ns(), clock_.now_ns() + 20 * kMillisecondNs);
  see(1, {.lease_epoch_done = 1});
  EXPECT_EQ(tick<ActorPlaced>().size(), 1u);
  EXPECT_FALSE(scheduler_.next_wake_ns());
}

TEST_F(SchedulerTest, S1_AnActorThatResumesIsPaidByALease) {
  shm::ClassIndex one = declare({{"CPU", 2 * kUnit}});
  ResourceSet two;
  two.set(kCpu, 2 * kUnit);
  scheduler_.place_actor(3, 1, two);
  EXPECT_EQ(tick<ActorPlaced>().size(), 1u);
  scheduler_.bind_actor(3, 9);
  scheduler_.open_queue(10, one, 9);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.observe_queue(10, 1);
  EXPECT_TRUE(tick<GrantLease>().empty());
  see(9, {.blocked = 1, .running = true});
  EXPECT_EQ(tick<GrantLease>().size(), 1u);
  scheduler_.observe_queue(10, 0);
  EXPECT_TRUE(scheduler_.busy()) << "else nobody sees when the actor goes on";
  see(9, {.blocked = 2, .running = true});
  EXPECT_EQ(tick<WithdrawLease>().size(), 1u);
  scheduler_.unplace_actor(3);
  EXPECT_EQ(scheduler_.resources().free(kCpu), 0);
}

// As many blocked workers as one class may list. They are not listed: what waits still asks for one more, and fails
// with the pool's error if there can be none.
TEST_F(SchedulerTest, S10_TheLimitOfAClassIsNoDeadlock) {
  shm::ClassIndex one = declare({{"CPU", kUnit}});
  constexpr shm::SlotIndex kDriver = 1;
  scheduler_.open_queue(10, one, kDriver);
  for (uint32_t i = 0; i < shm::kMaxWorkersPerClass; ++i) {
    auto slot = static_cast<shm::SlotIndex>(kDriver + 1 + i);
    scheduler_.add_worker(slot, 1, 1, 0);
    scheduler_.observe_queue(10, 1);
    clock_.advance_ns(5 * kMillisecondNs);
    ASSERT_EQ(tick<GrantLease>().size(), 1u) << i;
    see(slot, {.blocked = 1, .running = true});
  }
  scheduler_.observe_queue(10, 1);
  clock_.advance_ns(5 * kMillisecondNs);
  ASSERT_EQ(tick<NeedWorkers>().size(), 1u);
  scheduler_.pool_full(1, 1, exhausted_error("no more"));
  EXPECT_TRUE(tick<FailClass>().empty()) << "not at once";
  clock_.advance_ns(2 * kSecondNs);
  EXPECT_EQ(tick<FailClass>().size(), 1u);
}

TEST_F(SchedulerTest, AJobThatEndsLeavesNothing) {
  shm::ClassIndex one = declare({{"CPU", kUnit}});
  scheduler_.open_queue(10, one, 5);
  scheduler_.add_worker(1, 1, 1, 0);
  scheduler_.observe_queue(10, 5);
  EXPECT_EQ(tick<GrantLease>().size(), 1u);
  scheduler_.end_job(1);
  EXPECT_FALSE(scheduler_.declare_class(1, 1, {}).ok());
  scheduler_.remove_worker(1);
  EXPECT_TRUE(tick<GrantLease>().empty());
  scheduler_.close_queue(10);
  scheduler_.close_queue(10);
  EXPECT_EQ(taken<FreeClass>().size(), 1u);
  EXPECT_TRUE(scheduler_.classes().empty());
}

TEST_F(SchedulerTest, ClassesAreBoundedAndTheirIndicesRest) {
  for (Units units = 1; units <= shm::kMaxClasses; ++units) {
    ASSERT_TRUE(scheduler_.declare_class(1, 1, {{"CPU", units}}).ok());
  }
  EXPECT_EQ(scheduler_.declare_class(1, 1, {{"CPU", 9'999}}).error().kind(), ErrorKind::kExhausted);
  EXPECT_TRUE(scheduler_.declare_class(1, 1, {{"CPU", 5}}).ok());
}

TEST_F(SchedulerTest, T3_ClaimsOfProcessesAreBounded) {
  shm::ClassIndex one = declare({{"CPU", kUnit}});
  scheduler_.open_queue(10, one, 5);
  scheduler_.open_queue(11, one, 6);
  scheduler_.observe_queue(10, UINT64_MAX);
  scheduler_.observe_queue(11, UINT64_MAX);
  scheduler_.observe_queue(99, 1);
  see(77, {.blocked = 1});
  auto needs = tick<NeedWorkers>();
  ASSERT_EQ(needs.size(), 1u);
  EXPECT_EQ(needs[0].count, 2u) << "as many as there are CPUs";
  scheduler_.observe_queue(10, 0);
  scheduler_.observe_queue(11, 0);
  scheduler_.check_invariants();
}

}  // namespace
}  // namespace sabir::node
