// Scheduling classes this process submits to (L1), each with its ring (Q3) and the private FIFO behind it (Q4).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/client/call.h"
#include "runtime/client/core.h"
#include "runtime/shm/work_queue.h"

namespace sabir::client {

class ClassQueue {
 public:
  ClassQueue(Core& core, const rpc::ClassInfo& info, uint8_t language, std::vector<rpc::ResourceAmount> resources);

  const std::string& infeasible() const { return infeasible_; }
  uint8_t language() const { return language_; }
  const std::vector<rpc::ResourceAmount>& resources() const { return resources_; }

  // Under the client's lock.
  shm::QueueAppender& ring() { return ring_; }
  CallList& fifo() { return fifo_; }
  void publish_overflow() { ring_.publish_overflow(fifo_.size()); }

  // Without it, after something was appended: wakes one worker, or sabird (L3). True: that cost a system call.
  bool wake_somebody();

 private:
  static constexpr uint32_t kRingEvery = 64;

  Core& core_;
  const shm::ClassRecord& record_;
  shm::QueueAppender ring_;
  CallList fifo_;
  std::string infeasible_;
  const uint8_t language_;
  const std::vector<rpc::ResourceAmount> resources_;
  std::atomic<uint32_t> unserved_{0};  // appends since the class had a worker
};

class Classes {
 public:
  explicit Classes(Core& core) : core_(core) {}

  // Asks sabird the first time. Needs no lock.
  Result<ClassQueue*> declare(uint8_t language, const std::vector<rpc::ResourceAmount>& resources,
                              const Scheduling& scheduling);
  // Under the client's lock.
  const std::vector<ClassQueue*>& all() const { return all_; }

 private:
  Core& core_;
  std::mutex declare_lock_;
  struct Declared {
    uint8_t language;
    std::vector<rpc::ResourceAmount> resources;  // sorted
    Scheduling scheduling;
    std::unique_ptr<ClassQueue> queue;
  };
  std::vector<Declared> declared_;  // under declare_lock_; at most shm::kMaxClasses
  std::vector<ClassQueue*> all_;
};

}  // namespace sabir::client
