// Scenarios whose outcome the rules promise in numbers: fairness, depth of recursion, limits.
#include <gtest/gtest.h>

#include "tests/simulation/node/world.h"

namespace sabir::simulation {
namespace {

using node::kUnit;
using node::Units;

PlanPtr leaf(ClassIndex what, int64_t compute_ns) {
  auto plan = std::make_shared<Plan>();
  plan->class_index = what;
  plan->before_ns = compute_ns;
  return plan;
}

PlanPtr fib(ClassIndex what, int n, Plan::Get get, int64_t compute_ns) {
  auto plan = std::make_shared<Plan>();
  plan->class_index = what;
  plan->before_ns = compute_ns;
  plan->after_ns = compute_ns / 2;
  plan->get = get;
  if (n > 1) {
    plan->children = {fib(what, n - 1, get, compute_ns), fib(what, n - 2, get, compute_ns)};
  }
  return plan;
}

PlanPtr chain(ClassIndex what, int depth) {
  auto plan = std::make_shared<Plan>();
  plan->class_index = what;
  plan->before_ns = 100 * kUs;
  if (depth > 1) {
    plan->children = {chain(what, depth - 1)};
  }
  return plan;
}

// Keeps `count` calls in flight for ever.
void flood(World& world, JobNumber job, PlanPtr plan, int count) {
  for (int i = 0; i < count; ++i) {
    world.submit(job, plan, [&world, job, plan](bool good) {
      if (good) {
        flood(world, job, plan, 1);
      }
    });
  }
}

double share(const World& world, JobNumber a, JobNumber b) {
  return static_cast<double>(world.executed_ns.at(a)) /
         static_cast<double>(world.executed_ns.at(a) + world.executed_ns.at(b));
}

// L4: recursion needs depth x CPUs processes, whatever the width of the tree: here 11 x 2 for 288 calls. That is for a
// worker that goes round the queues in the order of the directory, which names the deepest first; in any other order it
// is a few times that.
TEST(NodeScenariosTest, L4_FibNeedsDepthTimesCpusProcesses) {
  constexpr int kDepth = 11;
  for (int64_t compute_ns : {20 * kUs, 300 * kUs, 5 * kMs}) {
    for (auto get : {Plan::Get::kAll, Plan::Get::kInOrder, Plan::Get::kOneByOne}) {
      for (auto round :
           {WorldOptions::Round::kNewestFirst, WorldOptions::Round::kOldestFirst, WorldOptions::Round::kAnywhere}) {
        WorldOptions options;
        options.round = round;
        World world(1, options);
        JobNumber job = world.add_job();
        world.submit(job, fib(world.declare(job, {{"CPU", kUnit}}), kDepth, get, compute_ns));
        ASSERT_TRUE(world.run_until_quiet(600 * kSecondNs)) << world.describe();
        EXPECT_EQ(world.calls_failed, 0u);
        bool in_order = round == WorldOptions::Round::kNewestFirst;
        EXPECT_LE(world.most_processes, in_order ? kDepth * 2 + 6u : kDepth * 2 * 4u)
            << "compute_ns=" << compute_ns << " get=" << static_cast<int>(get) << " round=" << static_cast<int>(round);
      }
    }
  }
}

TEST(NodeScenariosTest, L4_OneCpuIsEnoughForAnyRecursion) {
  WorldOptions options;
  options.resources = {{"CPU", kUnit}};
  World world(3, options);
  JobNumber job = world.add_job();
  world.submit(job, chain(world.declare(job, {{"CPU", kUnit}}), 100));
  ASSERT_TRUE(world.run_until_quiet(60 * kSecondNs)) << world.describe();
  EXPECT_EQ(world.calls_done, 100u);
  EXPECT_LE(world.most_processes, 101u);
}

TEST(NodeScenariosTest, S10_RecursionBeyondTheProcessLimitFailsTyped) {
  WorldOptions options;
  options.coordinator.pool.max_processes = 8;
  options.call_deaths_are_retried = false;
  World world(4, options);
  JobNumber job = world.add_job();
  ClassIndex what = world.declare(job, {{"CPU", kUnit}});
  world.submit(job, chain(what, 20));
  ASSERT_TRUE(world.run_until_quiet(60 * kSecondNs)) << world.describe();
  EXPECT_EQ(world.most_processes, 8u);
  ASSERT_TRUE(world.failures.contains(what));
  EXPECT_EQ(world.failures.at(what).kind(), ErrorKind::kExhausted);
  world.submit(job, chain(what, 7));
  ASSERT_TRUE(world.run_until_quiet(60 * kSecondNs)) << "what fits is served again";
}

TEST(NodeScenariosTest, W4_AtTheLimitIdleWorkersOfOthersMakeRoom) {
  WorldOptions options;
  options.coordinator.pool.max_processes = 2;
  options.coordinator.pool.surplus_idle_ns = 3600 * kSecondNs;
  World world(5, options);
  for (int i = 0; i < 3; ++i) {
    JobNumber job = world.add_job();
    ClassIndex what = world.declare(job, {{"CPU", kUnit}});
    for (int n = 0; n < 4; ++n) {
      world.submit(job, leaf(what, kMs));
    }
    ASSERT_TRUE(world.run_until_quiet(10 * kSecondNs)) << world.describe();
  }
  EXPECT_EQ(world.calls_done, 12u);
}

TEST(NodeScenariosTest, L1_TwoJobsShareEvenly) {
  World world(6, {});
  JobNumber a = world.add_job();
  JobNumber b = world.add_job();
  flood(world, a, leaf(world.declare(a, {{"CPU", kUnit}}), kMs), 100);
  world.run_for(kSecondNs);  // no debt for what was free
  world.executed_ns.clear();
  flood(world, b, leaf(world.declare(b, {{"CPU", kUnit}}), 3 * kMs), 5);
  world.run_for(4 * kSecondNs);
  EXPECT_NEAR(share(world, a, b), 0.5, 0.05);
}

TEST(NodeScenariosTest, L1_ThreeJobsShareTwoCpusInTurns) {
  World world(7, {});
  std::vector<JobNumber> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(world.add_job());
    flood(world, jobs.back(), leaf(world.declare(jobs.back(), {{"CPU", kUnit}}), kMs), 20);
  }
  world.run_for(6 * kSecondNs);
  EXPECT_NEAR(share(world, jobs[0], jobs[1]), 0.5, 0.05);
  EXPECT_NEAR(share(world, jobs[1], jobs[2]), 0.5, 0.05);
  int64_t all_ns = 0;
  for (JobNumber job : jobs) {
    all_ns += world.executed_ns[job];
  }
  EXPECT_GT(all_ns, 2 * 6 * kSecondNs * 85 / 100) << "turns cost little";
}

TEST(NodeScenariosTest, L1_AJobGainsNothingByHavingManyClasses) {
  World world(8, {});
  JobNumber one = world.add_job();
  JobNumber many = world.add_job();
  flood(world, one, leaf(world.declare(one, {{"CPU", kUnit}}), kMs), 20);
  for (int i = 1; i <= 4; ++i) {
    flood(world, many, leaf(world.declare(many, {{"CPU", kUnit}, {"memory", i}}), kMs), 20);
  }
  world.run_for(100 * kMs);
  SUCCEED() << "memory is nowhere on this node: those classes wait, and nothing else is disturbed";
  for (Units share_units : {kUnit / 2, kUnit}) {
    flood(world, many, leaf(world.declare(many, {{"CPU", share_units}}), kMs), 20);
  }
  world.run_for(4 * kSecondNs);
  EXPECT_GT(share(world, one, many), 0.3);
}

TEST(NodeScenariosTest, S3_ANewClassSharesAtOnceAndOwnsNoPast) {
  World world(19, {});
  JobNumber job = world.add_job();
  ClassIndex old_class = world.declare(job, {{"CPU", 2 * kUnit}});
  ClassIndex new_class = world.declare(job, {{"CPU", 2 * kUnit - 1}});
  flood(world, job, leaf(old_class, kMs), 10);
  world.run_for(3 * kSecondNs);
  world.class_executed_ns.clear();
  flood(world, job, leaf(new_class, kMs), 10);
  world.run_for(kSecondNs);
  EXPECT_NEAR(static_cast<double>(world.class_executed_ns[old_class]), 0.5 * kSecondNs, 0.1 * kSecondNs);
}

TEST(NodeScenariosTest, S4_AWideRequestIsNotStarvedByNarrowOnes) {
  World world(9, {});
  JobNumber narrow = world.add_job();
  JobNumber wide = world.add_job();
  flood(world, narrow, leaf(world.declare(narrow, {{"CPU", kUnit}}), kMs), 50);
  flood(world, wide, leaf(world.declare(wide, {{"CPU", 2 * kUnit}}), kMs), 5);
  world.run_for(4 * kSecondNs);
  // Lease time is what is shared: while the wide one runs it holds one lease.
  EXPECT_GT(share(world, wide, narrow), 0.2);
  EXPECT_GT(share(world, narrow, wide), 0.2);
}

TEST(NodeScenariosTest, S4_AnActorGetsItsPlaceInAFlood) {
  World world(10, {});
  JobNumber job = world.add_job();
  flood(world, job, leaf(world.declare(job, {{"CPU", kUnit}}), 2 * kMs), 50);
  world.run_for(kSecondNs);
  control::ActorSpec spec;
  spec.job = job;
  spec.resources = {{"CPU", 2 * kUnit}};
  shm::ActorIndex actor = *world.create_actor(spec);
  world.run_for(200 * kMs);
  auto phase = world.coordinator().actors().view(actor)->phase;
  EXPECT_TRUE(phase == node::ActorPhase::kAlive || phase == node::ActorPhase::kDead) << node::actor_phase_name(phase);
}

TEST(NodeScenariosTest, S5_AnIdleLeaseGoesAtOnceToWhoWaits) {
  World world(11, {});
  JobNumber a = world.add_job();
  JobNumber b = world.add_job();
  ClassIndex of_a = world.declare(a, {{"CPU", 2 * kUnit}});
  ClassIndex of_b = world.declare(b, {{"CPU", 2 * kUnit}});
  for (auto [job, what] : {std::pair(a, of_a), std::pair(b, of_b)}) {
    world.submit(job, leaf(what, kMs));
    ASSERT_TRUE(world.run_until_quiet(kSecondNs));  // its worker has been started
  }
  world.run_for(20 * kMs);
  EXPECT_EQ(world.coordinator().scheduler().available(node::kCpu), 2 * kUnit) << "an idle lease counts as available";
  for (int i = 0; i < 20; ++i) {
    int64_t begin_ns = world.now_ns();
    auto [job, what] = i % 2 == 0 ? std::pair(a, of_a) : std::pair(b, of_b);
    world.submit(job, leaf(what, kMs));
    ASSERT_TRUE(world.run_until_quiet(kSecondNs));
    EXPECT_LT(world.now_ns() - begin_ns, kMs + 2 * kMs) << "no quantum is waited for";
  }
}

TEST(NodeScenariosTest, S8_OneSynchronousCallerKeepsOneWorker) {
  WorldOptions options;
  options.resources = {{"CPU", 4 * kUnit}};
  World world(12, options);
  JobNumber job = world.add_job();
  ClassIndex what = world.declare(job, {{"CPU", kUnit}});
  for (int i = 0; i < 500; ++i) {
    world.submit(job, leaf(what, static_cast<int64_t>(world.random(800)) * kUs));
    ASSERT_TRUE(world.run_until_quiet(kSecondNs));
  }
  EXPECT_EQ(world.most_processes, 1u);
}

TEST(NodeScenariosTest, S8_ManyCallsFillAllCpusAtOnce) {
  WorldOptions options;
  options.resources = {{"CPU", 4 * kUnit}};
  options.coordinator.pool.max_parallel_launches = 4;
  World world(13, options);
  JobNumber job = world.add_job();
  ClassIndex what = world.declare(job, {{"CPU", kUnit}});
  int64_t begin_ns = world.now_ns();
  for (int i = 0; i < 4; ++i) {
    world.submit(job, leaf(what, 100 * kMs));
  }
  ASSERT_TRUE(world.run_until_quiet(kSecondNs));
  EXPECT_LT(world.now_ns() - begin_ns, 150 * kMs);
  EXPECT_EQ(world.most_processes, 4u);
}

TEST(NodeScenariosTest, S8_AStoppedWorkerHoldsUpNobody) {
  World world(14, {});
  JobNumber job = world.add_job();
  ClassIndex what = world.declare(job, {{"CPU", kUnit}});
  world.submit(job, leaf(what, kMs));
  ASSERT_TRUE(world.run_until_quiet(kSecondNs));
  world.stop_all_workers();  // it has the lease, and would be the one to run what comes
  world.submit(job, leaf(what, kMs));
  ASSERT_TRUE(world.run_until_quiet(kSecondNs)) << world.describe();
}

TEST(NodeScenariosTest, S9_ClassesWithoutCpuAreLimited) {
  WorldOptions options;
  options.coordinator.scheduler.max_cpuless_leases = 5;
  World world(15, options);
  JobNumber job = world.add_job();
  ClassIndex what = world.declare(job, {});
  for (int i = 0; i < 100; ++i) {
    world.submit(job, leaf(what, 20 * kMs));
  }
  ASSERT_TRUE(world.run_until_quiet(10 * kSecondNs));
  EXPECT_EQ(world.most_running[what], 5u);
  world.submit(job, chain(what, 12));
  ASSERT_TRUE(world.run_until_quiet(10 * kSecondNs)) << "those that are blocked do not count";
}

TEST(NodeScenariosTest, FractionsRunTogether) {
  WorldOptions options;
  options.resources = {{"CPU", 8 * kUnit}, {"GPU", 2 * kUnit}};
  World world(16, options);
  JobNumber job = world.add_job();
  ClassIndex quarter = world.declare(job, {{"GPU", kUnit / 4}});
  for (int i = 0; i < 40; ++i) {
    world.submit(job, leaf(quarter, 20 * kMs));
  }
  ASSERT_TRUE(world.run_until_quiet(10 * kSecondNs));
  EXPECT_EQ(world.most_running[quarter], 8u);
}

TEST(NodeScenariosTest, W5_WorkersThatNeverStartFailTheCallsTyped) {
  WorldOptions options;
  options.launch_failure = 1;
  World world(17, options);
  JobNumber job = world.add_job();
  ClassIndex what = world.declare(job, {{"CPU", kUnit}});
  world.submit(job, leaf(what, kMs));
  ASSERT_TRUE(world.run_until_quiet(10 * kSecondNs)) << world.describe();
  EXPECT_EQ(world.calls_failed, 1u);
  ASSERT_TRUE(world.failures.contains(what));
  EXPECT_EQ(world.failures.at(what).kind(), ErrorKind::kSystem);
}

TEST(NodeScenariosTest, W3_SurplusWorkersLeaveAndAnIdleNodeIsQuiet) {
  World world(18, {});
  JobNumber job = world.add_job();
  world.submit(job, fib(world.declare(job, {{"CPU", kUnit}}), 8, Plan::Get::kAll, kMs));
  ASSERT_TRUE(world.run_until_quiet(10 * kSecondNs));
  world.run_for(30 * kSecondNs);
  EXPECT_EQ(world.process_count(), 2u) << "as many as there are CPUs stay warm";
  uint64_t looks = world.looks;
  world.run_for(60 * kSecondNs);
  EXPECT_EQ(world.looks, looks) << "L3: idle it has no timer";
}

}  // namespace
}  // namespace sabir::simulation
