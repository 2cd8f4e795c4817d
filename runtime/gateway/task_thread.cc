#include "runtime/gateway/task_thread.h"

#include <utility>

namespace sabir::gateway {

void TaskThread::post(std::function<void()> task) {
  std::lock_guard guard(lock_);
  if (stop_) {
    return;
  }
  tasks_.push_back(std::move(task));
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  }
  changed_.notify_one();
}

void TaskThread::stop() {
  {
    std::lock_guard guard(lock_);
    stop_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void TaskThread::run() {
  std::unique_lock held(lock_);
  for (;;) {
    changed_.wait(held, [this] { return stop_ || !tasks_.empty(); });
    if (stop_) {
      return;
    }
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    held.unlock();
    task();
    task = nullptr;
    held.lock();
  }
}

}  // namespace sabir::gateway
