// Proxy: a network between two nodes that a test can stop, cut and mend.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/node_link/address.h"

namespace sabir::node_link {

// Forwards TCP connections on the test's own loop.
class Proxy {
 public:
  Proxy(loop::EventLoop& loop, HostPort target);

  // Where it listens.
  HostPort address() const;
  // Bytes stay where they are, in both directions, and nobody hears of it: a half-open connection. New connections are
  // taken and stay silent too.
  void stall(bool stalled);
  // A slow link: at most so many bytes in each direction every few milliseconds.
  void slow_down(size_t bytes_per_tick);
  // Ends all connections.
  void cut();
  size_t connection_count() const { return pipes_.size(); }
  uint64_t accepted_count() const { return accepted_; }

 private:
  struct Half {
    UniqueFd socket;
    std::unique_ptr<loop::FdWatcher> watcher;
    std::string pending;     // for this socket
    size_t taken_bytes = 0;  // in this tick
    bool ended = false;      // the other side has ended
  };
  struct Pipe {
    Half near, far;
  };

  void accept_one();
  void on_ready(Pipe& pipe);
  bool forward(Half& from, Half& to);
  size_t may_take(const Half& half) const;
  void watch(Pipe& pipe);

  loop::EventLoop& loop_;
  HostPort target_;
  UniqueFd listener_;
  std::unique_ptr<loop::FdWatcher> watcher_;
  std::list<Pipe> pipes_;
  loop::Timer tick_;
  bool stalled_ = false;
  size_t bytes_per_tick_ = 0;  // 0: as fast as it goes
  uint64_t accepted_ = 0;
};

}  // namespace sabir::node_link
