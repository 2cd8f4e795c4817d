// FdWatcher: says when a descriptor is ready: an eventfd, a pidfd, a pipe, a socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"

namespace sabir::loop {

// Bits of a set.
inline constexpr uint32_t kReadable = 1;
inline constexpr uint32_t kWritable = 2;
inline constexpr uint32_t kHungUp = 4;  // the other side will write no more, or is gone

// Level-triggered: calls back in every round in which the descriptor is ready, until the callback has read it or
// changed the interest. Watches nothing at first. The descriptor stays the caller's and must outlive the watcher; it
// becomes non-blocking. One watcher per descriptor and loop.
class FdWatcher {
 public:
  // The callback gets what is ready out of what is watched; with an error on the descriptor that is all of it (the next
  // read or write then says which error).
  static Result<std::unique_ptr<FdWatcher>> create(EventLoop& loop, int fd,
                                                   std::function<void(uint32_t ready)> on_ready);
  ~FdWatcher();
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  // Replaces the interest; 0 watches nothing.
  void watch(uint32_t interest);
  uint32_t interest() const;

 private:
  struct State;
  explicit FdWatcher(State* state) : state_(state) {}
  State* state_;
};

}  // namespace sabir::loop
