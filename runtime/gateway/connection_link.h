// One connection to a peer, for the exchange that lives as long as it does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/gateway/bulk_gate.h"
#include "runtime/gateway/peer_link.h"
#include "runtime/rpc/node_link/message_lane.h"

namespace sabir::gateway {

// Any thread. Once it has ended, posts are dropped and transfers end as disconnected: nothing of an exchange that is
// over gets into the next one's connection, and nothing of it waits for what will not come.
class ConnectionLink final : public PeerLink, public std::enable_shared_from_this<ConnectionLink> {
 public:
  ConnectionLink(rpc::NodeKeyBytes self, rpc::NodeKeyBytes peer, std::shared_ptr<node_link::MessageLane::Outbox> outbox,
                 std::shared_ptr<BulkGate> bulk, std::function<void()> want_sweep)
      : self_(std::move(self)),
        peer_(std::move(peer)),
        want_sweep_(std::move(want_sweep)),
        outbox_(std::move(outbox)),
        bulk_(std::move(bulk)) {}

  std::shared_ptr<PeerLink> share() override { return shared_from_this(); }
  const rpc::NodeKeyBytes& self() const override { return self_; }
  const rpc::NodeKeyBytes& peer() const override { return peer_; }
  void want_sweep() override { want_sweep_(); }
  void post(rpc::NodeMessage message) override { outbox_->post(std::move(message)); }
  uint64_t receive(std::span<uint8_t> destination, OnEnd on_end) override;
  void cancel_receive(uint64_t transfer) override;
  void send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) override;
  void cancel_send(uint64_t transfer, std::function<void()> done) override;
  void refuse(uint64_t transfer, Error why) override;

  // The connection is over: transfers to this node are cancelled, though the bulk connection may go on.
  void end(const std::string& why);
  bool is_over();

 private:
  void begin(uint64_t transfer, std::span<uint8_t> destination, const OnEnd& on_end,
             Result<std::shared_ptr<BulkGate::Bulk>> bulk);
  void ended(uint64_t transfer);
  void begin_send(uint64_t transfer, std::span<const uint8_t> source, const OnEnd& on_end,
                  Result<std::shared_ptr<BulkGate::Bulk>> bulk);
  void send_ended(uint64_t transfer);

  const rpc::NodeKeyBytes self_;
  const rpc::NodeKeyBytes peer_;
  const std::function<void()> want_sweep_;
  const std::shared_ptr<node_link::MessageLane::Outbox> outbox_;
  const std::shared_ptr<BulkGate> bulk_;
  std::mutex lock_;  // guards these
  bool over_ = false;
  std::map<uint64_t, std::shared_ptr<BulkGate::Bulk>> receiving_;
  struct Sending {
    std::shared_ptr<BulkGate::Bulk> bulk;        // null: it waits for the connection
    bool begun = false;                          // the connection knows of it
    std::vector<std::function<void()>> cancels;  // that came before it did
  };
  // Also whose it is what waits in the gate to be sent: who sends may have a lock that ends of receives take, and must
  // not run into those.
  std::map<uint64_t, Sending> sending_;
};

}  // namespace sabir::gateway
