#include "runtime/control/transactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "runtime/control/testing/manual_commit_queue.h"

namespace sabir::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ManualCommitQueue;

class TransactorTest : public ::testing::Test {
 protected:
  TransactorTest() {
    Transactor::Hooks hooks;
    hooks.committed = [this](const Batch& batch) { committed_ += batch.writes().size(); };
    hooks.taken_back = [this] { seen_again_.push_back(store_.key_value().get("k").value_or("")); };
    hooks.stopped = [this](const Error& error) { stopped_.push_back(error.to_string()); };
    Transactor::Options options;
    options.max_waiting = 20;
    options.min_pause_ns = 10;
    options.max_pause_ns = 40;
    transactor_.emplace(&store_, &staged_, &queue_, &clock_, hooks, options);
  }

  // Appends to a value and replies with it: running twice shows.
  Transactor::Work append(const std::string& text) {
    return [this, text]() -> Result<std::string> {
      ++runs_;
      std::string value = store_.key_value().get("k").value_or("") + text;
      SABIR_RETURN_IF_ERROR(store_.key_value().put("k", value, true));
      return value;
    };
  }
  Transactor::Work value() {
    return [this]() -> Result<std::string> { return store_.key_value().get("k").value_or(""); };
  }
  Transactor::Answer to(const std::string& who) {
    return [this, who](Result<std::string> answer) {
      answers_.push_back(who + ": " + (answer.ok() ? *answer : std::string(error_kind_name(answer.error().kind()))));
    };
  }
  std::vector<std::string> answers() { return std::exchange(answers_, {}); }
  void expect_memory_is_the_disk() { EXPECT_EQ(staged_.tables(), disk_.medium()->tables); }

  MemoryStorage disk_;
  StagedStorage staged_{disk_.epoch(), Tables()};
  ControlStore store_{&staged_};
  ManualCommitQueue queue_{&disk_};
  ManualClock clock_;
  std::optional<Transactor> transactor_;
  std::vector<std::string> answers_;
  std::vector<std::string> stopped_;
  std::vector<std::string> seen_again_;  // by whoever is told that something was taken back
  size_t committed_ = 0;
  int runs_ = 0;
};

TEST_F(TransactorTest, AnAnswerLeavesWhenItsChangeIsOnTheDisk) {
  transactor_->change({"c", 1, 1}, append("a"), to("first"));
  transactor_->change({"c", 2, 1}, append("b"), to("second"));
  EXPECT_THAT(answers(), IsEmpty());
  EXPECT_EQ(committed_, 0u);
  queue_.step(1);
  EXPECT_THAT(answers(), ElementsAre("first: a"));
  EXPECT_GT(committed_, 0u);
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("second: ab"));
  expect_memory_is_the_disk();
  EXPECT_EQ(transactor_->waiting(), 0u);
}

TEST_F(TransactorTest, ChangeNumberAndReplyAreOneBatch) {
  transactor_->change({"c", 1, 1}, append("a"), to("first"));
  ASSERT_EQ(queue_.size(), 1u);
  queue_.step(1);
  ControlStore later(&disk_);
  ASSERT_TRUE(later.load().ok());
  EXPECT_EQ(*later.key_value().get("k"), "a");
  EXPECT_EQ(**later.replies().admit({"c", 1, 1}), "a");
}

TEST_F(TransactorTest, TheSameRequestRunsOnceInEachPhase) {
  transactor_->change({"c", 1, 1}, append("a"), to("first"));
  transactor_->change({"c", 1, 1}, append("a"), to("again"));
  EXPECT_EQ(transactor_->waiting(), 2u);
  EXPECT_THAT(answers(), IsEmpty()) << "it is not on the disk";
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("first: a", "again: a"));
  transactor_->change({"c", 1, 1}, append("a"), to("later"));
  EXPECT_THAT(answers(), ElementsAre("later: a"));
  transactor_->change({"c", 2, 2}, append("b"), to("next"));
  transactor_->change({"c", 1, 1}, append("a"), to("old"));
  EXPECT_THAT(answers(), ElementsAre("old: invalid"));
  queue_.step_all();
  EXPECT_EQ(runs_, 2);
}

TEST_F(TransactorTest, ManyAttemptsOfOneRequestAreBounded) {
  for (int i = 0; i < 7; ++i) {
    transactor_->change({"c", 1, 1}, append("a"), to(std::to_string(i)));
  }
  EXPECT_THAT(answers(), ElementsAre("0: disconnected", "1: disconnected", "2: disconnected"));
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("3: a", "4: a", "5: a", "6: a"));
  EXPECT_EQ(transactor_->waiting(), 0u);
}

TEST_F(TransactorTest, AReadWaitsForWhatItHasSeen) {
  transactor_->read(value(), to("before"));
  EXPECT_THAT(answers(), ElementsAre("before: "));
  transactor_->change({"c", 1, 1}, append("a"), to("first"));
  transactor_->read(value(), to("read"));
  transactor_->change({"c", 2, 1}, append("b"), to("second"));
  EXPECT_THAT(answers(), IsEmpty());
  queue_.step(1);
  EXPECT_THAT(answers(), ElementsAre("first: a", "read: a"));
  queue_.step(1);
  EXPECT_THAT(answers(), ElementsAre("second: ab"));
}

TEST_F(TransactorTest, ARefusalWaitsForWhatItHasSeenAndIsRemembered) {
  auto taken = []() -> Result<std::string> { return already_exists_error("taken"); };
  transactor_->change({"c", 1, 1}, append("a"), to("first"));
  transactor_->change({"d", 1, 1}, taken, to("refused"));
  transactor_->change({"d", 1, 1}, append("x"), to("again"));
  EXPECT_THAT(answers(), IsEmpty());
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("first: a", "refused: already exists", "again: already exists"));
  transactor_->change({"d", 1, 1}, append("x"), to("late"));
  EXPECT_THAT(answers(), ElementsAre("late: already exists"));
  EXPECT_EQ(runs_, 1);
}

TEST_F(TransactorTest, AChangeThatFailsAfterItWroteDidNotHappen) {
  transactor_->change({"c", 1, 1}, append("a"), to("first"));
  transactor_->change(
      {"c", 2, 1},
      [this]() -> Result<std::string> {
        SABIR_RETURN_IF_ERROR(append("b")());
        SABIR_RETURN_IF_ERROR(store_.jobs().add({0, "job", "", "", 1, true, {}}));
        return invalid_error("after all");
      },
      to("second"));
  transactor_->change({"c", 3, 1}, append("c"), to("third"));
  EXPECT_TRUE(store_.jobs().all().empty());
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("first: a", "second: invalid", "third: ac"));
  EXPECT_THAT(seen_again_, ElementsAre("a"));
  expect_memory_is_the_disk();
}

TEST_F(TransactorTest, AReplyThatIsTooLargeTakesItsChangeBack) {
  transactor_->change({"c", 1, 1}, append(std::string(ReplyCache::kMaxReplyBytes + 1, 'x')), to("large"));
  EXPECT_THAT(answers(), ElementsAre("large: internal"));
  EXPECT_EQ(queue_.size(), 0u);
  EXPECT_EQ(staged_.tables(), Tables());
}

TEST_F(TransactorTest, AFullDiskTakesBackAllThatIsUnderWay) {
  transactor_->change({"c", 1, 1}, append("a"), to("1"));
  queue_.step_all();
  answers();
  transactor_->change({"c", 2, 1}, append("b"), to("2"));
  transactor_->read(value(), to("read"));
  transactor_->change({"d", 1, 1}, append("c"), to("d1"));
  transactor_->change({"d", 1, 1}, append("c"), to("d1 again"));
  transactor_->change([this] { return append("own")(); }, to("own"));
  queue_.step(1, exhausted_error("database or disk is full"));
  EXPECT_THAT(answers(),
              ElementsAre("2: exhausted", "read: a", "d1: exhausted", "d1 again: exhausted", "own: exhausted"));
  expect_memory_is_the_disk();
  EXPECT_THAT(seen_again_, ElementsAre("a"));
  EXPECT_TRUE(transactor_->refusal());
  queue_.step_all();
  EXPECT_THAT(answers(), IsEmpty()) << "what was queued behind is not answered twice";
  expect_memory_is_the_disk();
  EXPECT_THAT(stopped_, IsEmpty());
}

TEST_F(TransactorTest, WhileTheDiskIsFullChangesAreRefusedAndOneInAWhileTries) {
  Error full = exhausted_error("database or disk is full");
  transactor_->change({"c", 1, 1}, append("a"), to("1"));
  queue_.step(1, full);
  transactor_->change({"c", 2, 1}, append("b"), to("2"));
  transactor_->read(value(), to("read"));
  EXPECT_THAT(answers(), ElementsAre("1: exhausted", "2: exhausted", "read: "));
  EXPECT_EQ(runs_, 1) << "refused before it ran";
  int64_t pause_ns = 10;
  for (uint64_t id = 3; id < 8; ++id) {
    clock_.advance_ns(pause_ns - 1);
    transactor_->change({"c", 100 + id, 1}, append("early"), to("early"));
    EXPECT_THAT(answers(), ElementsAre("early: exhausted"));
    clock_.advance_ns(1);
    transactor_->change({"c", id, 1}, append("b"), to("tries"));
    transactor_->change({"c", 200 + id, 1}, append("c"), to("other"));
    EXPECT_THAT(answers(), ElementsAre("other: exhausted")) << "one at a time";
    queue_.step(1, full);
    EXPECT_THAT(answers(), ElementsAre("tries: exhausted"));
    pause_ns = std::min<int64_t>(2 * pause_ns, 40);
  }
  clock_.advance_ns(pause_ns);
  transactor_->change({"c", 8, 1}, append("d"), to("8"));
  queue_.step_all();
  transactor_->change({"c", 9, 1}, append("e"), to("9"));
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("8: d", "9: de"));
  EXPECT_FALSE(transactor_->refusal());
  transactor_->change({"c", 2, 1}, append("b"), to("2 again"));
  EXPECT_THAT(answers(), ElementsAre("2 again: exhausted")) << "it got its answer; it never runs";
  expect_memory_is_the_disk();
}

TEST_F(TransactorTest, AFailedDiskEndsAll) {
  transactor_->change({"c", 1, 1}, append("a"), to("1"));
  transactor_->read(value(), to("read"));
  transactor_->change({"c", 2, 1}, append("b"), to("2"));
  queue_.step(1, Error(ErrorKind::kSystem, "disk I/O error"));
  EXPECT_THAT(answers(), ElementsAre("1: disconnected", "read: disconnected", "2: disconnected"));
  EXPECT_THAT(stopped_, ElementsAre("system: disk I/O error"));
  transactor_->change({"c", 3, 1}, append("c"), to("3"));
  transactor_->change(append("own"), to("own"));
  transactor_->read(value(), to("read"));
  EXPECT_THAT(answers(), ElementsAre("3: disconnected", "own: disconnected", "read: disconnected"));
  queue_.step_all();
  EXPECT_THAT(answers(), IsEmpty());
  EXPECT_EQ(stopped_.size(), 1u);
}

TEST_F(TransactorTest, WhoWasTakenOverEnds) {
  transactor_->change({"c", 1, 1}, append("a"), to("1"));
  MemoryStorage next(disk_.medium());
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("1: disconnected"));
  ASSERT_EQ(stopped_.size(), 1u);
  EXPECT_NE(stopped_[0].find("taken over"), std::string::npos) << stopped_[0];
  EXPECT_EQ(disk_.medium()->tables, Tables());
}

TEST_F(TransactorTest, WhatIsUnderWayIsBounded) {
  queue_.limit = 3;
  for (uint64_t id = 1; id <= 4; ++id) {
    transactor_->change({"c", id, 1}, append("a"), to(std::to_string(id)));
  }
  EXPECT_THAT(answers(), ElementsAre("4: exhausted"));
  for (int i = 0; i < 18; ++i) {
    transactor_->read(value(), to("read"));
  }
  EXPECT_THAT(answers(), ElementsAre("read: exhausted"));
  EXPECT_EQ(transactor_->waiting(), 20u);
  queue_.step_all();
  EXPECT_EQ(answers().size(), 20u);
  transactor_->change({"c", 5, 1}, append("a"), to("5"));
  EXPECT_THAT(answers(), IsEmpty());
}

TEST_F(TransactorTest, AnswersMayAskAgain) {
  transactor_->change({"c", 1, 1}, append("a"), [this](Result<std::string> first) {
    to("first")(first);
    transactor_->change({"c", 2, 2}, append("b"), [this](Result<std::string> second) {
      to("second")(second);
      transactor_->read(value(), to("read"));
    });
  });
  queue_.step_all();
  EXPECT_THAT(answers(), ElementsAre("first: a", "second: ab", "read: ab"));
  transactor_->change({"c", 3, 2}, append("c"), [this](Result<std::string> refused) {
    to("third")(refused);
    transactor_->change({"c", 4, 2}, append("d"), to("fourth"));
  });
  queue_.step(1, exhausted_error("full"));
  EXPECT_THAT(answers(), ElementsAre("third: exhausted", "fourth: exhausted"));
  expect_memory_is_the_disk();
}

TEST_F(TransactorTest, AnOwnChangeThatChangesNothingNeedsNoDisk) {
  transactor_->change([]() -> Result<std::string> { return std::string("nothing"); }, to("own"));
  EXPECT_THAT(answers(), ElementsAre("own: nothing"));
  EXPECT_EQ(queue_.size(), 0u);
}

TEST_F(TransactorTest, WhatIsWrittenAfterItsEndIsNobodys) {
  transactor_->change({"c", 1, 1}, append("a"), to("1"));
  transactor_.reset();
  queue_.step_all();
  EXPECT_THAT(answers(), IsEmpty());
}

}  // namespace
}  // namespace sabir::control
