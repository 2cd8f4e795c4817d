#include "runtime/loop/event_loop.h"

#include <uv.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/loop/timer.h"

namespace sabir::loop {

struct EventLoop::State {
  uv_loop_t loop;
  uv_async_t wake;
  std::atomic<bool> stop_asked{false};
  std::mutex mutex;  // guards posted
  std::vector<std::function<void()>> posted;

  static void on_wake(uv_async_t* wake) {
    auto* state = static_cast<State*>(wake->data);
    std::vector<std::function<void()>> tasks;
    {
      std::lock_guard lock(state->mutex);
      tasks.swap(state->posted);
    }
    for (auto& task : tasks) {
      task();
    }
    if (state->stop_asked.load(std::memory_order_acquire)) {
      uv_stop(&state->loop);
    }
  }
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {
  SABIR_CHECK(uv_loop_init(&state_->loop) == 0);
  SABIR_CHECK(uv_async_init(&state_->loop, &state_->wake, State::on_wake) == 0);
  state_->wake.data = state_.get();
}

EventLoop::~EventLoop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->wake), nullptr);
  // Handles that were closed before are freed in this last run; whatever is still open is a user that outlives the
  // loop.
  uv_run(&state_->loop, UV_RUN_NOWAIT);
  SABIR_CHECK(uv_loop_close(&state_->loop) == 0, "a timer, watcher or signal outlives its loop");
}

void EventLoop::run() {
  while (!state_->stop_asked.exchange(false, std::memory_order_acq_rel)) {
    uv_run(&state_->loop, UV_RUN_DEFAULT);
  }
}

void EventLoop::stop() {
  state_->stop_asked.store(true, std::memory_order_release);
  uv_async_send(&state_->wake);
}

bool EventLoop::run_until(const std::function<bool()>& done, int64_t timeout_ns) {
  bool late = false;
  Timer timer(*this, [&late] { late = true; });
  timer.start_once(timeout_ns);
  while (!done()) {
    if (late) {
      return false;
    }
    uv_run(&state_->loop, UV_RUN_ONCE);
  }
  return true;
}

void EventLoop::post(std::function<void()> task) {
  {
    std::lock_guard lock(state_->mutex);
    state_->posted.push_back(std::move(task));
  }
  uv_async_send(&state_->wake);
}

uv_loop_s* EventLoop::uv() { return &state_->loop; }

}  // namespace sabir::loop
