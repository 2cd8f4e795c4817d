// A disk whose every step a test decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/control/commit_queue.h"
#include "runtime/control/storage.h"

namespace sabir::control::testing {

class ManualCommitQueue final : public CommitQueue {
 public:
  explicit ManualCommitQueue(Storage* storage) : storage_(storage) {}

  size_t size() const { return queue_.size(); }
  // Writes the first `count` as one transaction, or fails them with `fault`; then says so. What is submitted meanwhile
  // waits.
  void step(size_t count, std::optional<Error> fault = std::nullopt) {
    Result<void> outcome;
    std::deque<Item> group;
    for (; count > 0 && !queue_.empty(); --count) {
      group.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    for (Item& item : group) {
      if (item.term <= failed_term_) {
        item.done(*failure_);
        continue;
      }
      outcome = fault ? Result<void>(*fault) : storage_->commit(*item.batch);
      if (!outcome.ok()) {
        failed_term_ = item.term;
        failure_ = outcome.error();
      }
      item.done(outcome);
    }
  }
  void step_all() {
    while (!queue_.empty()) {
      step(queue_.size());
    }
  }
  // As a kill between the write and its answer.
  void write_without_answer(size_t count) {
    for (; count > 0 && !queue_.empty(); --count) {
      if (queue_.front().term > failed_term_) {
        SABIR_CHECK(storage_->commit(*queue_.front().batch).ok());
      }
      queue_.pop_front();
    }
  }

  void submit(uint64_t term, std::shared_ptr<const Batch> batch, Done done) override {
    queue_.push_back({term, std::move(batch), std::move(done)});
  }
  bool full() const override { return queue_.size() >= limit; }

  size_t limit = 1'000;

 private:
  struct Item {
    uint64_t term = 0;
    std::shared_ptr<const Batch> batch;
    Done done;
  };
  Storage* const storage_;
  std::deque<Item> queue_;
  uint64_t failed_term_ = 0;
  std::optional<Error> failure_;
};

}  // namespace sabir::control::testing
