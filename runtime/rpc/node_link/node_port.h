// NodePort: the one port on which a node takes connections of other nodes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/node_link/login.h"
#include "runtime/rpc/node_link/login_limiter.h"

namespace sabir::node_link {

struct NodePortOptions {
  // Connections that have not logged in; one more, and the oldest goes.
  uint32_t max_logins = 128;
  // TLS and hello together.
  int64_t login_timeout_ns = 5'000'000'000;
  LoginLimits limits;
  SocketOptions socket;
};

// Lives on the loop's thread, and calls the handler there. Whatever strangers do to it: memory, descriptors and lines
// of log stay bounded, and those who log in are served. What the context names outlives it.
class NodePort {
 public:
  NodePort(const LoginContext& context, Logger logger, NodePortOptions options = {});
  NodePort(const NodePort&) = delete;
  NodePort& operator=(const NodePort&) = delete;

  // Port 0: any that is free. A host name is looked up on the spot.
  Result<void> listen(const HostPort& where);
  // No new connections; logins under way are dropped.
  void stop();

  // Where it listens.
  SocketAddress address() const { return local_address(listener_.get()); }
  uint32_t login_count() const { return static_cast<uint32_t>(logins_.size()); }

 private:
  void accept_some();
  bool make_room();
  void pause();
  void admit(UniqueFd socket);
  void turn_away(const UniqueFd& socket);
  void on_login(std::list<std::unique_ptr<Login>>::iterator login, const Failure& failure);
  void log_failure(const SocketAddress& address, uint64_t count, const Failure& failure) const;
  void log_shed();

  LoginContext context_;
  SteadyClock clock_;
  Logger logger_;
  NodePortOptions options_;
  LoginLimiter limiter_;
  UniqueFd reserve_;
  UniqueFd listener_;
  std::unique_ptr<loop::FdWatcher> watcher_;  // of listener_
  loop::Timer pause_;
  std::list<std::unique_ptr<Login>> logins_;  // oldest first
  uint64_t shed_ = 0;                         // since the last line about it
  int64_t shed_logged_ns_ = 0;
};

}  // namespace sabir::node_link
