#include "runtime/rpc/handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/rpc/frame.h"

namespace sabir::rpc {

namespace {

// One handshake's socket and deadline.
class Wire {
 public:
  Wire(int socket, int64_t timeout_ns) : socket_(socket), deadline_ns_(clock_.now_ns() + timeout_ns) {}

  Result<void> send_all(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      ssize_t count = send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) {
        sent += static_cast<size_t>(count);
      } else if (errno == EPIPE || errno == ECONNRESET) {
        // The node may have said why before it closed.
        return {};
      } else {
        SABIR_RETURN_IF_ERROR(wait_after_error(POLLOUT, "send the hello"));
      }
    }
    return {};
  }

  // Descriptors that arrive with these bytes go to `fds`.
  Result<void> receive_all(uint8_t* bytes, size_t size_bytes, std::vector<UniqueFd>& fds) {
    size_t received = 0;
    while (received < size_bytes) {
      iovec part{bytes + received, size_bytes - received};
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kWelcomeFds)];
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof(control);
      ssize_t count = recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (count > 0) {
        received += static_cast<size_t>(count);
        take_fds(message, fds);
        if ((message.msg_flags & MSG_CTRUNC) != 0) {
          return exhausted_error("no room for the node's descriptors: this process has too many open");
        }
      } else if (count == 0 || errno == ECONNRESET) {
        return disconnected_error("the node closed the connection during the handshake");
      } else {
        SABIR_RETURN_IF_ERROR(wait_after_error(POLLIN, "receive the welcome"));
      }
    }
    return {};
  }

 private:
  static void take_fds(msghdr& message, std::vector<UniqueFd>& fds) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
        continue;
      }
      size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < count; ++i) {
        int fd = -1;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
        fds.emplace_back(fd);
      }
    }
  }

  Result<void> wait_after_error(short event, const char* what) {
    if (errno == EINTR) {
      return {};
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      return Error::from_errno(errno, what);
    }
    int64_t left_ns = deadline_ns_ - clock_.now_ns();
    if (left_ns <= 0) {
      return timeout_error("the node did not answer the hello in time");
    }
    pollfd state{socket_, event, 0};
    int timeout_ms = static_cast<int>(std::min<int64_t>(left_ns / kMillisecondNs + 1, 1'000'000));
    // Its outcome is that of the next attempt.
    (void)poll(&state, 1, timeout_ms);
    return {};
  }

  SteadyClock clock_;
  int socket_;
  int64_t deadline_ns_;
};

}  // namespace

Result<WelcomeInfo> shake_hands(int socket, const HelloInfo& hello, int64_t timeout_ns) {
  SABIR_ASSIGN_OR_RETURN(std::string frame, encode_hello(hello));
  Wire wire(socket, timeout_ns);
  SABIR_RETURN_IF_ERROR(wire.send_all(frame));

  std::vector<UniqueFd> fds;
  std::array<uint8_t, kFramePrefixBytes> prefix;
  SABIR_RETURN_IF_ERROR(wire.receive_all(prefix.data(), prefix.size(), fds));
  SABIR_ASSIGN_OR_RETURN(uint32_t size_bytes, decode_prefix(prefix));
  std::string message(size_bytes, '\0');
  SABIR_RETURN_IF_ERROR(wire.receive_all(reinterpret_cast<uint8_t*>(message.data()), message.size(), fds));
  SABIR_ASSIGN_OR_RETURN(WelcomeInfo welcome, decode_welcome(message));

  size_t expected = hello.kind == HelloKind::kObserver ? 0 : kWelcomeFds;
  if (fds.size() != expected) {
    return internal_error("the welcome came with " + std::to_string(fds.size()) + " descriptors");
  }
  if (expected != 0) {
    welcome.node_fd = std::move(fds[0]);
    welcome.calls_fd = std::move(fds[1]);
    welcome.objects_fd = std::move(fds[2]);
    welcome.daemon_doorbell_fd = std::move(fds[3]);
  }
  return welcome;
}

}  // namespace sabir::rpc
