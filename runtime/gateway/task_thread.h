// A thread for what may wait: started when it is needed first.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace sabir::gateway {

// Any thread but its own may stop it.
class TaskThread {
 public:
  ~TaskThread() { stop(); }

  // In the order of the posts. After stop(): dropped.
  void post(std::function<void()> task);
  // Waits for the task that runs; those behind it are dropped.
  void stop();

 private:
  void run();

  std::mutex lock_;  // guards these
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sabir::gateway
