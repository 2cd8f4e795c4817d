// Section 8: a kill at each numbered step, 100 times each, with real processes. Afterwards every call is done exactly
// once or was ended with its submitter, and no cell, block or hold is left. SABIR_TEST_SEED repeats a run as far as the
// kernel's scheduling does.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "runtime/shm/testing/reference_node.h"

namespace sabir::shm::testing {
namespace {

#define SABIR_STEP(name) \
  { FaultStep::name, #name }

struct Step {
  FaultStep step;
  const char* name;
};

struct Case {
  Role role;
  Step step;
  uint32_t max_countdown = 40;
  bool kill_claimers_too = false;
};

constexpr uint32_t kKills = 100;

// What a submitter does.
const Case kSubmitterCases[] = {
    {Role::kSubmitter, SABIR_STEP(kPublishBeforeWord)},    {Role::kSubmitter, SABIR_STEP(kPublishAfterWord)},
    {Role::kSubmitter, SABIR_STEP(kAppendAfterSlot)},      {Role::kSubmitter, SABIR_STEP(kAppendAfterTail)},
    {Role::kSubmitter, SABIR_STEP(kPushAfterLink)},        {Role::kSubmitter, SABIR_STEP(kPushAfterHead)},
    {Role::kSubmitter, SABIR_STEP(kCancelAfterWord), 10},  {Role::kSubmitter, SABIR_STEP(kTakeAfterHead), 20},
    {Role::kSubmitter, SABIR_STEP(kConsumeBeforeFree)},    {Role::kSubmitter, SABIR_STEP(kConsumeAfterFree)},
    {Role::kSubmitter, SABIR_STEP(kRingAfterSequence), 4}, {Role::kSubmitter, SABIR_STEP(kRingPushBeforeTail)},
    {Role::kSubmitter, SABIR_STEP(kRingPushAfterTail)},    {Role::kSubmitter, SABIR_STEP(kRepairAfterFree), 2, true},
};
// What a worker or an actor does.
const Case kClaimerCases[] = {
    {Role::kWorker, SABIR_STEP(kClaimBeforeWord)},  {Role::kWorker, SABIR_STEP(kClaimAfterWord)},
    {Role::kWorker, SABIR_STEP(kClaimAfterHead)},   {Role::kWorker, SABIR_STEP(kFinishBeforeWord)},
    {Role::kWorker, SABIR_STEP(kFinishAfterWord)},  {Role::kWorker, SABIR_STEP(kPushAfterLink)},
    {Role::kWorker, SABIR_STEP(kPushAfterHead)},    {Role::kWorker, SABIR_STEP(kRingAfterSequence), 4},
    {Role::kActor, SABIR_STEP(kTakeAfterHead), 10}, {Role::kActor, SABIR_STEP(kClaimBeforeWord)},
    {Role::kActor, SABIR_STEP(kClaimAfterWord)},    {Role::kActor, SABIR_STEP(kFinishBeforeWord)},
    {Role::kActor, SABIR_STEP(kFinishAfterWord)},   {Role::kActor, SABIR_STEP(kAcceptCancelledAfterWord), 4},
    {Role::kActor, SABIR_STEP(kPushAfterLink)},     {Role::kActor, SABIR_STEP(kPushAfterHead)},
};

uint64_t seed() {
  const char* given = std::getenv("SABIR_TEST_SEED");
  uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("SABIR_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
  // Before any fork: a child would print it again.
  std::fflush(stdout);
  return value;
}

void PrintTo(const Case& value, std::ostream* out) { *out << value.step.name; }

class KillTest : public ::testing::TestWithParam<Case> {};

TEST_P(KillTest, EveryCallIsDoneOnceAndNothingIsLeft) {
  NodeOptions options;
  options.seed = seed();
  options.watching = options.seed % 2 == 0;
  options.submitters = 2;
  options.victim = GetParam().role;
  options.step = GetParam().step.step;
  options.max_countdown = GetParam().max_countdown;
  options.kill_claimers_too = GetParam().kill_claimers_too;
  options.kills = kKills;
  options.run_ns = 0;
  options.stall_one_in = 300;
  ReferenceNode node(options);
  EXPECT_EQ(node.run(), "");
  std::printf("%llu calls, %llu repaired, %u deaths\n", static_cast<unsigned long long>(node.board().submitted()),
              static_cast<unsigned long long>(node.board().repaired()), node.deaths());
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.step.name + 1; }

INSTANTIATE_TEST_SUITE_P(Submitter, KillTest, ::testing::ValuesIn(kSubmitterCases), name_of);
std::string claimer_name_of(const ::testing::TestParamInfo<Case>& info) {
  return (info.param.role == Role::kWorker ? std::string("Worker") : std::string("Actor")) + (info.param.step.name + 1);
}
INSTANTIATE_TEST_SUITE_P(Claimer, KillTest, ::testing::ValuesIn(kClaimerCases), claimer_name_of);

// Whoever, wherever: the victim of each role in turn dies at some step or other.
TEST(KillAnywhereTest, EveryCallIsDoneOnceAndNothingIsLeft) {
  for (Role role : {Role::kSubmitter, Role::kWorker, Role::kActor}) {
    NodeOptions options;
    options.seed = seed();
    options.submitters = 2;
    options.victim = role;
    options.step = FaultStep::kCount;
    options.max_countdown = 2000;
    options.kill_claimers_too = true;
    options.kills = kKills;
    options.run_ns = 0;
    options.stall_one_in = 1000;
    ReferenceNode node(options);
    EXPECT_EQ(node.run(), "") << "role " << static_cast<int>(role);
  }
}

}  // namespace
}  // namespace sabir::shm::testing
