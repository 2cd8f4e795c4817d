#include "runtime/control/group_commit.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace sabir::control {

GroupCommit::GroupCommit(std::unique_ptr<Storage> storage, Executor executor)
    : GroupCommit(std::move(storage), std::move(executor), Options()) {}

GroupCommit::GroupCommit(std::unique_ptr<Storage> storage, Executor executor, Options options)
    : storage_(std::move(storage)), executor_(std::move(executor)), options_(options) {
  // Signals are for the thread that serves.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { write(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "control-disk");
}

GroupCommit::~GroupCommit() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void GroupCommit::submit(uint64_t term, std::shared_ptr<const Batch> batch, Done done) {
  {
    std::lock_guard lock(mutex_);
    ++open_batches_;
    open_bytes_ += batch->size_bytes();
    queue_.push_back({term, std::move(batch), std::move(done)});
  }
  wake_.notify_one();
}

bool GroupCommit::full() const {
  std::lock_guard lock(mutex_);
  return open_batches_ >= options_.max_batches || open_bytes_ >= options_.max_bytes;
}

void GroupCommit::write() {
  while (std::optional<Group> group = next_group()) {
    commit(std::move(*group));
    storage_->maintain();
  }
}

std::optional<GroupCommit::Group> GroupCommit::next_group() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
  if (queue_.empty()) {
    return std::nullopt;
  }
  Group group;
  size_t bytes = 0;
  // One term per transaction: a failure is its term's.
  uint64_t term = queue_.front().term;
  while (!queue_.empty() && queue_.front().term == term && group.size() < options_.group_batches) {
    size_t more = queue_.front().batch->size_bytes();
    if (!group.empty() && bytes + more > options_.group_bytes) {
      break;
    }
    bytes += more;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

void GroupCommit::commit(Group group) {
  Result<void> outcome;
  size_t bytes = 0;
  std::vector<const Batch*> batches;
  for (const Item& item : group) {
    bytes += item.batch->size_bytes();
    batches.push_back(item.batch.get());
  }
  uint64_t term = group.front().term;
  if (failure_ && term <= failed_term_) {
    outcome = *failure_;
  } else {
    outcome = storage_->commit_all(batches);
    if (!outcome.ok()) {
      failed_term_ = term;
      failure_ = outcome.error();
    }
  }
  {
    std::lock_guard lock(mutex_);
    open_batches_ -= group.size();
    open_bytes_ -= bytes;
  }
  executor_([group = std::make_shared<Group>(std::move(group)), outcome = std::move(outcome)] {
    for (Item& item : *group) {
      item.done(outcome);
    }
  });
}

}  // namespace sabir::control
