// Dial: a connection to a node, from its address to the answer to our hello.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/loop/event_loop.h"
#include "runtime/rpc/node_link/address.h"
#include "runtime/rpc/node_link/gatekeeper.h"
#include "runtime/rpc/node_link/hello.h"
#include "runtime/rpc/node_link/login_io.h"
#include "runtime/rpc/node_link/tls.h"

namespace sabir::node_link {

// A connection that both sides have agreed on.
struct Established {
  std::unique_ptr<Wire> wire;
  NodeKey peer;
  std::optional<Fingerprint> fingerprint;  // none without TLS
  SocketAddress address;                   // the peer's end
  std::string release;                     // the peer's
  ClusterId cluster;
  uint32_t version = 0;
  Lane lane = Lane::kCalls;
  bool joiner = false;  // accepted by its token
};

struct DialTarget {
  HostPort address;
  // Both or neither: neither is plain TCP.
  const TlsContext* tls = nullptr;
  std::optional<Fingerprint> fingerprint;
};

struct DialOptions {
  int64_t timeout_ns = 10'000'000'000;         // for all of it
  int64_t connect_timeout_ns = 3'000'000'000;  // for one address of several
  SocketOptions socket;
};

// Calls back once, from the loop, with a connection or with why there is none. Destroying it, also from inside the
// callback, ends it. Goes before the loop.
class Dial {
 public:
  using Done = std::function<void(Failure, Established)>;

  Dial(loop::EventLoop& loop, DialTarget target, Hello hello, DialOptions options, Done done);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

 private:
  void try_next();
  void on_connected(bool ready);
  void on_handshake(Failure failure);
  void on_welcome(Failure failure, const std::string& message);
  void end(Failure failure, Established established = {});

  loop::EventLoop& loop_;
  DialTarget target_;
  Hello hello_;
  DialOptions options_;
  Done done_;
  LoginIo io_;
  loop::Timer deadline_;
  loop::Timer connect_deadline_;
  std::optional<Lookup> lookup_;
  Addresses addresses_;
  size_t next_ = 0;
  UniqueFd socket_;  // until it is connected
  std::unique_ptr<loop::FdWatcher> watcher_;
  Failure last_;
};

}  // namespace sabir::node_link
