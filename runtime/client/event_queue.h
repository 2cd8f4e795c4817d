// P4: events to pull. Completions, and what the node has to say. Any thread; a lock of its own, innermost.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/rpc/session_types.h"

namespace sabir::client {

// Bytes for the caller: what a sabir_buffer points at.
struct Buffer {
  std::string bytes;
  rpc::LogLines lines;  // of a log event
};

// Of Client::watch_actor(); inside the core only.
inline constexpr uint32_t kEventActorChanged = 1U << 16;

// The kinds are those of sabir.h.
struct QueuedEvent {
  uint32_t kind = 0;
  uint64_t tag = 0;
  Buffer* buffer = nullptr;  // owned
};

class EventQueue {
 public:
  // Of this many bytes of buffers; what comes then is dropped and counted (a slow reader loses lines, never memory).
  static constexpr size_t kMaxBufferedBytes = 4 << 20;

  static Result<std::shared_ptr<EventQueue>> create();
  ~EventQueue();

  void push(const QueuedEvent& event);
  // Unless one of the kind waits already: a process that reads none keeps one.
  void push_once(uint32_t kind);
  // False: full, the buffer was dropped.
  bool push_buffer(uint32_t kind, Buffer buffer);
  size_t take(QueuedEvent* out, size_t capacity);
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  // An eventfd, readable while events wait.
  int fd() const { return fd_.get(); }
  uint64_t dropped_lines() const { return dropped_lines_; }

  // References that will put an event here (Settler::watch). Under the core's lock.
  void expect() { ++expected_; }
  void settled(const Clock& clock) {
    if (--expected_ == 0) {
      quiet_since_ns_ = clock.now_ns();
    }
  }
  bool expects() const { return expected_ != 0; }
  // Since when it expects none.
  int64_t quiet_since_ns() const { return quiet_since_ns_; }

 private:
  void push_locked(const QueuedEvent& event);

  explicit EventQueue(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  std::mutex lock_;
  std::deque<QueuedEvent> events_;
  size_t buffered_bytes_ = 0;
  uint64_t dropped_lines_ = 0;
  std::atomic<size_t> count_{0};
  int64_t expected_ = 0;
  int64_t quiet_since_ns_ = INT64_MIN / 2;
};

}  // namespace sabir::client
