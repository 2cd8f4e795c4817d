#include "runtime/loop/timer.h"

#include <uv.h>

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"

namespace sabir::loop {

struct Timer::State {
  uv_timer_t handle;
  std::function<void()> on_fire;

  static void on_timeout(uv_timer_t* handle) { static_cast<State*>(handle->data)->on_fire(); }

  void start(int64_t delay_ns, uint64_t repeat_ms) {
    // The loop's idea of now is as old as its round, and cut to whole milliseconds: without the update and the one
    // millisecond more, a timer could fire early.
    uv_update_time(handle.loop);
    uint64_t delay_ms = delay_ns > 0 ? milliseconds(delay_ns) + 1 : 0;
    SABIR_CHECK(uv_timer_start(&handle, on_timeout, delay_ms, repeat_ms) == 0);
  }

  static uint64_t milliseconds(int64_t duration_ns) {
    int64_t positive = std::max<int64_t>(duration_ns, 0);
    return static_cast<uint64_t>(positive / kMillisecondNs + (positive % kMillisecondNs != 0));
  }
};

Timer::Timer(EventLoop& loop, std::function<void()> on_fire) : state_(new State) {
  SABIR_CHECK(uv_timer_init(loop.uv(), &state_->handle) == 0);
  state_->handle.data = state_;
  state_->on_fire = std::move(on_fire);
}

Timer::~Timer() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

void Timer::start_once(int64_t delay_ns) { state_->start(delay_ns, 0); }

void Timer::start_periodic(int64_t interval_ns) {
  uint64_t interval_ms = std::max<uint64_t>(State::milliseconds(interval_ns), 1);
  state_->start(interval_ns, interval_ms);
}

void Timer::stop() { uv_timer_stop(&state_->handle); }

bool Timer::active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->handle)) != 0; }

}  // namespace sabir::loop
