// Commits on a thread of its own: what has gathered while one transaction was written is the next one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/control/commit_queue.h"
#include "runtime/control/storage.h"

namespace sabir::control {

class GroupCommit final : public CommitQueue {
 public:
  struct Options {
    // The queue's bounds, with what is being written.
    size_t max_batches = 8'192;
    size_t max_bytes = 64 << 20;
    // A transaction's: so that the first of many does not wait for all. One batch may be larger.
    size_t group_batches = 1'024;
    size_t group_bytes = 8 << 20;
  };
  // Runs a task on the owner's thread, in the order of the calls; called by the writer's thread.
  using Executor = std::function<void(std::function<void()>)>;

  // The storage belongs to the writer's thread from here on.
  GroupCommit(std::unique_ptr<Storage> storage, Executor executor, Options options);
  GroupCommit(std::unique_ptr<Storage> storage, Executor executor);
  // Commits what is queued; what the executor has not run by then is its own to run or to drop.
  ~GroupCommit() override;

  // The owner's thread alone.
  void submit(uint64_t term, std::shared_ptr<const Batch> batch, Done done) override;
  bool full() const override;

 private:
  struct Item {
    uint64_t term = 0;
    std::shared_ptr<const Batch> batch;
    Done done;
  };
  using Group = std::vector<Item>;

  void write();
  // Nothing: the end.
  std::optional<Group> next_group();
  void commit(Group group);

  const std::unique_ptr<Storage> storage_;
  const Executor executor_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  size_t open_batches_ = 0;  // queued or being written
  size_t open_bytes_ = 0;
  bool ending_ = false;

  // Of the writer's thread.
  uint64_t failed_term_ = 0;
  std::optional<Error> failure_;
  std::thread thread_;  // the last member: it uses all others
};

}  // namespace sabir::control
