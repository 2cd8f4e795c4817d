// Random clusters against the rules of borrowing (N1-N9). Each run prints nothing unless it fails; then it prints its
// seed. Again: SABIR_SEED=123 runs that seed alone, SABIR_SEEDS=10000 runs more of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/simulation/borrowing/world.h"

namespace sabir::simulation {
namespace {

using Break = BorrowWorldOptions::Break;

BorrowWorldOptions random_options(std::mt19937_64& random) {
  BorrowWorldOptions options;
  options.machines = 3 + random() % 6;
  options.loss = random() % 2 == 0 ? 0 : 0.02 * static_cast<double>(random() % 11);
  options.copy = random() % 2 == 0 ? 0 : 0.02 * static_cast<double>(random() % 11);
  options.max_delay_ns = (1 + static_cast<int64_t>(random() % 40)) * kMillisecondNs;
  options.news = random() % 3 == 0 ? 0.1 : 1;
  options.snapshot = std::vector{0.0, 0.1, 1.0}[random() % 3];
  options.client.window = random() % 2 == 0 ? node::kRequestWindow : 1 + random() % 3;
  return options;
}

// One random step. How often nodes die is the run's own choice.
void step(BorrowWorld& world, const BorrowWorldOptions& options, uint64_t death_percent) {
  uint64_t what = world.random(100);
  if (what < death_percent) {
    auto machine = static_cast<Machine>(world.random(options.machines));
    switch (world.random(4)) {
      case 0:
        return world.kill(machine);
      case 1:
        return world.cut_off(machine);
      case 2:
        return world.declare_dead(machine);
      default:
        return world.part(machine, static_cast<Machine>(world.random(options.machines)),
                          static_cast<int64_t>(world.random(kSecondNs)));
    }
  }
  switch (what % 8) {
    case 0:
      return world.create_object();
    case 1:
    case 2:
    case 3:
      return world.call();
    case 4:
    case 5:
      return world.finish_a_carrier();
    default:
      return world.drop_a_hold();
  }
}

struct Totals {
  uint64_t freed = 0;
  uint64_t lost = 0;
  uint64_t finished = 0;
  uint64_t deaths = 0;
  uint64_t messages = 0;
};

// What is wrong; empty: nothing.
std::string run_one(uint64_t seed, Break broken, Totals* totals) {
  std::mt19937_64 random(seed);
  BorrowWorldOptions options = random_options(random);
  options.broken = broken;
  uint64_t death_percent = random() % 3 == 0 ? 0 : random() % 6;
  uint64_t steps = 50 + random() % 400;
  BorrowWorld world(seed, options);
  for (uint64_t i = 0; i < steps && world.violations().empty(); ++i) {
    step(world, options, death_percent);
    world.run_for(static_cast<int64_t>(world.random(static_cast<uint64_t>(options.max_delay_ns))));
  }
  bool quiet = world.calm_down();
  totals->freed += world.objects_freed;
  totals->lost += world.objects_lost;
  totals->finished += world.carriers_finished;
  totals->deaths += world.deaths;
  totals->messages += world.messages;
  return quiet && world.violations().empty() ? std::string() : "something is wrong: " + world.describe();
}

uint64_t current_seed = 0;

// A check inside the code under test ends the process: say which seed it was.
void say_seed(int) {
  char text[64];
  int size =
      std::snprintf(text, sizeof(text), "repeat with SABIR_SEED=%llu\n", static_cast<unsigned long long>(current_seed));
  (void)!write(STDERR_FILENO, text, static_cast<size_t>(size));
}

TEST(BorrowingSimulationTest, NeverFreedWhileReachableAndFreedInTheEnd) {
  const char* one = std::getenv("SABIR_SEED");
  const char* many = std::getenv("SABIR_SEEDS");
  std::signal(SIGABRT, say_seed);
  uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  uint64_t count = one != nullptr ? 1 : many != nullptr ? std::strtoull(many, nullptr, 10) : 500;
  Totals totals;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    current_seed = seed;
    ASSERT_EQ(run_one(seed, Break::kNothing, &totals), "") << "repeat with SABIR_SEED=" << seed;
  }
  std::printf("%llu seeds: %llu messages, %llu carriers finished, %llu objects freed, %llu lost, %llu deaths\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(totals.messages),
              static_cast<unsigned long long>(totals.finished), static_cast<unsigned long long>(totals.freed),
              static_cast<unsigned long long>(totals.lost), static_cast<unsigned long long>(totals.deaths));
  if (one == nullptr) {
    EXPECT_GT(totals.freed, count);
    EXPECT_GT(totals.lost, 0u);
    EXPECT_GT(totals.deaths, 0u);
  }
}

// A checker that finds nothing proves nothing: each of these breaks a rule around the state machines.
TEST(BorrowingSimulationTest, TheCheckerFindsWhatTheRulesForbid) {
  for (Break broken : {Break::kSettlesAtOnce, Break::kSettlesForOne, Break::kAnswersBeforeDone, Break::kForgetsWhenSent,
                       Break::kKeepsWithoutHold}) {
    bool found = false;
    Totals totals;
    for (uint64_t seed = 1; seed <= 3000 && !found; ++seed) {
      current_seed = seed;
      found = !run_one(seed, broken, &totals).empty();
    }
    EXPECT_TRUE(found) << static_cast<int>(broken);
  }
}

}  // namespace
}  // namespace sabir::simulation
