#include "runtime/rpc/node_link/testing/link_node.h"

#include "runtime/base/check.h"

namespace sabir::node_link {

namespace {

class EchoServer final : public loop::Echo::Server {
 public:
  explicit EchoServer(std::string name) : name_(std::move(name)) {}

 protected:
  kj::Promise<void> say(SayContext context) override {
    context.getResults().setText(kj::str(name_.c_str(), context.getParams().getText()));
    return kj::READY_NOW;
  }

 private:
  std::string name_;
};

}  // namespace

NodeLinksOptions LinkNode::quick_options() {
  NodeLinksOptions options;
  options.link.link = {.first_delay_ns = 20 * kMillisecondNs,
                       .max_delay_ns = 200 * kMillisecondNs,
                       .cross_window_ns = 200 * kMillisecondNs};
  options.link.dial.timeout_ns = kSecondNs;
  options.link.calls.keep_alive = {.ping_after_ns = 100 * kMillisecondNs, .dead_after_ns = kSecondNs};
  options.link.bulk.progress_timeout_ns = kSecondNs;
  return options;
}

LinkNode::LinkNode(loop::EventLoop& loop, loop::KjLoop& kj_loop, std::string name, ClusterId cluster, bool with_tls,
                   NodeLinksOptions options)
    : loop(loop),
      kj_loop(kj_loop),
      name(std::move(name)),
      identity(Identity::create().value()),
      tls(with_tls ? std::optional(TlsContext::create(identity).value()) : std::nullopt),
      local{.node = {NodeId::random(), 1}, .cluster = cluster, .release = "1.2.3"},
      options(options) {
  restart();
  local.node.incarnation = 1;
}

void LinkNode::restart() {
  links.reset();
  ++local.node.incarnation;
  links = std::make_unique<NodeLinks>(loop, kj_loop, tls ? &*tls : nullptr, local, members, tokens, token_clock, *this,
                                      log.logger(), options);
}

void LinkNode::listen() {
  auto listening = links->listen({"127.0.0.1", 0});
  SABIR_CHECK(listening.ok(), listening.error().to_string());
}

void LinkNode::know(const LinkNode& other, const std::optional<HostPort>& address) {
  members.known[other.local.node.id] = other.identity.fingerprint();
  targets.insert_or_assign(other.local.node.id,
                           PeerTarget{other.local.node, address.value_or(other.address()),
                                      other.tls ? std::optional(other.identity.fingerprint()) : std::nullopt});
}

JoinString LinkNode::join_string(const Token& token) const {
  return {address(), token, tls ? std::optional(identity.fingerprint()) : std::nullopt};
}

capnp::Capability::Client LinkNode::service_for(const NodeKey&) { return kj::heap<EchoServer>(name + ": "); }

capnp::Capability::Client LinkNode::service_for_joiner(const Established& joiner) {
  return kj::heap<EchoServer>(name + " to the joiner " + joiner.peer.text() + ": ");
}

std::optional<PeerTarget> LinkNode::target_of(const NodeKey& peer) {
  auto found = targets.find(peer.id);
  return found != targets.end() && found->second.node == peer ? std::optional(found->second) : std::nullopt;
}

void LinkNode::on_lane(const NodeKey&, Lane lane, LinkState state, const Failure&) { lanes.emplace_back(lane, state); }

}  // namespace sabir::node_link
