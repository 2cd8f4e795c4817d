#include "runtime/rpc/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/clock.h"

namespace sabir::rpc {

namespace {

constexpr const char* kSocketName = "node.sock";
constexpr int kBacklog = 128;
// Younger than the headers of the systems that we build on.
constexpr int kSoPeerPidfd = 77;
constexpr int64_t kConnectRetryNs = 5 * kMillisecondNs;

struct Address {
  sockaddr_un address{};
  UniqueFd directory;  // keeps the address valid
};

// Through a descriptor of the directory, an address is short however long the path is.
Result<Address> address_in(const std::string& session_path) {
  Address result;
  result.directory.reset(open(session_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!result.directory.valid()) {
    return Error::from_errno(errno, "open " + session_path);
  }
  std::string path = "/proc/self/fd/" + std::to_string(result.directory.get()) + "/" + kSocketName;
  result.address.sun_family = AF_UNIX;
  memcpy(result.address.sun_path, path.c_str(), path.size() + 1);
  return result;
}

bool hung_up(int socket) {
  pollfd state{socket, POLLRDHUP, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace

Result<PeerCredentials> peer_credentials(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Error::from_errno(errno, "ask for the peer of a socket");
  }
  PeerCredentials peer;
  peer.uid = credentials.uid;
  peer.pid = credentials.pid;
  int pidfd = -1;
  size = sizeof(pidfd);
  if (getsockopt(socket, SOL_SOCKET, kSoPeerPidfd, &pidfd, &size) == 0) {
    peer.pidfd.reset(pidfd);
    return peer;
  }
  if (errno != ENOPROTOOPT) {
    return Error::from_errno(errno, "pidfd of the peer");
  }
  peer.pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, credentials.pid, 0)));
  if (!peer.pidfd.valid()) {
    return Error::from_errno(errno, "pidfd_open");
  }
  if (hung_up(socket)) {
    return disconnected_error("the peer is gone");
  }
  return peer;
}

Result<void> check_peer_uid(uint32_t peer_uid, uint32_t own_uid) {
  if (peer_uid != own_uid) {
    return invalid_error("uid " + std::to_string(peer_uid) + " may not use a session of uid " +
                         std::to_string(own_uid));
  }
  return {};
}

Result<void> check_session_directory(const std::string& session_path, uint32_t own_uid) {
  struct stat status {};
  if (lstat(session_path.c_str(), &status) != 0) {
    return Error::from_errno(errno, "look at " + session_path);
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != own_uid || (status.st_mode & 077) != 0) {
    return invalid_error(session_path + " is not a directory of uid " + std::to_string(own_uid) + " with mode 0700");
  }
  return {};
}

Result<UniqueFd> listen_at(const std::string& session_path) {
  SABIR_ASSIGN_OR_RETURN(Address address, address_in(session_path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) {
    return Error::from_errno(errno, "make a socket");
  }
  if (unlinkat(address.directory.get(), kSocketName, 0) != 0 && errno != ENOENT) {
    return Error::from_errno(errno, "remove an old " + session_path + "/" + kSocketName);
  }
  // The file takes its mode from the socket's inode, so there is no moment in which it is wider.
  if (fchmod(socket.get(), 0600) != 0) {
    return Error::from_errno(errno, "set the mode of a socket");
  }
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.address), sizeof(address.address)) != 0) {
    return Error::from_errno(errno, "bind " + session_path + "/" + kSocketName);
  }
  if (listen(socket.get(), kBacklog) != 0) {
    return Error::from_errno(errno, "listen at " + session_path + "/" + kSocketName);
  }
  return socket;
}

Result<UniqueFd> connect_to(const std::string& session_path, int64_t timeout_ns) {
  SABIR_ASSIGN_OR_RETURN(Address address, address_in(session_path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) {
    return Error::from_errno(errno, "make a socket");
  }
  SteadyClock clock;
  int64_t start_ns = clock.now_ns();
  while (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.address), sizeof(address.address)) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) {
      return disconnected_error("no node listens at " + session_path);
    }
    // EAGAIN: the backlog is full, and a Unix socket offers nothing to wait for.
    if (errno != EAGAIN && errno != EINTR) {
      return Error::from_errno(errno, "connect to " + session_path);
    }
    if (clock.now_ns() - start_ns >= timeout_ns) {
      return timeout_error("the node at " + session_path + " accepts no connection");
    }
    timespec pause{0, kConnectRetryNs};
    nanosleep(&pause, nullptr);
  }
  return socket;
}

}  // namespace sabir::rpc
