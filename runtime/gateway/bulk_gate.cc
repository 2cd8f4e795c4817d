#include "runtime/gateway/bulk_gate.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sabir::gateway {

void BulkGate::with(const void* owner, Task task) {
  std::unique_lock held(lock_);
  if (bulk_ != nullptr && bulk_->is_over()) {
    bulk_ = nullptr;
  }
  if (std::shared_ptr<Bulk> bulk = bulk_; bulk != nullptr || closed_) {
    held.unlock();
    if (bulk != nullptr) {
      task(std::move(bulk));
    } else {
      task(disconnected_error("the link to the other node is closed"));
    }
    return;
  }
  waiting_.push_back({owner, std::move(task)});
  bool asked = std::exchange(opening_, true);
  held.unlock();
  if (!asked) {
    open_();
  }
}

void BulkGate::opened(const Result<std::shared_ptr<Bulk>>& bulk) {
  std::vector<Waiting> waiting;
  {
    std::lock_guard guard(lock_);
    opening_ = false;
    bulk_ = bulk.ok() && !closed_ ? *bulk : nullptr;
    waiting.swap(waiting_);
  }
  for (Waiting& one : waiting) {
    one.task(bulk);
  }
}

void BulkGate::drop() {
  std::lock_guard guard(lock_);
  bulk_ = nullptr;
}

void BulkGate::fail(const void* owner, const std::string& why) {
  std::vector<Waiting> failed;
  {
    std::lock_guard guard(lock_);
    auto end = std::stable_partition(waiting_.begin(), waiting_.end(),
                                     [&](const Waiting& one) { return owner != nullptr && one.owner != owner; });
    failed.assign(std::make_move_iterator(end), std::make_move_iterator(waiting_.end()));
    waiting_.erase(end, waiting_.end());
  }
  for (Waiting& one : failed) {
    one.task(disconnected_error(why));
  }
}

void BulkGate::close(const std::string& why) {
  {
    std::lock_guard guard(lock_);
    closed_ = true;
    bulk_ = nullptr;
  }
  fail(nullptr, why);
}

}  // namespace sabir::gateway
