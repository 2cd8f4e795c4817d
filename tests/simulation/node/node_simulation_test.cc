// Random jobs, classes, recursion, actors and deaths against the node's decisions. Each run prints nothing unless it
// fails; then it prints its seed. Again: SABIR_SEED=123 runs that seed alone, SABIR_SEEDS=10000 runs more of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/simulation/node/world.h"

namespace sabir::simulation {
namespace {

using node::kUnit;

struct Classes {
  std::vector<ClassIndex> all;
};

PlanPtr random_plan(World& world, const Classes& classes, int depth) {
  auto plan = std::make_shared<Plan>();
  plan->class_index = classes.all[world.random(classes.all.size())];
  plan->before_ns = static_cast<int64_t>(world.random(3'000)) * kUs;
  plan->after_ns = static_cast<int64_t>(world.random(500)) * kUs;
  plan->get = static_cast<Plan::Get>(world.random(3));
  if (depth > 0 && world.chance(0.5)) {
    for (uint64_t i = world.random(4); i > 0; --i) {
      plan->children.push_back(random_plan(world, classes, depth - 1));
    }
  }
  return plan;
}

WorldOptions random_options(std::mt19937_64& random) {
  WorldOptions options;
  int64_t cpus = 1 + static_cast<int64_t>(random() % 4);
  options.resources = {{"CPU", (cpus + 1) * kUnit}, {"GPU", 2 * kUnit}, {"licence", kUnit}};
  options.coordinator.pool.warm_workers = static_cast<uint32_t>(cpus);
  options.coordinator.pool.surplus_idle_ns = 200 * kMs;
  options.coordinator.pool.max_parallel_launches = 1 + static_cast<uint32_t>(random() % 4);
  options.launch_failure = random() % 3 == 0 ? 0.1 : 0;
  options.launch_ns = (1 + static_cast<int64_t>(random() % 50)) * kMs;
  options.round = static_cast<WorldOptions::Round>(random() % 3);
  options.slots_per_process = random() % 3 == 0 ? 1 + static_cast<uint32_t>(random() % 4) : 1;
  return options;
}

void run_one(uint64_t seed) {
  std::mt19937_64 random(seed);
  WorldOptions options = random_options(random);
  int64_t cpus = options.resources[0].units - kUnit;  // of tasks: one is for the actors
  World world(seed, options);

  std::vector<JobNumber> jobs;
  std::vector<shm::ActorIndex> actors;
  size_t job_count = 1 + world.random(3);
  for (size_t i = 0; i < job_count; ++i) {
    JobNumber job = world.add_job();
    jobs.push_back(job);
    Classes classes;
    // What leaves hold of GPUs and licences while they wait for others could deadlock for real: only leaves use them.
    classes.all.push_back(world.declare(job, {{"CPU", kUnit}}));
    classes.all.push_back(world.declare(job, {{"CPU", kUnit / 2}}));
    if (cpus >= 2 * kUnit) {
      classes.all.push_back(world.declare(job, {{"CPU", 2 * kUnit}}));
    }
    classes.all.push_back(world.declare(job, {}));
    Classes leaves;
    leaves.all.push_back(world.declare(job, {{"CPU", kUnit}, {"GPU", kUnit / 2}}));
    leaves.all.push_back(world.declare(job, {{"GPU", 2 * kUnit}}));
    leaves.all.push_back(world.declare(job, {{"licence", kUnit}, {"CPU", kUnit}}));
    for (uint64_t wave = 1 + world.random(3); wave > 0; --wave) {
      world.at(static_cast<int64_t>(world.random(200)) * kMs, [&world, job, classes, leaves] {
        for (uint64_t n = world.random(12); n > 0; --n) {
          bool leaf = world.chance(0.3);
          world.submit(job, random_plan(world, leaf ? leaves : classes, leaf ? 0 : 3));
        }
      });
    }
    for (uint64_t n = world.random(3); n > 0; --n) {
      control::ActorSpec spec;
      spec.job = job;
      spec.resources = {{world.chance(0.9) ? "CPU" : "nowhere", kUnit / 8}};
      spec.max_restarts = static_cast<int32_t>(world.random(4)) - 1;
      auto actor = world.create_actor(spec);
      ASSERT_TRUE(actor.ok());
      actors.push_back(*actor);
    }
  }
  for (uint64_t n = world.random(6); n > 0; --n) {
    world.at(static_cast<int64_t>(world.random(400)) * kMs, [&world] { world.kill_one_worker(); });
  }
  for (shm::ActorIndex actor : actors) {
    world.at(static_cast<int64_t>(world.random(400)) * kMs, [&world, actor] {
      if (world.chance(0.3)) {
        world.kill_actor(actor, world.chance(0.5));
      } else {
        world.drop_handles(actor);
      }
    });
  }
  bool one_ends_early = job_count > 1 && world.chance(0.3);
  if (one_ends_early) {
    world.at(static_cast<int64_t>(200 + world.random(200)) * kMs, [&world, job = jobs.back()] { world.end_job(job); });
    jobs.pop_back();
  }
  world.run_for(401 * kMs);
  // Liveness: nothing disturbs any more, so everything ends.
  ASSERT_TRUE(world.run_until_quiet(60 * kSecondNs)) << world.describe();
  for (shm::ActorIndex actor : actors) {
    world.drop_handles(actor);
  }
  world.run_for(kSecondNs);
  for (JobNumber job : jobs) {
    world.end_job(job);
  }
  world.run_for(11 * kSecondNs);
  world.expect_nothing_left();
}

// A broken invariant ends the process: it names the seed, too.
volatile uint64_t current_seed = 0;

extern "C" void say_seed(int) {
  char text[64];
  int size =
      std::snprintf(text, sizeof(text), "repeat with SABIR_SEED=%llu\n", static_cast<unsigned long long>(current_seed));
  (void)!write(STDERR_FILENO, text, static_cast<size_t>(size));
}

TEST(NodeSimulationTest, RandomWorldsFinishAndKeepTheRules) {
  const char* one = std::getenv("SABIR_SEED");
  const char* many = std::getenv("SABIR_SEEDS");
  std::signal(SIGABRT, say_seed);
  uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  uint64_t count = one != nullptr ? 1 : many != nullptr ? std::strtoull(many, nullptr, 10) : 500;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("repeat with SABIR_SEED=" + std::to_string(seed));
    current_seed = seed;
    run_one(seed);
    if (testing::Test::HasFatalFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace sabir::simulation
