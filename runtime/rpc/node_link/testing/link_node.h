// LinkNode: a node with its links, for tests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/loop/testing/echo.capnp.h"
#include "runtime/rpc/node_link/node_links.h"
#include "runtime/rpc/node_link/testing/test_node.h"

namespace sabir::node_link {

// Serves an echo that starts with its name.
class LinkNode : public LinkHooks {
 public:
  static NodeLinksOptions quick_options();

  LinkNode(loop::EventLoop& loop, loop::KjLoop& kj_loop, std::string name, ClusterId cluster, bool with_tls = true,
           NodeLinksOptions options = quick_options());

  void listen();
  HostPort address() const { return {"127.0.0.1", links->address().port()}; }
  // Knows `other` as a member, and where it is.
  void know(const LinkNode& other, const std::optional<HostPort>& address = {});
  // From now on the next life of this node.
  void restart();
  JoinString join_string(const Token& token) const;

  capnp::Capability::Client service_for(const NodeKey& peer) override;
  capnp::Capability::Client service_for_joiner(const Established& joiner) override;
  std::optional<PeerTarget> target_of(const NodeKey& peer) override;
  void on_lane(const NodeKey& peer, Lane lane, LinkState state, const Failure& why) override;

  loop::EventLoop& loop;
  loop::KjLoop& kj_loop;
  std::string name;
  Identity identity;
  std::optional<TlsContext> tls;
  LocalNode local;
  FakeMembers members;
  std::map<NodeId, PeerTarget> targets;
  TokenBook tokens;
  ManualClock token_clock;
  CapturedLog log;
  NodeLinksOptions options;
  std::vector<std::pair<Lane, LinkState>> lanes;  // as they were told
  std::unique_ptr<NodeLinks> links;
};

}  // namespace sabir::node_link
