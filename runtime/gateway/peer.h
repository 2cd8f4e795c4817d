// One other node: the link to it, and the exchange of calls over that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/gateway/bulk_gate.h"
#include "runtime/gateway/connection_link.h"
#include "runtime/gateway/exchange.h"
#include "runtime/rpc/node_link/message_lane.h"

namespace sabir::gateway {

// Belongs to the loop's thread.
class Peer final {
 public:
  struct Events {
    Exchange::OpenJob open_job;
    // From the peer's node manager; on the loop's thread.
    std::function<void(rpc::BetweenMessage)> between;
    // There is something to sweep; on the loop's thread, at most once until sweep() is called.
    std::function<void()> want_sweep;
  };

  // `objects` must outlive it.
  Peer(loop::EventLoop& loop, node_link::NodeLinks& links, NodeObjects& objects, const node_link::NodeKey& self,
       const node_link::NodeKey& peer, Events events);
  // Waits for its thread, which may wait for this node's sabird or store, for up to a minute: see retire().
  ~Peer() noexcept;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Everything under way is lost and nothing is said or heard any more. `ended` is called from the loop when this can
  // be destroyed without waiting. Not from inside one of its events.
  void retire(std::function<void()> ended);

  capnp::Capability::Client service() { return lane_->service(); }
  // From LinkHooks::on_lane.
  void on_lane(node_link::Lane lane, node_link::LinkState state, const std::string& why);

  // The link as it is now; it ends with the connection.
  std::shared_ptr<PeerLink> link() const { return connection_->link; }

  // Of the node manager, to the peer's.
  void post(rpc::BetweenMessage message) { lane_->outbox()->post(std::move(message)); }
  // Makes a worker, which may take a while, and exports what it is to claim.
  void export_class(std::function<Result<std::unique_ptr<client::Client>>()> make_worker,
                    ExportedClass::Options options);
  void set_width(uint16_t slot, uint32_t calls);
  void kill_actor(const rpc::KillRemoteActor& order);
  void end_job(uint32_t number);
  // Nothing if the last one has not come to its end.
  void sweep();

 private:
  // One per connection: when that is lost, everything that it has ends.
  struct Connection {
    Connection(std::shared_ptr<ConnectionLink> link, const Clock& clock, NodeObjects& objects,
               Exchange::OpenJob open_job)
        : link(std::move(link)), exchange(*this->link, clock, objects, std::move(open_job)) {}
    const std::shared_ptr<ConnectionLink> link;
    Exchange exchange;
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  ConnectionPtr connect();
  void queue(std::function<void(Connection&)> task);
  void run();
  void after_task(Connection& connection);
  void received(std::vector<rpc::NodeMessage> messages, std::function<void(Result<void>)> done);
  void lost(const std::string& why);
  void end(const std::string& why);

  loop::EventLoop& loop_;
  NodeObjects& objects_;
  const rpc::NodeKeyBytes self_key_;
  const rpc::NodeKeyBytes peer_key_;
  const Events events_;
  SteadyClock clock_;
  std::shared_ptr<Peer*> self_;  // null once this is retired
  std::unique_ptr<node_link::MessageLane> lane_;
  std::shared_ptr<BulkGate> bulk_;
  ConnectionPtr connection_;
  std::function<void()> ended_;
  std::atomic<bool> sweep_queued_{false};
  std::atomic<bool> sweep_wanted_{false};

  std::mutex lock_;  // guards these
  std::condition_variable changed_;
  // For the thread below: it reads the messages, in order, and may wait for this node's sabird. Bounded by the credit
  // of the peer, and by what sabird orders.
  struct Task {
    ConnectionPtr connection;
    std::function<void(Connection&)> run;
  };
  std::deque<Task> tasks_;
  bool over_ = false;
  std::thread thread_;
};

rpc::NodeKeyBytes bytes_of(const node_link::NodeKey& key);

}  // namespace sabir::gateway
