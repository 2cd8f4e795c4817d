#include "runtime/rpc/node_link/testing/test_node.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "runtime/base/check.h"

namespace sabir::node_link {

CapturedLog::CapturedLog() : fd_(memfd_create("log", MFD_CLOEXEC)) { SABIR_CHECK(fd_.valid()); }

std::string CapturedLog::text() const {
  std::string text(1 << 20, '\0');
  ssize_t size_bytes = pread(fd_.get(), text.data(), text.size(), 0);
  text.resize(size_bytes < 0 ? 0 : static_cast<size_t>(size_bytes));
  return text;
}

bool FakeMembers::knows(const NodeKey& node, const std::optional<Fingerprint>& fingerprint) const {
  auto found = known.find(node.id);
  return found != known.end() && (!fingerprint || found->second == *fingerprint);
}

bool FakeMembers::fenced(const NodeKey& node) const {
  auto found = dead_up_to.find(node.id);
  return found != dead_up_to.end() && node.incarnation <= found->second;
}

TestNode::TestNode(loop::EventLoop& loop, bool with_tls, ClusterId cluster, NodePortOptions options)
    : loop(loop),
      identity(Identity::create().value()),
      tls(with_tls ? std::optional(TlsContext::create(identity).value()) : std::nullopt),
      local{.node = {NodeId::random(), 1}, .cluster = cluster, .release = "1.2.3"},
      port(context(), log.logger(), options) {}

LoginContext TestNode::context() { return {loop, tls ? &*tls : nullptr, local, members, tokens, clock, *this}; }

void TestNode::listen(const std::string& host) {
  auto listening = port.listen({host, 0});
  SABIR_CHECK(listening.ok(), listening.error().to_string());
}

HostPort TestNode::address() const { return {"127.0.0.1", port.address().port()}; }

Hello TestNode::hello_to(const TestNode& other, Lane lane) const {
  return {.release = local.release,
          .node = local.node,
          .cluster = local.cluster,
          .lane = lane,
          .expected = other.local.node};
}

Hello TestNode::joining_hello(const Token& token) const {
  return {.release = local.release, .node = {local.node.id, 0}, .token = std::string(token.bytes())};
}

DialTarget TestNode::target() const {
  return {address(), tls ? &*tls : nullptr, tls ? std::optional(identity.fingerprint()) : std::nullopt};
}

Failure TestNode::dial(DialTarget target, const Hello& hello, int64_t timeout_ns) {
  std::optional<Failure> outcome;
  target.tls = target.fingerprint ? &*tls : nullptr;
  Dial dial(loop, std::move(target), hello, {.timeout_ns = timeout_ns},
            [this, &outcome](Failure failure, Established established) {
              dialed = std::move(established);
              outcome = std::move(failure);
            });
  SABIR_CHECK(loop.run_until([&outcome] { return outcome.has_value(); }, 2 * kTestTimeoutNs));
  return *outcome;
}

void TestNode::befriend(TestNode& other) {
  members.known[other.local.node.id] = other.identity.fingerprint();
  other.members.known[local.node.id] = identity.fingerprint();
}

Failure TestNode::on_offer(const NodeKey&, Lane, bool) { return offer_answer; }

void TestNode::on_accepted(Established established) { accepted.push_back(std::move(established)); }

}  // namespace sabir::node_link
