// Addresses of sockets, names that are looked up, and what every socket between nodes is set to.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"
#include "runtime/rpc/node_link/join_string.h"

namespace sabir::node_link {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size_bytes = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  std::string text() const;  // "10.0.0.7:6380", "[::1]:6380"
  // What login failures are counted by: the IPv4 address, or the first 64 bits of an IPv6 address, of which one host
  // may have all.
  std::string network() const;
  uint16_t port() const;
};

using Addresses = std::vector<SocketAddress>;

// Waits for a name server if the host is a name. Never empty.
Result<Addresses> look_up(const HostPort& where);

// The address of this machine that packets to `where` leave from: what a node there can reach it at, unless somebody
// translates addresses between the two. Waits for a name server, sends nothing. kDisconnected: no way leads there.
Result<std::string> own_address_towards(const HostPort& where);

// Looks a name up beside the loop, in a thread of its own (the C library knows no other way, and a name server that
// does not answer takes its time). Numbers need none of that and are answered in the next round. Nothing is called
// after the destructor. Belongs to the loop's thread.
class Lookup {
 public:
  Lookup(loop::EventLoop& loop, const HostPort& where, std::function<void(Result<Addresses>)> on_done);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// A peer that stopped answering is found by the kernel after about this time, whether data is under way or not.
struct SocketOptions {
  int64_t user_timeout_ns = 20'000'000'000;  // TCP_USER_TIMEOUT: data that is not acknowledged
  int64_t keepalive_ns = 20'000'000'000;     // a quarter of idleness, then three probes
};

// Also TCP_NODELAY; and, where the kernel can, attempts to send what was lost at least once a second.
Result<void> prepare_socket(int socket, const SocketOptions& options);
// A listening, non-blocking socket. Port 0: any that is free.
Result<UniqueFd> listen_at(const SocketAddress& address);
// Non-blocking; connected when it is writable, see connect_error().
Result<UniqueFd> start_connect(const SocketAddress& address, const SocketOptions& options);
// 0, or the errno that the connection failed with.
int connect_error(int socket);
SocketAddress local_address(int socket);
SocketAddress peer_address(int socket);

}  // namespace sabir::node_link
