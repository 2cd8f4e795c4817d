#include "runtime/node/actors.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

using shm::ActorState;

class ActorsTest : public testing::Test {
 protected:
  control::ActorSpec spec(const std::string& name = "") {
    control::ActorSpec made;
    made.id = "id-" + std::to_string(next_id_++);
    made.job = 1;
    made.language = 1;
    made.name = name;
    made.name_space = "default";
    return made;
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
  // The last word written, and nothing else remembered.
  shm::ActorWord word() {
    auto words = taken<WriteActorWord>();
    return words.empty() ? shm::ActorWord{} : words.back().word;
  }
  static void expect_word(shm::ActorWord word, uint32_t incarnation, ActorState state, shm::SlotIndex slot) {
    EXPECT_EQ(word.incarnation, incarnation);
    EXPECT_EQ(word.state, state);
    EXPECT_EQ(word.slot, slot);
  }
  ActorPhase phase(shm::ActorIndex actor) { return actors_.view(actor)->phase; }
  // From created to alive.
  void bring_up(shm::ActorIndex actor, shm::SlotIndex slot) {
    ASSERT_TRUE(actors_.start(actor, "args", {{5, 6}}).ok());
    bring_back(actor, slot);
  }
  void bring_back(shm::ActorIndex actor, shm::SlotIndex slot) {
    ASSERT_EQ(phase(actor), ActorPhase::kWaitingResources);
    actors_.placed(actor, 0b1);
    uint32_t incarnation = actors_.view(actor)->incarnation;
    actors_.worker_ready(actor, incarnation, slot);
    ASSERT_TRUE(actors_.started(actor, incarnation, slot).ok());
    ASSERT_EQ(phase(actor), ActorPhase::kAlive);
  }

  ManualClock clock_;
  Instructions out_;
  control::MemoryStorage storage_;
  control::ActorRegistry registry_{&storage_};
  Actors actors_{{}, &registry_, &clock_, &out_};
  int next_id_ = 0;
};

TEST_F(ActorsTest, ALife) {
  shm::ActorIndex actor = actors_.create(spec(), {})->actor;
  EXPECT_EQ(word().state, ActorState::kPending);
  actors_.bind_entry(actor, 44, 9);
  ASSERT_TRUE(actors_.start(actor, "args", {{5, 6}}).ok());
  ASSERT_TRUE(actors_.start(actor, "other", {}).ok()) << "again: nothing";
  auto all = out_;
  auto held = taken<HoldActorArgs>();
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].refs.size(), 1u);
  out_ = all;
  EXPECT_EQ(taken<PlaceActor>().size(), 1u);
  actors_.placed(actor, 0b10);
  auto launch = taken<LaunchActor>();
  ASSERT_EQ(launch.size(), 1u);
  EXPECT_EQ(launch[0].gpu_mask, 0b10u);
  actors_.worker_ready(actor, launch[0].incarnation, 3);
  EXPECT_EQ(actors_.started(actor, launch[0].incarnation, 4).error().kind(), ErrorKind::kInvalid);
  ASSERT_TRUE(actors_.started(actor, launch[0].incarnation, 3).ok());
  expect_word(word(), launch[0].incarnation, ActorState::kAlive, 3);
  EXPECT_EQ(*actors_.view(actor)->args, "args");

  // A6: the last handle goes; it leaves in order.
  actors_.handles_gone(actor);
  EXPECT_EQ(taken<ExitWorker>().size(), 1u);
  EXPECT_EQ(phase(actor), ActorPhase::kLeaving);
  actors_.worker_leaving(3);
  actors_.worker_gone(3, "exit code 0");
  all = out_;
  auto words = taken<WriteActorWord>();
  ASSERT_EQ(words.size(), 1u);
  EXPECT_EQ(words[0].word.state, ActorState::kDead);
  EXPECT_EQ(words[0].death_reason, "no handle of it was left");
  out_ = all;
  EXPECT_EQ(taken<ReleaseActorArgs>().size(), 1u);
  out_ = all;
  EXPECT_EQ(taken<UnplaceActor>().size(), 1u);
  out_ = all;
  EXPECT_EQ(taken<FreeActor>().size(), 1u);
  EXPECT_FALSE(actors_.view(actor));
}

TEST_F(ActorsTest, A1_NamesAreUniqueWhileTheirActorsLive) {
  shm::ActorIndex first = actors_.create(spec("counter"), {})->actor;
  EXPECT_EQ(actors_.create(spec("counter"), {}).error().kind(), ErrorKind::kAlreadyExists);
  control::ActorSpec elsewhere = spec("counter");
  elsewhere.name_space = "other";
  EXPECT_FALSE(actors_.create(elsewhere, {})->existed);
  control::ActorSpec wants_existing = spec("counter");
  wants_existing.get_if_exists = true;
  auto found = actors_.create(wants_existing, {});
  EXPECT_TRUE(found->existed);
  EXPECT_EQ(found->actor, first);
  EXPECT_EQ(*actors_.find("default", "counter"), first);
  EXPECT_EQ(actors_.find("default", "nobody").error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(actors_.kill(first, true).ok());
  EXPECT_FALSE(actors_.find("default", "counter").ok());
  EXPECT_FALSE(actors_.create(spec("counter"), {})->existed);
}

TEST_F(ActorsTest, BadSpecificationsAreRefused) {
  control::ActorSpec nameless = spec();
  nameless.get_if_exists = true;
  EXPECT_EQ(actors_.create(nameless, {}).error().kind(), ErrorKind::kInvalid);
  nameless = spec();
  nameless.detached = true;
  EXPECT_EQ(actors_.create(nameless, {}).error().kind(), ErrorKind::kInvalid);
  control::ActorSpec negative = spec();
  negative.max_restarts = -2;
  EXPECT_EQ(actors_.create(negative, {}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(actors_.start(99, "", {}).error().kind(), ErrorKind::kNotFound);
}

TEST_F(ActorsTest, CreationIsIdempotent) {
  control::ActorSpec one = spec("x");
  shm::ActorIndex actor = actors_.create(one, {})->actor;
  auto again = actors_.create(one, {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->actor, actor);
  EXPECT_TRUE(again->existed);
}

TEST_F(ActorsTest, A4_RestartsUpToTheLimitWithPauses) {
  control::ActorSpec restarts = spec();
  restarts.max_restarts = 2;
  shm::ActorIndex actor = actors_.create(restarts, {})->actor;
  bring_up(actor, 3);
  uint32_t first = actors_.view(actor)->incarnation;
  out_.clear();
  actors_.worker_gone(3, "killed by signal 9");
  expect_word(word(), first + 1, ActorState::kRestarting, 0);
  bring_back(actor, 4);  // the first time at once
  out_.clear();
  actors_.worker_gone(4, "killed by signal 9");
  EXPECT_EQ(phase(actor), ActorPhase::kPausing);
  EXPECT_EQ(actors_.next_wake_ns(), clock_.now_ns() + 100 * kMillisecondNs);
  actors_.tick();
  EXPECT_EQ(phase(actor), ActorPhase::kPausing);
  clock_.advance_ns(100 * kMillisecondNs);
  actors_.tick();
  bring_back(actor, 5);
  out_.clear();
  actors_.worker_gone(5, "killed by signal 11");
  auto words = taken<WriteActorWord>();
  ASSERT_EQ(words.size(), 1u);
  EXPECT_EQ(words[0].word.state, ActorState::kDead);
  EXPECT_EQ(words[0].death_reason, "its process died: killed by signal 11 (after 2 restarts)");
}

TEST_F(ActorsTest, A4_HealthyTimeEndsThePauses) {
  control::ActorSpec restarts = spec();
  restarts.max_restarts = -1;
  shm::ActorIndex actor = actors_.create(restarts, {})->actor;
  bring_up(actor, 3);
  for (shm::SlotIndex slot = 4; slot < 50; ++slot) {
    clock_.advance_ns(10 * kSecondNs);
    actors_.worker_gone(static_cast<shm::SlotIndex>(slot - 1), "exit code 1");
    bring_back(actor, slot);
  }
  EXPECT_EQ(actors_.view(actor)->restarts, 46u);
}

TEST_F(ActorsTest, KillWithAndWithoutRestart) {
  control::ActorSpec restarts = spec();
  restarts.max_restarts = 5;
  shm::ActorIndex actor = actors_.create(restarts, {})->actor;
  bring_up(actor, 3);
  out_.clear();
  ASSERT_TRUE(actors_.kill(actor, false).ok());
  EXPECT_EQ(taken<KillWorker>().size(), 1u);
  EXPECT_EQ(phase(actor), ActorPhase::kAlive) << "until its death is in the log";
  actors_.worker_gone(3, "killed by signal 9");
  bring_back(actor, 4);
  out_.clear();
  ASSERT_TRUE(actors_.kill(actor, true).ok());
  auto all = out_;
  EXPECT_EQ(word().state, ActorState::kDead);
  out_ = all;
  EXPECT_EQ(taken<KillWorker>().size(), 1u);
  out_ = all;
  EXPECT_TRUE(taken<UnplaceActor>().empty()) << "its process still uses them";
  actors_.worker_gone(4, "killed by signal 9");
  EXPECT_EQ(taken<UnplaceActor>().size(), 1u);
  ASSERT_TRUE(actors_.kill(actor, true).ok()) << "again: fine";
  EXPECT_TRUE(out_.empty());
}

TEST_F(ActorsTest, A4_AConstructorErrorIsFinalAndKeepsItsValue) {
  control::ActorSpec restarts = spec();
  restarts.max_restarts = 5;
  shm::ActorIndex actor = actors_.create(restarts, {})->actor;
  ASSERT_TRUE(actors_.start(actor, "args", {}).ok());
  actors_.placed(actor, 0);
  actors_.worker_ready(actor, actors_.view(actor)->incarnation, 3);
  ASSERT_TRUE(actors_.fail(actor, "ValueError: no", "value bytes").ok());
  auto all = out_;
  EXPECT_EQ(word().state, ActorState::kDead);
  out_ = all;
  EXPECT_EQ(taken<ExitWorker>().size(), 1u);
  EXPECT_EQ(*actors_.view(actor)->error_value, "value bytes");
  clock_.advance_ns(10 * kSecondNs);
  actors_.tick();
  EXPECT_EQ(taken<KillWorker>().size(), 1u) << "it did not leave";
  actors_.worker_gone(3, "killed");
  EXPECT_EQ(phase(actor), ActorPhase::kDead);
}

TEST_F(ActorsTest, AnArgumentThatFailsEndsItBeforeItBegan) {
  shm::ActorIndex actor = actors_.create(spec(), {})->actor;
  ASSERT_TRUE(actors_.fail(actor, "an argument failed", "error").ok());
  EXPECT_EQ(word().state, ActorState::kDead);
  actors_.handles_gone(actor);
  EXPECT_EQ(taken<FreeActor>().size(), 1u);
}

TEST_F(ActorsTest, LaunchesThatFailEndIt) {
  shm::ActorIndex actor = actors_.create(spec(), {})->actor;
  ASSERT_TRUE(actors_.start(actor, "", {}).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(phase(actor), ActorPhase::kWaitingResources);
    actors_.placed(actor, 0);
    actors_.launch_failed(actor, actors_.view(actor)->incarnation, Error(ErrorKind::kSystem, "fork: no memory"));
    clock_.advance_ns(kSecondNs);
    actors_.tick();
  }
  EXPECT_EQ(*actors_.view(actor)->death_reason, "its process could not be started: fork: no memory");
}

TEST_F(ActorsTest, A6_DetachedOnesLiveWithoutHandlesAndJob) {
  control::ActorSpec detached = spec("service");
  detached.detached = true;
  shm::ActorIndex actor = actors_.create(detached, {})->actor;
  shm::ActorIndex other = actors_.create(spec(), {})->actor;
  bring_up(actor, 3);
  bring_up(other, 4);
  actors_.handles_gone(actor);
  out_.clear();
  actors_.end_job(1);
  EXPECT_EQ(phase(actor), ActorPhase::kAlive);
  EXPECT_EQ(phase(other), ActorPhase::kDead);
  EXPECT_EQ(*actors_.view(other)->death_reason, "its job ended");
  ASSERT_TRUE(actors_.kill(actor, true).ok());
  actors_.worker_gone(3, "killed");
  EXPECT_FALSE(actors_.view(actor));
}

TEST_F(ActorsTest, A2_IncarnationsNeverRepeatWhenAnIndexIsReused) {
  shm::ActorIndex first = 0;
  uint32_t incarnation = 0;
  for (uint32_t i = 0; i < shm::kMaxActors + 10; ++i) {
    auto made = actors_.create(spec(), {});
    ASSERT_TRUE(made.ok());
    if (i == 0) {
      first = made->actor;
      incarnation = actors_.view(first)->incarnation;
    } else if (made->actor == first) {
      EXPECT_GT(actors_.view(first)->incarnation, incarnation);
      EXPECT_EQ(i, shm::kMaxActors) << "the one that rested longest";
    }
    actors_.handles_gone(made->actor);
    out_.clear();
  }
}

TEST_F(ActorsTest, A8_OneThatWaitsMayBePlacedElsewhere) {
  control::ActorSpec wanted = spec();
  wanted.max_restarts = 1;
  shm::ActorIndex actor = actors_.create(wanted, {})->actor;
  EXPECT_FALSE(actors_.place_elsewhere(actor)) << "its arguments are not ready";
  ASSERT_TRUE(actors_.start(actor, "args", {}).ok());
  out_.clear();
  ASSERT_TRUE(actors_.place_elsewhere(actor));
  auto all = out_;
  EXPECT_EQ(taken<UnplaceActor>().size(), 1u);
  out_ = all;
  EXPECT_EQ(taken<LaunchActor>().size(), 0u) << "no process of this node";
  EXPECT_FALSE(actors_.place_elsewhere(actor)) << "once";
  actors_.placed(actor, 0);
  EXPECT_EQ(taken<LaunchActor>().size(), 0u) << "too late";

  uint32_t incarnation = actors_.view(actor)->incarnation;
  actors_.worker_ready(actor, incarnation, 9);
  ASSERT_TRUE(actors_.started(actor, incarnation, 9).ok());
  actors_.worker_gone(9, "exited with status 7");
  EXPECT_EQ(phase(actor), ActorPhase::kWaitingResources) << "a restart looks for a place again, here first";
  ASSERT_TRUE(actors_.place_elsewhere(actor));
  actors_.worker_ready(actor, incarnation + 1, 9);
  actors_.worker_gone(9, "exited with status 7");
  EXPECT_EQ(phase(actor), ActorPhase::kDead);
  EXPECT_TRUE(actors_.view(actor)->crashed);
}

TEST_F(ActorsTest, A11_OneThatWaitsAtItsHostIsReclaimedWithoutARestart) {
  shm::ActorIndex actor = actors_.create(spec(), {})->actor;  // it may not restart
  ASSERT_TRUE(actors_.start(actor, "args", {}).ok());
  ASSERT_TRUE(actors_.place_elsewhere(actor));
  uint32_t incarnation = actors_.view(actor)->incarnation;
  EXPECT_FALSE(actors_.reclaim(actor, incarnation)) << "its host has not got it yet";
  actors_.worker_ready(actor, incarnation, 9);
  EXPECT_FALSE(actors_.reclaim(actor, incarnation + 1)) << "an answer about another one";
  ASSERT_TRUE(actors_.reclaim(actor, incarnation));
  EXPECT_FALSE(actors_.reclaim(actor, incarnation)) << "once";
  ASSERT_TRUE(actors_.started(actor, incarnation, 9).ok());
  EXPECT_EQ(phase(actor), ActorPhase::kConstructing) << "its host had said that it never begins";
  out_.clear();
  actors_.worker_gone(9, "its link to another node ended");
  auto all = out_;
  EXPECT_EQ(taken<PlaceActor>().size(), 1u);
  out_ = all;
  expect_word(word(), incarnation + 1, ActorState::kPending, 0);
  EXPECT_EQ(actors_.view(actor)->restarts, 0u);
  ASSERT_TRUE(actors_.place_elsewhere(actor));
  actors_.worker_ready(actor, incarnation + 1, 8);
  ASSERT_TRUE(actors_.started(actor, incarnation + 1, 8).ok());
  EXPECT_FALSE(actors_.reclaim(actor, incarnation + 1)) << "it lives";
  actors_.worker_gone(8, "exited with status 7");
  EXPECT_EQ(phase(actor), ActorPhase::kDead) << "a death is one";

  // Killed, or without handles, it is not looked for again.
  actor = actors_.create(spec(), {})->actor;
  ASSERT_TRUE(actors_.start(actor, "", {}).ok());
  ASSERT_TRUE(actors_.place_elsewhere(actor));
  actors_.worker_ready(actor, actors_.view(actor)->incarnation, 7);
  ASSERT_TRUE(actors_.reclaim(actor, actors_.view(actor)->incarnation));
  ASSERT_TRUE(actors_.kill(actor, true).ok());
  actors_.worker_gone(7, "killed");
  EXPECT_EQ(phase(actor), ActorPhase::kDead);

  // One that is constructed here is nobody else's.
  actor = actors_.create(spec(), {})->actor;
  ASSERT_TRUE(actors_.start(actor, "", {}).ok());
  actors_.placed(actor, 0);
  actors_.worker_ready(actor, actors_.view(actor)->incarnation, 6);
  EXPECT_FALSE(actors_.reclaim(actor, actors_.view(actor)->incarnation));
}

TEST_F(ActorsTest, A11_AHostHoldsBackOnlyWhatWaits) {
  control::ActorSpec hosted = spec();
  hosted.role = control::ActorSpec::Role::kHosted;
  shm::ActorIndex actor = actors_.create(hosted, {})->actor;
  EXPECT_FALSE(actors_.hold_back(actor));
  ASSERT_TRUE(actors_.start(actor, "", {}).ok());
  ASSERT_TRUE(actors_.hold_back(actor));
  actors_.placed(actor, 0);
  EXPECT_TRUE(taken<LaunchActor>().empty());
  ASSERT_TRUE(actors_.kill(actor, true).ok()) << "by its home";
  EXPECT_EQ(phase(actor), ActorPhase::kDead);

  hosted = spec();
  hosted.role = control::ActorSpec::Role::kHosted;
  actor = actors_.create(hosted, {})->actor;
  bring_up(actor, 3);
  EXPECT_FALSE(actors_.hold_back(actor)) << "it lives";
  shm::ActorIndex own = actors_.create(spec(), {})->actor;
  ASSERT_TRUE(actors_.start(own, "", {}).ok());
  EXPECT_FALSE(actors_.hold_back(own)) << "it is nobody's who could ask";
}

TEST_F(ActorsTest, A9_AStandInBeginsAgainUntilItsHomeSaysNo) {
  control::ActorSpec wanted = spec();
  wanted.role = control::ActorSpec::Role::kImported;
  shm::ActorIndex actor = actors_.create(wanted, {})->actor;
  ASSERT_TRUE(actors_.start(actor, "", {}).ok());
  auto all = out_;
  auto opened = taken<OpenStandIn>();
  ASSERT_EQ(opened.size(), 1u);
  out_ = all;
  EXPECT_EQ(taken<PlaceActor>().size(), 0u) << "it needs no resources";
  for (int i = 0; i < 4; ++i) {
    uint32_t incarnation = actors_.view(actor)->incarnation;
    actors_.worker_ready(actor, incarnation, 9);
    ASSERT_TRUE(actors_.started(actor, incarnation, 9).ok());
    actors_.worker_gone(9, "its process died");
    clock_.advance_ns(20 * kSecondNs);
    actors_.tick();
    opened = taken<OpenStandIn>();
    ASSERT_EQ(opened.size(), 1u) << i;
    EXPECT_EQ(opened[0].incarnation, incarnation + 1);
  }
  uint32_t incarnation = actors_.view(actor)->incarnation;
  actors_.worker_ready(actor, incarnation, 9);
  ASSERT_TRUE(actors_.started(actor, incarnation, 9).ok());
  ASSERT_TRUE(actors_.fail(actor, "it is dead", "error").ok());
  EXPECT_EQ(phase(actor), ActorPhase::kDead);
  EXPECT_EQ(*actors_.view(actor)->error_value, "error");
}

TEST_F(ActorsTest, A10_AHandleThatComesWhileAStandInLeavesHasItBeginAgain) {
  control::ActorSpec wanted = spec();
  wanted.role = control::ActorSpec::Role::kImported;
  shm::ActorIndex actor = actors_.create(wanted, {})->actor;
  ASSERT_TRUE(actors_.start(actor, "", {}).ok());
  uint32_t incarnation = actors_.view(actor)->incarnation;
  actors_.worker_ready(actor, incarnation, 9);
  ASSERT_TRUE(actors_.started(actor, incarnation, 9).ok());
  EXPECT_TRUE(actors_.create(wanted, {})->existed);
  actors_.handles_gone(actor);
  EXPECT_EQ(taken<ExitWorker>().size(), 1u);
  Actors::Created again = *actors_.create(wanted, {});
  EXPECT_EQ(again.actor, actor);
  EXPECT_TRUE(again.revived);
  EXPECT_FALSE(again.existed) << "its handles need an entry again";
  auto words = taken<WriteActorWord>();
  ASSERT_FALSE(words.empty());
  EXPECT_EQ(words.back().word.state, shm::ActorState::kRestarting) << "its home is about to forget this node";
  actors_.worker_gone(9, "it left");
  EXPECT_EQ(taken<OpenStandIn>().size(), 1u);
  EXPECT_EQ(actors_.view(actor)->incarnation, incarnation + 1);
}

}  // namespace
}  // namespace sabir::node
