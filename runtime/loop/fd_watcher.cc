#include "runtime/loop/fd_watcher.h"

#include <uv.h>

#include <utility>

#include "runtime/base/check.h"

namespace sabir::loop {

struct FdWatcher::State {
  uv_poll_t handle;
  uint32_t interest = 0;
  std::function<void(uint32_t)> on_ready;

  static void on_poll(uv_poll_t* handle, int status, int events) {
    auto* state = static_cast<State*>(handle->data);
    uint32_t ready = 0;
    if (status < 0) {
      // libuv stops a handle that has an error; the owner still thinks that it watches.
      ready = state->interest;
      state->interest = 0;
    } else {
      ready = ((events & UV_READABLE) != 0 ? kReadable : 0) | ((events & UV_WRITABLE) != 0 ? kWritable : 0) |
              ((events & UV_DISCONNECT) != 0 ? kHungUp : 0);
      ready &= state->interest;
    }
    if (ready != 0) {
      state->on_ready(ready);
    }
  }
};

Result<std::unique_ptr<FdWatcher>> FdWatcher::create(EventLoop& loop, int fd, std::function<void(uint32_t)> on_ready) {
  auto* state = new State;
  int status = uv_poll_init(loop.uv(), &state->handle, fd);
  if (status < 0) {
    delete state;
    return Error::from_errno(-status, "watch a descriptor");
  }
  state->handle.data = state;
  state->on_ready = std::move(on_ready);
  return std::unique_ptr<FdWatcher>(new FdWatcher(state));
}

FdWatcher::~FdWatcher() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

void FdWatcher::watch(uint32_t interest) {
  if (interest == state_->interest) {
    return;
  }
  state_->interest = interest;
  if (interest == 0) {
    uv_poll_stop(&state_->handle);
    return;
  }
  int events = ((interest & kReadable) != 0 ? UV_READABLE : 0) | ((interest & kWritable) != 0 ? UV_WRITABLE : 0) |
               ((interest & kHungUp) != 0 ? UV_DISCONNECT : 0);
  SABIR_CHECK(uv_poll_start(&state_->handle, events, State::on_poll) == 0);
}

uint32_t FdWatcher::interest() const { return state_->interest; }

}  // namespace sabir::loop
