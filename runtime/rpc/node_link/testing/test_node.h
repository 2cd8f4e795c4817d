// TestNode: a node's port with everything that it needs, for tests: members and tokens to set, logins to look at.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/loop/event_loop.h"
#include "runtime/rpc/node_link/dial.h"
#include "runtime/rpc/node_link/node_port.h"

namespace sabir::node_link {

inline constexpr int64_t kTestTimeoutNs = 20 * kSecondNs;

// What a logger wrote, in a file without a name.
class CapturedLog {
 public:
  CapturedLog();
  Logger logger() const { return {fd_.get(), LogLevel::kInfo, "test"}; }
  std::string text() const;

 private:
  UniqueFd fd_;
};

class FakeMembers final : public Members {
 public:
  bool knows(const NodeKey& node, const std::optional<Fingerprint>& fingerprint) const override;
  bool fenced(const NodeKey& node) const override;

  std::map<NodeId, Fingerprint> known;
  std::map<NodeId, uint64_t> dead_up_to;  // incarnations
};

class TestNode final : public PortHandler {
 public:
  // `tls` false: as after --insecure.
  explicit TestNode(loop::EventLoop& loop, bool tls = true, ClusterId cluster = ClusterId::random(),
                    NodePortOptions options = {});

  LoginContext context();
  void listen(const std::string& host = "127.0.0.1");
  HostPort address() const;

  // What a member says that dials `other`.
  Hello hello_to(const TestNode& other, Lane lane = Lane::kCalls) const;
  Hello joining_hello(const Token& token) const;
  DialTarget target() const;  // with this node's fingerprint, if it has TLS
  // Dials with this node's certificate and runs the loop until there is an outcome.
  Failure dial(DialTarget target, const Hello& hello, int64_t timeout_ns = kTestTimeoutNs);
  // Each knows the other from now on.
  void befriend(TestNode& other);

  Failure on_offer(const NodeKey& peer, Lane lane, bool joiner) override;
  void on_accepted(Established established) override;

  loop::EventLoop& loop;
  Identity identity;
  std::optional<TlsContext> tls;
  LocalNode local;
  FakeMembers members;
  TokenBook tokens;
  ManualClock clock;
  CapturedLog log;
  NodePort port;
  Failure offer_answer;
  std::vector<Established> accepted;
  Established dialed;  // by the last dial()
};

}  // namespace sabir::node_link
