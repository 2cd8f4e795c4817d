// Who is at the other end of a Unix socket, and how to get there.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/rpc/session_handler.h"

namespace sabir::rpc {

// uid, pid and pidfd of the process that connected (or made the socket pair). By SO_PEERPIDFD; where the kernel has
// none, by pidfd_open while the connection still stands, so that the pid cannot have been given to another process
// meanwhile.
Result<PeerCredentials> peer_credentials(int socket);

// One uid is one trust domain (T1).
Result<void> check_peer_uid(uint32_t peer_uid, uint32_t own_uid);

// The directory is a directory, `own_uid`'s, and closed to everybody else.
Result<void> check_session_directory(const std::string& session_path, uint32_t own_uid);

// A listening socket at SESSION_PATH/node.sock, mode 0600 from its first moment; replaces a stale one. The path may be
// longer than a socket address.
Result<UniqueFd> listen_at(const std::string& session_path);

// A connected, non-blocking socket.
Result<UniqueFd> connect_to(const std::string& session_path, int64_t timeout_ns);

}  // namespace sabir::rpc
