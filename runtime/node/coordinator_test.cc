// What only the machines together show; alone they have their own tests, and tests/simulation/node/ runs them all.
#include "runtime/node/coordinator.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

class CoordinatorTest : public testing::Test {
 protected:
  CoordinatorTest() { coordinator_.add_job(1, {1}); }

  // Carries nothing out; what was asked for of one kind.
  template <typename Kind>
  std::vector<Kind> take() {
    std::vector<Kind> found;
    for (const Instruction& instruction : coordinator_.take()) {
      if (const Kind* one = std::get_if<Kind>(&instruction)) {
        found.push_back(*one);
      }
    }
    return found;
  }
  control::ActorSpec spec(std::vector<control::ActorResource> resources) {
    control::ActorSpec made;
    made.id = "id-" + std::to_string(next_id_++);
    made.job = 1;
    made.language = 1;
    made.class_name = "Counter";
    made.resources = std::move(resources);
    return made;
  }

  ManualClock clock_;
  control::MemoryStorage storage_;
  control::ControlStore control_{&storage_};
  Coordinator coordinator_{*NodeResources::create({{"CPU", 2 * kUnit}, {"GPU", kUnit}}), {}, &control_, &clock_};
  int next_id_ = 0;
};

TEST_F(CoordinatorTest, FromACallToALease) {
  shm::ClassIndex what = coordinator_.declare_class(1, 1, {{"CPU", kUnit}})->class_index;
  coordinator_.open_queue(0, what, 1);
  EXPECT_TRUE(take<LaunchWorker>().empty());
  coordinator_.observe_queue(0, 1);
  auto launches = take<LaunchWorker>();
  ASSERT_EQ(launches.size(), 1u);
  EXPECT_TRUE(coordinator_.busy());
  EXPECT_TRUE(coordinator_.worker_ready(launches[0].launch, 2, 0));
  auto grants = take<GrantLease>();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].slot, 2);
  EXPECT_EQ(coordinator_.pool().worker(2)->state, WorkerState::kLeased);
  coordinator_.observe_queue(0, 0);
  coordinator_.observe_worker(2, {.lease_epoch_done = 0});
  EXPECT_TRUE(coordinator_.take().empty());
  EXPECT_FALSE(coordinator_.busy());
  EXPECT_EQ(coordinator_.scheduler().available(kCpu), 2 * kUnit);
  coordinator_.worker_gone(2, "exit code 1");
  EXPECT_EQ(coordinator_.pool().process_count(), 0u);
}

TEST_F(CoordinatorTest, ALanguageWithoutWorkersIsRefused) {
  EXPECT_EQ(coordinator_.declare_class(1, 2, {}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(coordinator_.declare_class(9, 1, {}).error().kind(), ErrorKind::kNotFound);
  control::ActorSpec foreign = spec({});
  foreign.language = 2;
  EXPECT_EQ(coordinator_.create_actor(foreign).error().kind(), ErrorKind::kInvalid);
}

TEST_F(CoordinatorTest, FromAnActorToItsProcessAndBack) {
  shm::ActorIndex actor = coordinator_.create_actor(spec({{"GPU", kUnit}}))->actor;
  shm::ActorIndex second = coordinator_.create_actor(spec({{"GPU", kUnit}}))->actor;
  ASSERT_TRUE(coordinator_.start_actor(actor, "args", {}).ok());
  auto launches = take<LaunchWorker>();
  ASSERT_EQ(launches.size(), 1u);
  EXPECT_EQ(launches[0].actor, actor);
  EXPECT_EQ(launches[0].gpu_mask, 1u);
  EXPECT_TRUE(coordinator_.worker_ready(launches[0].launch, 5, 0));
  ASSERT_TRUE(coordinator_.actor_started(actor, launches[0].incarnation, 5).ok());
  ASSERT_TRUE(coordinator_.start_actor(second, "args", {}).ok());
  EXPECT_TRUE(take<LaunchWorker>().empty()) << "the GPU is taken";
  ASSERT_TRUE(coordinator_.kill_actor(actor, true).ok());
  EXPECT_EQ(take<KillWorker>().size(), 1u);
  EXPECT_TRUE(take<LaunchWorker>().empty()) << "until the process is gone";
  coordinator_.worker_gone(5, "killed by signal 9");
  launches = take<LaunchWorker>();
  ASSERT_EQ(launches.size(), 1u);
  EXPECT_EQ(launches[0].actor, second);
}

TEST_F(CoordinatorTest, AnAbortedActorIsRefusedWhenItsProcessComes) {
  shm::ActorIndex actor = coordinator_.create_actor(spec({{"CPU", kUnit}}))->actor;
  ASSERT_TRUE(coordinator_.start_actor(actor, "args", {}).ok());
  auto launches = take<LaunchWorker>();
  ASSERT_EQ(launches.size(), 1u);
  coordinator_.actor_handles_gone(actor);
  EXPECT_FALSE(coordinator_.worker_ready(launches[0].launch, 5, 0));
  coordinator_.take();
  EXPECT_EQ(coordinator_.scheduler().resources().free(kCpu), 2 * kUnit);
}

TEST_F(CoordinatorTest, AnActorThatNoNodeCanPlaceIsSaid) {
  shm::ActorIndex actor = coordinator_.create_actor(spec({{"GPU", 4 * kUnit}}))->actor;
  ASSERT_TRUE(coordinator_.start_actor(actor, "args", {}).ok());
  auto warnings = take<WarnJob>();
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].text, "actor Counter cannot be placed and waits: it needs 4 GPU, this node has 1");
  EXPECT_EQ(coordinator_.actors().view(actor)->phase, ActorPhase::kWaitingResources);
  EXPECT_TRUE(coordinator_.take().empty());
  ASSERT_TRUE(coordinator_.kill_actor(actor, true).ok());
  coordinator_.take();
}

}  // namespace
}  // namespace sabir::node
