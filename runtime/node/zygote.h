// One zygote: a process that forks workers on request (schema/zygote.md), seen from sabird.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/node/spawn.h"

namespace sabir::node {

inline constexpr size_t kMaxZygotePacketBytes = 64 << 10;

class Zygote {
 public:
  struct Events {
    std::function<void(bool warm)> ready;
    std::function<void(const std::string& token, pid_t pid)> forked;
    std::function<void(const std::string& token, const std::string& error)> fork_failed;
    // It is over: died, closed its socket, or broke the protocol. Called once, last; the requests it owes are lost. The
    // callback may destroy the object.
    std::function<void(const std::string& how)> ended;
  };
  struct ForkRequest {
    std::string token;
    std::string session;
    std::vector<std::pair<std::string, std::string>> environment;
    UniqueFd output;
    UniqueFd error;
  };

  // `request`: argv without the channel's number, which is appended; channel_fd is set here.
  static Result<std::unique_ptr<Zygote>> start(loop::EventLoop& loop, SpawnRequest request, Events events);
  // Kills and reaps it, and what it forked and has not let go yet.
  ~Zygote();
  Zygote(const Zygote&) = delete;
  Zygote& operator=(const Zygote&) = delete;

  pid_t pid() const { return process_.pid; }
  bool ready() const { return ready_; }
  bool warm() const { return warm_; }
  // Requests that it has not answered.
  const std::set<std::string>& owed() const { return owed_; }

  // May be called before it is ready: requests wait in its socket, or here when that is full.
  void fork(ForkRequest request);
  void warm_up();
  // Closes its socket, so that it ends by itself: a worker that it has just forked may still be in its process group.
  void retire();

 private:
  struct Packet {
    std::string text;
    UniqueFd output;
    UniqueFd error;
  };

  Zygote(loop::EventLoop& loop, SpawnedProcess process, UniqueFd socket, Events events);
  void on_socket(uint32_t ready);
  // False: the object may be gone.
  bool receive();
  bool handle(const std::string& packet);
  void send_queued();
  bool send(const Packet& packet);
  void end(std::string how);

  SpawnedProcess process_;
  UniqueFd socket_;
  Events events_;
  std::unique_ptr<loop::FdWatcher> socket_watcher_;
  std::unique_ptr<loop::FdWatcher> process_watcher_;
  std::deque<Packet> queued_;
  std::set<std::string> owed_;
  std::unique_ptr<loop::Timer> grace_;  // between the end of its socket and SIGKILL
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool ready_ = false;
  bool warm_ = false;
  bool ended_ = false;
};

}  // namespace sabir::node
