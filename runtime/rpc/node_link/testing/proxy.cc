#include "runtime/rpc/node_link/testing/proxy.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"

namespace sabir::node_link {

namespace {

constexpr size_t kMaxPendingBytes = 256 << 10;
constexpr int64_t kTickNs = 5 * kMillisecondNs;

}  // namespace

Proxy::Proxy(loop::EventLoop& loop, HostPort target)
    : loop_(loop), target_(std::move(target)), tick_(loop, [this] {
        for (Pipe& pipe : pipes_) {
          pipe.near.taken_bytes = pipe.far.taken_bytes = 0;
          watch(pipe);
        }
      }) {
  listener_ = listen_at(look_up({"127.0.0.1", 0}).value().front()).value();
  watcher_ = loop::FdWatcher::create(loop, listener_.get(), [this](uint32_t) { accept_one(); }).value();
  watcher_->watch(loop::kReadable);
}

HostPort Proxy::address() const { return {"127.0.0.1", local_address(listener_.get()).port()}; }

void Proxy::stall(bool stalled) {
  stalled_ = stalled;
  for (Pipe& pipe : pipes_) {
    watch(pipe);
  }
}

void Proxy::slow_down(size_t bytes_per_tick) {
  bytes_per_tick_ = bytes_per_tick;
  tick_.start_periodic(kTickNs);
}

void Proxy::cut() { pipes_.clear(); }

void Proxy::accept_one() {
  UniqueFd near(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!near.valid()) {
    return;
  }
  ++accepted_;
  Pipe& pipe = pipes_.emplace_back();
  pipe.near.socket = std::move(near);
  pipe.far.socket = start_connect(look_up(target_).value().front(), {}).value();
  for (Half* half : {&pipe.near, &pipe.far}) {
    half->watcher =
        loop::FdWatcher::create(loop_, half->socket.get(), [this, &pipe](uint32_t) { on_ready(pipe); }).value();
  }
  watch(pipe);
}

void Proxy::on_ready(Pipe& pipe) {
  if (!forward(pipe.near, pipe.far) || !forward(pipe.far, pipe.near) || (pipe.near.ended && pipe.far.ended)) {
    pipes_.remove_if([&pipe](const Pipe& one) { return &one == &pipe; });
    return;
  }
  watch(pipe);
}

size_t Proxy::may_take(const Half& half) const {
  return bytes_per_tick_ == 0 ? SIZE_MAX : bytes_per_tick_ - std::min(bytes_per_tick_, half.taken_bytes);
}

// False: the pipe is broken.
bool Proxy::forward(Half& from, Half& to) {
  std::array<char, 64 << 10> buffer;
  size_t room_bytes = may_take(from);
  if (!to.ended && to.pending.size() < kMaxPendingBytes && room_bytes > 0) {
    ssize_t count = recv(from.socket.get(), buffer.data(), std::min(buffer.size(), room_bytes), MSG_DONTWAIT);
    if (count > 0) {
      from.taken_bytes += static_cast<size_t>(count);
      to.pending.append(buffer.data(), static_cast<size_t>(count));
    } else if (count == 0) {
      to.ended = true;
    } else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
      return false;
    }
  }
  if (!to.pending.empty()) {
    ssize_t count = send(to.socket.get(), to.pending.data(), to.pending.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      to.pending.erase(0, static_cast<size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
      return false;
    }
  }
  if (to.ended && to.pending.empty()) {
    shutdown(to.socket.get(), SHUT_WR);
  }
  return true;
}

void Proxy::watch(Pipe& pipe) {
  for (auto [half, other] : {std::pair{&pipe.near, &pipe.far}, std::pair{&pipe.far, &pipe.near}}) {
    uint32_t interest = 0;
    if (!stalled_) {
      bool readable = !other->ended && other->pending.size() < kMaxPendingBytes && may_take(*half) > 0;
      interest = (readable ? loop::kReadable : 0) | (half->pending.empty() ? 0 : loop::kWritable);
    }
    half->watcher->watch(interest);
  }
}

}  // namespace sabir::node_link
