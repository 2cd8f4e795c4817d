#include "runtime/rpc/node_link/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/base/clock.h"

namespace sabir::node_link {

namespace {

constexpr int kBacklog = 128;
constexpr size_t kMaxAddresses = 16;
constexpr int kKeepaliveProbes = 3;

Result<Addresses> look_up_with(const HostPort& where, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  int status = getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &list);
  if (status != 0) {
    const char* reason = status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status);
    return not_found_error("look up " + where.host + ": " + reason);
  }
  Addresses addresses;
  for (addrinfo* one = list; one != nullptr && addresses.size() < kMaxAddresses; one = one->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    address.size_bytes = one->ai_addrlen;
    memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
  }
  freeaddrinfo(list);
  if (addresses.empty()) {
    return not_found_error("look up " + where.host + ": it has no address");
  }
  return addresses;
}

constexpr int kTcpRtoMaxMs = 44;  // TCP_RTO_MAX_MS, which the C library does not know yet
constexpr int kMaxResendMs = 1000;

template <typename T>
bool set_option(int socket, int level, int option, T value) {
  return setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

}  // namespace

std::string SocketAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = "?";
  if (storage.ss_family == AF_INET) {
    const auto* address = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &address->sin_addr, buffer, sizeof(buffer));
    return std::string(buffer) + ":" + std::to_string(ntohs(address->sin_port));
  }
  const auto* address = reinterpret_cast<const sockaddr_in6*>(&storage);
  inet_ntop(AF_INET6, &address->sin6_addr, buffer, sizeof(buffer));
  return "[" + std::string(buffer) + "]:" + std::to_string(ntohs(address->sin6_port));
}

std::string SocketAddress::network() const {
  if (storage.ss_family == AF_INET6) {
    const auto* address = reinterpret_cast<const sockaddr_in6*>(&storage);
    const auto* bytes = address->sin6_addr.s6_addr;
    // An IPv4 client of a socket for both.
    return IN6_IS_ADDR_V4MAPPED(&address->sin6_addr) ? std::string(bytes + 12, bytes + 16)
                                                     : std::string(bytes, bytes + 8);
  }
  const auto* address = reinterpret_cast<const sockaddr_in*>(&storage);
  return std::string(reinterpret_cast<const char*>(&address->sin_addr), sizeof(address->sin_addr));
}

uint16_t SocketAddress::port() const {
  // At the same place in both.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

Result<Addresses> look_up(const HostPort& where) { return look_up_with(where, 0); }

Result<std::string> own_address_towards(const HostPort& where) {
  SABIR_ASSIGN_OR_RETURN(Addresses addresses, look_up(where));
  for (const SocketAddress& address : addresses) {
    UniqueFd socket(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    // Of a datagram socket this only asks for the way.
    if (socket.valid() && connect(socket.get(), address.get(), address.size_bytes) == 0) {
      SocketAddress own = local_address(socket.get());
      char host[NI_MAXHOST] = {};
      if (getnameinfo(own.get(), own.size_bytes, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) == 0) {
        return std::string(host);
      }
    }
  }
  return disconnected_error("no way leads from this machine to " + where.text());
}

struct Lookup::State {
  std::mutex mutex;
  loop::EventLoop* loop;  // null: the Lookup is gone
  std::function<void(Result<Addresses>)> on_done;

  // Any thread.
  static void answer(const std::shared_ptr<State>& state, Result<Addresses> result) {
    std::lock_guard lock(state->mutex);
    if (state->loop != nullptr) {
      state->loop->post([state, result = std::move(result)]() mutable {
        // On the loop's thread, where the Lookup also goes: no lock is held while the callback runs.
        if (state->loop != nullptr) {
          std::exchange(state->on_done, nullptr)(std::move(result));
        }
      });
    }
  }
};

Lookup::Lookup(loop::EventLoop& loop, const HostPort& where, std::function<void(Result<Addresses>)> on_done)
    : state_(std::make_shared<State>()) {
  state_->loop = &loop;
  state_->on_done = std::move(on_done);
  Result<Addresses> numeric = look_up_with(where, AI_NUMERICHOST);
  if (numeric.ok()) {
    State::answer(state_, std::move(numeric));
    return;
  }
  std::thread([state = state_, where] { State::answer(state, look_up_with(where, 0)); }).detach();
}

Lookup::~Lookup() {
  std::lock_guard lock(state_->mutex);
  state_->loop = nullptr;
}

Result<void> prepare_socket(int socket, const SocketOptions& options) {
  auto user_timeout_ms = static_cast<unsigned>(options.user_timeout_ns / kMillisecondNs);
  // In whole seconds; the probes follow after a quarter of the time.
  auto keepalive_s = static_cast<int>(options.keepalive_ns / kSecondNs);
  int quarter_s = std::max(1, keepalive_s / 4);
  if (!set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1) || !set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1) ||
      !set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, quarter_s) ||
      !set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, quarter_s) ||
      !set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes) ||
      !set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms)) {
    return Error::from_errno(errno, "set options of a socket");
  }
  // Since Linux 6.15; without it the kernel doubles the time between two attempts to send what was lost, and a link
  // that was down for 7 s may stay silent for more than the 10 s after which its peer counts as dead.
  set_option(socket, IPPROTO_TCP, kTcpRtoMaxMs, kMaxResendMs);
  return {};
}

Result<UniqueFd> listen_at(const SocketAddress& address) {
  UniqueFd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) {
    return Error::from_errno(errno, "make a socket");
  }
  // A node that was restarted does not wait for what its predecessor left in the kernel.
  if (!set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1) ||
      bind(socket.get(), address.get(), address.size_bytes) != 0 || listen(socket.get(), kBacklog) != 0) {
    return Error::from_errno(errno, "listen at " + address.text());
  }
  return socket;
}

Result<UniqueFd> start_connect(const SocketAddress& address, const SocketOptions& options) {
  UniqueFd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) {
    return Error::from_errno(errno, "make a socket");
  }
  SABIR_RETURN_IF_ERROR(prepare_socket(socket.get(), options));
  if (connect(socket.get(), address.get(), address.size_bytes) != 0 && errno != EINPROGRESS) {
    return Error::from_errno(errno, "connect to " + address.text());
  }
  return socket;
}

int connect_error(int socket) {
  int error_number = 0;
  socklen_t size_bytes = sizeof(error_number);
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error_number, &size_bytes) == 0 ? error_number : errno;
}

SocketAddress local_address(int socket) {
  SocketAddress address;
  address.size_bytes = sizeof(address.storage);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.size_bytes);
  return address;
}

SocketAddress peer_address(int socket) {
  SocketAddress address;
  address.size_bytes = sizeof(address.storage);
  getpeername(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.size_bytes);
  return address;
}

}  // namespace sabir::node_link
