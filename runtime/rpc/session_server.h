// SessionServer: sabird's end of the control channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"
#include "runtime/rpc/fault_point.h"
#include "runtime/rpc/session_handler.h"

namespace sabir::loop {
class KjLoop;
}

namespace sabir::rpc {

// What one process may cost. Who goes beyond loses its own connection or call, nobody else's.
struct SessionServerOptions {
  uint32_t max_connections = 1024;
  // From the connection to the complete hello.
  int64_t hello_timeout_ns = 5'000'000'000;
  uint32_t max_frame_bytes = 1u << 20;
  uint64_t max_message_bytes = 64u << 20;
  // The calls in progress of one connection together; the one that goes beyond is still read.
  uint64_t max_call_bytes = 1u << 20;
  // The messages of all connections together, read and not answered, or not yet written. Small ones are not counted.
  uint64_t max_total_bytes = 256u << 20;
  uint32_t max_calls_in_flight = 2048;
  // How many answers to mutating requests are remembered per process, and how many bytes they may have.
  uint32_t max_remembered_answers = 1024;
  uint64_t max_remembered_bytes = 4u << 20;
  FaultPoint fault_point;
};

// Lives on the loop's thread, on which it also calls the handler. Goes before both.
class SessionServer {
 public:
  // Brings KJ's event loop to the thread: for a thread that has none yet.
  SessionServer(loop::EventLoop& loop, SessionHandler& handler, Logger logger, SessionServerOptions options = {});
  // On the thread's KJ loop, which outlives it.
  SessionServer(loop::EventLoop& loop, loop::KjLoop& kj_loop, SessionHandler& handler, Logger logger,
                SessionServerOptions options = {});
  // Closes all connections; the handler hears of each.
  ~SessionServer();
  SessionServer(const SessionServer&) = delete;
  SessionServer& operator=(const SessionServer&) = delete;

  // Serves SESSION_PATH/node.sock (mode 0600, replaces a stale one). The directory must be the caller's own and closed
  // to others.
  Result<void> listen(const std::string& session_path);
  // No new connections; removes the socket file.
  void stop_listening();
  // Serves a connected Unix stream socket: the hello comes next.
  Result<void> adopt(UniqueFd socket);

  uint32_t connection_count() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace sabir::rpc
