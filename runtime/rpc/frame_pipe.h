// FramePipe: frames over a socket pair between two processes of ours, on an event loop at each end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"

namespace sabir::rpc {

// Belongs to the loop's thread. The other end is the same program: frames are not suspected, but bounded.
class FramePipe {
 public:
  static constexpr uint32_t kMaxFrameBytes = 64 << 20;
  // That wait for an other end that does not read. Nobody can wait for room here, so beyond that it counts as gone.
  static constexpr size_t kMaxWaitingBytes = 128 << 20;

  // `message` is what lies behind the prefix. `ended`: the other end is gone or does not read, once, with why.
  FramePipe(loop::EventLoop& loop, UniqueFd socket, std::function<void(std::string_view message)> received,
            std::function<void(const std::string& why)> ended, size_t max_waiting_bytes = kMaxWaitingBytes);

  // A whole frame. What cannot be written at once waits here. May end the pipe, and then calls `ended`; not if the
  // other end is gone: what that has said before is heard first.
  void send(std::string frame);
  // Bytes that wait.
  size_t waiting_bytes() const { return out_.size() - written_; }

 private:
  void on_ready();
  bool read_some();
  bool write_some();
  void end(const std::string& why);

  UniqueFd socket_;
  std::function<void(std::string_view)> received_;
  std::function<void(const std::string&)> ended_;
  const size_t max_waiting_bytes_;
  std::unique_ptr<loop::FdWatcher> watcher_;  // after the socket: it goes first
  std::string in_;
  std::string out_;
  size_t written_ = 0;
  bool deaf_ = false;  // the other end: nothing is sent any more
  bool over_ = false;
};

}  // namespace sabir::rpc
