// The bulk connection to one peer, for those who transfer objects: opened when it is needed, and again when it is over.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/rpc/node_link/bulk_connection.h"

namespace sabir::gateway {

// Any thread.
class BulkGate {
 public:
  using Bulk = node_link::BulkConnection;
  using Task = std::function<void(Result<std::shared_ptr<Bulk>>)>;

  // `open` asks for a connection; opened() answers. Called without a lock, and not again before the answer.
  explicit BulkGate(std::function<void()> open) : open_(std::move(open)) {}

  // For the receiver to choose: unique for the life of the peer, whatever connections there are.
  uint64_t next_transfer() { return next_transfer_.fetch_add(1, std::memory_order_relaxed); }

  // Calls `task` once: with a connection that lives, at once if there is one, or with an error. `owner` is for fail().
  void with(const void* owner, Task task);
  void opened(const Result<std::shared_ptr<Bulk>>& bulk);
  // The connection is lost or replaced.
  void drop();
  // Ends what `owner` waits for.
  void fail(const void* owner, const std::string& why);
  // For good: nothing is opened any more.
  void close(const std::string& why);

 private:
  struct Waiting {
    const void* owner = nullptr;
    Task task;
  };

  const std::function<void()> open_;
  std::atomic<uint64_t> next_transfer_{1};
  std::mutex lock_;  // guards these
  std::shared_ptr<Bulk> bulk_;
  bool opening_ = false;
  bool closed_ = false;
  std::vector<Waiting> waiting_;  // bounded by the calls under way
};

}  // namespace sabir::gateway
