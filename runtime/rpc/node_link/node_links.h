// NodeLinks: all links of a node, and its port. What sabird uses of this folder.
#pragma once

#include <kj/async.h>

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/rpc/node_link/join_string.h"
#include "runtime/rpc/node_link/node_link.h"
#include "runtime/rpc/node_link/node_port.h"

namespace sabir::node_link {

struct NodeLinksOptions {
  NodePortOptions port;
  NodeLinkOptions link;
  uint32_t max_joiners = 256;  // at once
  // Messages of all connections that are read and not answered, or not yet written.
  uint64_t max_total_bytes = 512u << 20;
};

// Belongs to the loop's thread, and goes before the loops and everything that it was given.
class NodeLinks final : public PortHandler {
 public:
  // `tls` null: insecure, which somebody has asked for explicitly and was warned of. `tokens` are empty on a node that
  // is not the head; `token_clock` is that of their ends.
  NodeLinks(loop::EventLoop& loop, loop::KjLoop& kj_loop, const TlsContext* tls, const LocalNode& local,
            const Members& members, const TokenBook& tokens, const Clock& token_clock, LinkHooks& hooks, Logger logger,
            NodeLinksOptions options = {});
  ~NodeLinks() noexcept override;
  KJ_DISALLOW_COPY(NodeLinks);

  // Port 0: any that is free; address() then says which.
  Result<void> listen(const HostPort& where) { return port_.listen(where); }
  SocketAddress address() const { return port_.address(); }

  // The link to this life of a node, made if there is none. kNotFound: the hooks know no such member; kDisconnected: a
  // later life of the node is known. It stays valid until that node is fenced or a later life of it appears.
  Result<NodeLink*> link(const NodeKey& peer);
  // This life of the node, and those before it, are dead: the links to them close for good. (That their hellos are
  // refused is Members' part.)
  void fence(const NodeKey& dead);

  struct Joined {
    NodeKey head;
    ClusterId cluster;
    std::string release;
    capnp::Capability::Client service;  // LinkHooks::service_for_joiner of the head
  };
  // Shows the token at the head. The connection serves nothing here, and stands until the next join or end_join(), or
  // until the head ends it: a joiner uses it to become a member, and talks by links from then on. A failure is
  // (what it is, text) in the exception's description; `last_join_failure()` has it typed.
  kj::Promise<Joined> join(const JoinString& head);
  void end_join();
  const Failure& last_join_failure() const { return join_failure_; }

  size_t link_count() const { return links_.size(); }
  size_t joiner_count() const { return joiners_.size(); }

  Failure on_offer(const NodeKey& peer, Lane lane, bool joiner) override;
  void on_accepted(Established established) override;

 private:
  using Joiners = std::list<kj::Own<CallsConnection>>;

  LinkContext link_context();
  void accept_joiner(Established established);
  void retire(kj::Own<CallsConnection> connection);
  void on_joined(const Failure& failure, Established established);

  loop::EventLoop& loop_;
  loop::KjLoop& kj_loop_;
  const TlsContext* tls_;
  const LocalNode& local_;
  LinkHooks& hooks_;
  Logger logger_;
  NodeLinksOptions options_;
  rpc::MemoryBudget budget_;
  NodePort port_;
  std::unordered_map<NodeId, std::unique_ptr<NodeLink>> links_;
  Joiners joiners_;
  std::unique_ptr<Dial> join_dial_;
  kj::Own<CallsConnection> join_connection_;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<Joined>>> join_waiting_;
  Failure join_failure_;
  // What has ended, until no code of its own runs any more.
  std::vector<std::unique_ptr<NodeLink>> retired_links_;
  std::vector<kj::Own<CallsConnection>> retired_;
  loop::Timer sweep_;
};

}  // namespace sabir::node_link
