// SessionService: the methods of one process's `Session` capability, adapted to a SessionHandler.
#pragma once

#include <functional>
#include <memory>

#include "runtime/rpc/answers.h"
#include "runtime/rpc/notices.h"
#include "runtime/rpc/session_server.h"
#include "schema/session.capnp.h"

namespace sabir::rpc {

// What a service stands on; all of it outlives the service's connection.
struct ServiceContext {
  SessionHandler& handler;
  const SessionServerOptions& options;
  ProcessKey process;
  bool observer = false;
  std::shared_ptr<Notices> notices;
  std::function<kj::Promise<void>(int64_t delay_ns)> delay;  // for faults
};

capnp::Capability::Client make_session_service(ServiceContext context);

}  // namespace sabir::rpc
