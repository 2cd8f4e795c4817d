#include "runtime/rpc/frame_pipe.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/rpc/frame.h"

namespace sabir::rpc {
namespace {

constexpr size_t kReadBytes = 64 << 10;
// Of what has come before it is dealt with, and of what has gone before its room is used again.
constexpr size_t kTurnBytes = 1 << 20;

}  // namespace

FramePipe::FramePipe(loop::EventLoop& loop, UniqueFd socket, std::function<void(std::string_view)> received,
                     std::function<void(const std::string&)> ended, size_t max_waiting_bytes)
    : socket_(std::move(socket)),
      received_(std::move(received)),
      ended_(std::move(ended)),
      max_waiting_bytes_(max_waiting_bytes) {
  auto watcher = loop::FdWatcher::create(loop, socket_.get(), [this](uint32_t) { on_ready(); });
  SABIR_CHECK(watcher.ok(), watcher.error().to_string());
  watcher_ = *std::move(watcher);
  watcher_->watch(loop::kReadable);
}

void FramePipe::send(std::string frame) {
  if (over_ || deaf_) {
    return;
  }
  if (frame.size() > kFramePrefixBytes + kMaxFrameBytes) {
    end("a message of " + std::to_string(frame.size()) + " bytes is too large for it");
    return;
  }
  if (waiting_bytes() + frame.size() > max_waiting_bytes_) {
    end("its other end does not read: " + std::to_string(waiting_bytes()) + " bytes wait already");
    return;
  }
  if (written_ == out_.size()) {
    out_ = std::move(frame);
    written_ = 0;
  } else {
    if (written_ > kTurnBytes && written_ > waiting_bytes()) {
      out_.erase(0, std::exchange(written_, 0));
    }
    out_ += frame;
  }
  write_some();
}

void FramePipe::on_ready() {
  if (write_some() && read_some() && !over_) {
    watcher_->watch(loop::kReadable | (waiting_bytes() != 0 ? loop::kWritable : 0));
  }
}

bool FramePipe::write_some() {
  while (!over_ && written_ < out_.size()) {
    ssize_t size = ::send(socket_.get(), out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) {
      written_ += static_cast<size_t>(size);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      watcher_->watch(loop::kReadable | loop::kWritable);
      return true;
    } else if (errno == EPIPE || errno == ECONNRESET) {
      // It is gone, and may have said something before: that, and its end, are read as always.
      deaf_ = true;
      out_.clear();
      written_ = 0;
      watcher_->watch(loop::kReadable);
      return true;
    } else if (errno != EINTR) {
      end(std::string("write: ") + std::strerror(errno));
      return false;
    }
  }
  return !over_;
}

bool FramePipe::read_some() {
  char buffer[kReadBytes];
  size_t before = in_.size();
  while (in_.size() - before < kTurnBytes) {
    ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size > 0) {
      in_.append(buffer, static_cast<size_t>(size));
      if (static_cast<size_t>(size) < sizeof(buffer)) {
        break;
      }
    } else if (size < 0 && errno == EINTR) {
      continue;
    } else if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      break;
    } else {
      end(size == 0 ? "its end was closed" : std::string("read: ") + std::strerror(errno));
      return false;
    }
  }
  size_t at = 0;
  std::string taken = std::move(in_);
  while (!over_ && taken.size() - at >= kFramePrefixBytes) {
    std::array<uint8_t, kFramePrefixBytes> prefix;
    std::memcpy(prefix.data(), taken.data() + at, prefix.size());
    Result<uint32_t> size = decode_prefix(prefix, kMaxFrameBytes);
    if (!size.ok()) {
      end(size.error().message());
      return false;
    }
    if (taken.size() - at - kFramePrefixBytes < *size) {
      break;
    }
    received_({taken.data() + at + kFramePrefixBytes, *size});
    at += kFramePrefixBytes + *size;
  }
  in_ = at == 0 ? std::move(taken) : taken.substr(at);
  return !over_;
}

void FramePipe::end(const std::string& why) {
  if (!std::exchange(over_, true)) {
    watcher_->watch(0);
    ended_(why);
  }
}

}  // namespace sabir::rpc
