// EventLoop: the one loop of a daemon's one thread (libuv beneath; no user of this folder sees it).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

struct uv_loop_s;

namespace sabir::loop {

// Everything here belongs to the thread that runs the loop, except where it says otherwise. Timers, watchers and
// signals of a loop must be gone before the loop is. A callback may destroy the object that called it, and any other.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Serves until stop(). May be called again.
  void run();
  // Makes run() return after the current round of callbacks; a stop before run() ends that run at once. Any thread.
  void stop();
  // Serves until `done` holds, which is looked at after each round; false: timeout_ns passed first. For tests and for
  // an orderly end.
  bool run_until(const std::function<bool()>& done, int64_t timeout_ns);

  // Runs `task` on the loop's thread, later, in the order of the posts. What is still queued when the loop is destroyed
  // is dropped. Any thread.
  void post(std::function<void()> task);

  // For the files of this folder that speak to libuv.
  uv_loop_s* uv();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sabir::loop
