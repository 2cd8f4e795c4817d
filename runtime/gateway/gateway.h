// The gateway of a node: a process beside sabird that has the node's port and carries calls, values and words of node
// managers between nodes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/gateway/peer.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/event_port.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/frame_pipe.h"
#include "runtime/rpc/gateway_messages.h"
#include "runtime/rpc/node_link/node_links.h"

namespace sabir::gateway {

// Belongs to the loop's thread.
class Gateway final : private node_link::LinkHooks, private node_link::Members {
 public:
  // `channel`: the socket to sabird. `session_path`: where its processes join. `self`: its release and the versions of
  // the protocol that it speaks; who it is sabird says. `on_end`: sabird is gone, or this cannot go on.
  Gateway(loop::EventLoop& loop, Logger logger, std::string session_path, UniqueFd channel, node_link::LocalNode self,
          std::function<void(const std::string& why)> on_end);
  ~Gateway() noexcept override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

 private:
  class JoinDesk;
  struct Joiner;

  void receive(std::string_view message);
  void tell(const rpc::FromGateway& message) { pipe_.send(rpc::encode(message)); }
  void fail(const std::string& why);

  // --- orders
  void start(const rpc::StartGateway& start);
  Result<void> prepare(const rpc::StartGateway& start);
  void try_to_listen();
  void join(const rpc::JoinCluster& join);
  void admitted(const rpc::Admitted& admitted);
  void learn(const rpc::Members& members);
  void host(rpc::HostWorker order);
  void answer_joiner(const rpc::JoinAnswer& answer);
  void sweep();

  void retire_peers(const std::function<bool(const rpc::NodeKeyBytes&)>& is_over);
  // Null: it is no member.
  Peer* peer(const node_link::NodeKey& key);
  Result<std::shared_ptr<client::Client>> open_job(const rpc::JobDefinition& job);
  void find_link(const rpc::NodeKeyBytes& node, std::function<void(std::shared_ptr<PeerLink>)> then);

  // --- node_link::LinkHooks
  capnp::Capability::Client service_for(const node_link::NodeKey& peer) override;
  capnp::Capability::Client service_for_joiner(const node_link::Established& joiner) override;
  std::optional<node_link::PeerTarget> target_of(const node_link::NodeKey& peer) override;
  void on_lane(const node_link::NodeKey& peer, node_link::Lane lane, node_link::LinkState state,
               const node_link::Failure& why) override;
  // --- node_link::Members
  bool knows(const node_link::NodeKey& node, const std::optional<node_link::Fingerprint>& fingerprint) const override;
  bool fenced(const node_link::NodeKey& node) const override;

  loop::EventLoop& loop_;
  Logger logger_;
  const std::string session_path_;
  const std::function<void(const std::string&)> on_end_;
  loop::KjLoop kj_loop_;
  SteadyClock clock_;
  std::optional<node_link::Identity> identity_;
  std::optional<node_link::TlsContext> tls_;
  node_link::LocalNode local_;
  node_link::TokenBook tokens_;
  std::map<std::string, rpc::ClusterMember> members_;  // by id: the newest life
  std::unique_ptr<node_link::NodeLinks> links_;
  std::shared_ptr<Gateway*> self_;  // null once this is gone
  NodeObjects objects_;
  std::map<rpc::NodeKeyBytes, std::unique_ptr<Peer>> peers_;
  std::vector<std::unique_ptr<Peer>> retired_;  // until their threads have ended: this loop waits for none
  uint64_t next_joiner_ = 1;
  std::map<uint64_t, kj::Own<kj::PromiseFulfiller<std::string>>> joiners_;  // who wait for sabird's answer
  rpc::StartGateway start_;
  int64_t listen_until_ns_ = 0;
  loop::Timer sweep_;  // only while a peer has something to sweep: a gateway at rest sleeps

  loop::Timer listen_again_;

  // The drivers of this node for jobs of others, by the job's id. Any thread.
  std::mutex jobs_lock_;
  std::map<std::string, std::weak_ptr<client::Client>> jobs_;
  rpc::FramePipe pipe_;
};

node_link::NodeKey key_of(const rpc::NodeKeyBytes& key);

}  // namespace sabir::gateway
