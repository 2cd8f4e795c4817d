#include "runtime/control/group_commit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "runtime/control/testing/owner_thread.h"

namespace sabir::control {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::OwnerThread;

// What a test knows of the storage on the writer's thread, and decides about it.
struct Disk {
  std::mutex mutex;
  std::condition_variable wake;
  bool open = true;      // else commits wait
  bool waiting = false;  // one does
  int failures = 0;      // the next so many commits fail
  std::vector<size_t> groups;
  std::thread::id thread;
  int maintained = 0;
  std::shared_ptr<MemoryStorage::Medium> medium = std::make_shared<MemoryStorage::Medium>();

  void set_open(bool value) {
    std::lock_guard lock(mutex);
    open = value;
    wake.notify_all();
  }
  void await_commit() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return waiting; });
  }
};

class GatedStorage final : public Storage {
 public:
  explicit GatedStorage(Disk* disk) : disk_(disk), kept_(disk->medium) {}

  uint64_t epoch() const override { return kept_.epoch(); }
  Result<void> commit_all(std::span<const Batch* const> batches) override {
    std::unique_lock lock(disk_->mutex);
    disk_->waiting = true;
    disk_->wake.notify_all();
    disk_->wake.wait(lock, [this] { return disk_->open; });
    disk_->waiting = false;
    disk_->groups.push_back(batches.size());
    disk_->thread = std::this_thread::get_id();
    if (disk_->failures > 0) {
      --disk_->failures;
      return exhausted_error("full");
    }
    return kept_.commit_all(batches);
  }
  Result<std::string> get(std::string_view table, std::string_view key) const override { return kept_.get(table, key); }
  Result<void> scan(std::string_view table,
                    const std::function<void(std::string_view, std::string_view)>& visit) const override {
    return kept_.scan(table, visit);
  }
  void maintain() override {
    std::lock_guard lock(disk_->mutex);
    ++disk_->maintained;
  }

 private:
  Disk* const disk_;
  MemoryStorage kept_;
};

class GroupCommitTest : public ::testing::Test {
 protected:
  void begin(GroupCommit::Options options = {}) {
    commits_.emplace(std::make_unique<GatedStorage>(&disk_), owner_.executor(), options);
  }
  void submit(const std::string& key, uint64_t term = 1, size_t bytes = 1) {
    auto batch = std::make_shared<Batch>();
    batch->put("t", key, std::string(bytes, 'v'));
    commits_->submit(term, std::move(batch), [this, key](const Result<void>& outcome) {
      EXPECT_EQ(std::this_thread::get_id(), test_thread_);
      outcomes_.push_back(key + (outcome.ok() ? "" : " failed"));
    });
  }
  // While the writer is held up with a first batch.
  void hold_up() {
    disk_.set_open(false);
    submit("first");
    disk_.await_commit();
  }
  void finish(size_t outcomes) {
    disk_.set_open(true);
    owner_.run_until([&] { return outcomes_.size() == outcomes; });
  }
  std::vector<size_t> groups() {
    std::lock_guard lock(disk_.mutex);
    return disk_.groups;
  }

  const std::thread::id test_thread_ = std::this_thread::get_id();
  Disk disk_;
  OwnerThread owner_;
  std::vector<std::string> outcomes_;
  std::optional<GroupCommit> commits_;
};

TEST_F(GroupCommitTest, WhatGathersIsOneTransaction) {
  begin();
  hold_up();
  for (int i = 0; i < 5; ++i) {
    submit(std::to_string(i));
  }
  finish(6);
  EXPECT_THAT(groups(), ElementsAre(1, 5));
  EXPECT_THAT(outcomes_, ElementsAre("first", "0", "1", "2", "3", "4"));
  EXPECT_NE(disk_.thread, test_thread_);
  EXPECT_EQ(disk_.medium->tables.count(), 6u);
  commits_.reset();
  EXPECT_EQ(disk_.maintained, 2) << "after each";
}

TEST_F(GroupCommitTest, TransactionsAreBounded) {
  GroupCommit::Options options;
  options.group_batches = 4;
  options.group_bytes = 1'000;
  begin(options);
  hold_up();
  for (int i = 0; i < 9; ++i) {
    submit(std::to_string(i));
  }
  for (int i = 0; i < 3; ++i) {
    submit("large" + std::to_string(i), 1, 400);
  }
  submit("huge", 1, 5'000);
  finish(14);
  EXPECT_THAT(groups(), ElementsAre(1, 4, 4, 3, 1, 1)) << "8 and two large ones; one large one; the huge one alone";
}

TEST_F(GroupCommitTest, TheQueueIsBounded) {
  GroupCommit::Options options;
  options.max_batches = 3;
  options.max_bytes = 1'000;
  begin(options);
  hold_up();
  submit("a");
  EXPECT_FALSE(commits_->full());
  submit("b");
  EXPECT_TRUE(commits_->full()) << "with what is being written";
  finish(3);
  EXPECT_FALSE(commits_->full());
  disk_.set_open(false);
  submit("large", 1, 1'000);
  EXPECT_TRUE(commits_->full());
  finish(4);
  EXPECT_FALSE(commits_->full());
}

TEST_F(GroupCommitTest, AFailureIsOfItsWholeTerm) {
  GroupCommit::Options options;
  options.group_batches = 2;
  begin(options);
  hold_up();
  disk_.failures = 1;
  for (int i = 0; i < 4; ++i) {
    submit(std::to_string(i), 1);
  }
  submit("next term", 2);
  finish(6);
  EXPECT_THAT(outcomes_, ElementsAre("first failed", "0 failed", "1 failed", "2 failed", "3 failed", "next term"));
  submit("late", 1);
  submit("more", 2);
  finish(8);
  EXPECT_EQ(outcomes_[6], "late failed");
  EXPECT_EQ(outcomes_[7], "more");
  EXPECT_EQ(disk_.medium->tables.count(), 2u);
}

TEST_F(GroupCommitTest, TheEndWritesWhatIsQueued) {
  begin();
  hold_up();
  for (int i = 0; i < 50; ++i) {
    submit(std::to_string(i));
  }
  disk_.set_open(true);
  commits_.reset();
  EXPECT_EQ(disk_.medium->tables.count(), 51u);
  owner_.run_ready();
  EXPECT_EQ(outcomes_.size(), 51u);
}

TEST_F(GroupCommitTest, WhoIsFencedHearsIt) {
  begin();
  submit("before");
  finish(1);
  MemoryStorage next(disk_.medium);
  submit("after");
  finish(2);
  EXPECT_THAT(outcomes_, ElementsAre("before", "after failed"));
}

TEST_F(GroupCommitTest, ManyAreWrittenInOrder) {
  begin();
  constexpr size_t kCount = 20'000;
  size_t submitted = 0;
  while (submitted < kCount) {
    if (commits_->full()) {
      size_t before = outcomes_.size();
      owner_.run_until([&] { return outcomes_.size() > before; });
    }
    submit(std::to_string(submitted++));
  }
  finish(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(outcomes_[i], std::to_string(i));
  }
  EXPECT_LT(groups().size(), kCount);
}

}  // namespace
}  // namespace sabir::control
