// Where batches go to be committed in order, while their owner goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/base/result.h"
#include "runtime/control/batch.h"

namespace sabir::control {

class CommitQueue {
 public:
  // On the owner's thread, later, in the order of the submits.
  using Done = std::function<void(const Result<void>&)>;

  CommitQueue() = default;
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;
  virtual ~CommitQueue() = default;

  // A batch builds on those before it. So when one fails, all of its term fail with it, also those that are submitted
  // later: the owner takes them back and goes on with a higher term. The errors are those of Storage.
  virtual void submit(uint64_t term, std::shared_ptr<const Batch> batch, Done done) = 0;
  // True: submit nothing more until a `done` was called.
  virtual bool full() const = 0;
};

}  // namespace sabir::control
