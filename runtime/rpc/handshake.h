// The process's side of hello and welcome, on the calling thread and without KJ's loop.
#pragma once

#include "runtime/rpc/session_types.h"

namespace sabir::rpc {

// Sends the hello on a connected Unix stream socket and reads exactly the welcome, with its descriptors. The socket
// becomes non-blocking. What the node refuses with comes back as that error.
Result<WelcomeInfo> shake_hands(int socket, const HelloInfo& hello, int64_t timeout_ns);

}  // namespace sabir::rpc
