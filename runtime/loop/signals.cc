#include "runtime/loop/signals.h"

#include <uv.h>

#include "runtime/base/check.h"

namespace sabir::loop {

struct Signals::State {
  uv_signal_t handle;
  std::function<void(int)> on_signal;

  static void on_uv_signal(uv_signal_t* handle, int number) { static_cast<State*>(handle->data)->on_signal(number); }
};

Signals::Signals(EventLoop& loop, const std::vector<int>& numbers, const std::function<void(int)>& on_signal) {
  for (int number : numbers) {
    auto* state = new State;
    SABIR_CHECK(uv_signal_init(loop.uv(), &state->handle) == 0);
    state->handle.data = state;
    state->on_signal = on_signal;
    SABIR_CHECK(uv_signal_start(&state->handle, State::on_uv_signal, number) == 0, "signal ", number);
    states_.push_back(state);
  }
}

Signals::~Signals() {
  for (State* state : states_) {
    uv_close(reinterpret_cast<uv_handle_t*>(&state->handle),
             [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
  }
}

}  // namespace sabir::loop
