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

#include "runtime/gateway/exchange.h"
#include "runtime/gateway/peer_link.h"
#include "runtime/rpc/node_link/message_lane.h"

namespace sabir::gateway {

// Belongs to the loop's thread, but for what says otherwise.
class Peer final : public PeerLink {
 public:
  struct Events {
    std::function<Result<std::shared_ptr<client::Client>>(const rpc::JobDefinition&)> open_job;
    // From the peer's node manager; on the loop's thread.
    std::function<void(std::string)> between;
  };

  Peer(loop::EventLoop& loop, node_link::NodeLinks& links, const node_link::NodeKey& key, Events events);
  // Everything under way is lost.
  ~Peer() noexcept override;

  capnp::Capability::Client service() { return lane_.service(); }
  // From LinkHooks::on_lane.
  void on_lane(node_link::Lane lane, node_link::LinkState state, const std::string& why);

  // Makes a worker, which may take a while, and exports what it is to claim.
  void export_class(std::function<Result<std::unique_ptr<client::Client>>()> make_worker,
                    ExportedClass::Options options);
  void set_width(uint16_t slot, uint32_t calls);
  void end_job(uint32_t number);
  void sweep();

  // --- PeerLink; any thread
  void post(rpc::NodeMessage message) override { lane_.post(std::move(message)); }
  uint64_t receive(std::span<uint8_t> destination, OnEnd on_end) override;
  void send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) override;
  void refuse(uint64_t transfer, Error why) override;

 private:
  using MessageLane = node_link::MessageLane;
  using Bulk = node_link::BulkConnection;

  void queue(std::function<void()> task);
  void run();
  void received(std::vector<rpc::NodeMessage> messages, std::function<void(Result<void>)> done);
  void lost(const std::string& why);
  void open_bulk();
  void with_bulk(std::function<void(Result<std::shared_ptr<Bulk>>)> task);
  std::shared_ptr<Exchange> make_exchange();

  loop::EventLoop& loop_;
  node_link::NodeLinks& links_;
  const node_link::NodeKey key_;
  const Events events_;
  std::shared_ptr<Peer*> self_;  // null once this is gone
  MessageLane lane_;
  // One per connection: when that is lost, everything that it has ends.
  std::shared_ptr<Exchange> exchange_;
  std::atomic<uint64_t> next_transfer_{1};

  std::mutex lock_;  // guards these
  std::condition_variable changed_;
  // For the thread below: it reads the messages, in order, and may wait for this node's sabird.
  std::deque<std::function<void()>> tasks_;
  std::shared_ptr<Bulk> bulk_;
  bool opening_bulk_ = false;
  std::vector<std::function<void(Result<std::shared_ptr<Bulk>>)>> waiting_for_bulk_;  // bounded by the calls under way
  bool over_ = false;
  std::thread thread_;
};

}  // namespace sabir::gateway
