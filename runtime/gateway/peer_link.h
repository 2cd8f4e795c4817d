// To the gateway of one other node, as this folder sees it: messages in order, and the bytes of large values.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "runtime/base/result.h"
#include "runtime/rpc/node_messages.h"

namespace sabir::gateway {

// Every function from any thread; none waits for the peer. When the connection is over, posts are dropped and transfers
// end as disconnected; whoever owns the link tells those who use it (Exchange::peer_lost).
class PeerLink {
 public:
  using OnEnd = std::function<void(Result<void>)>;

  virtual ~PeerLink() = default;

  // For who may need it longer than its owner does.
  virtual std::shared_ptr<PeerLink> share() = 0;

  virtual const rpc::NodeKeyBytes& self() const = 0;  // this node
  virtual const rpc::NodeKeyBytes& peer() const = 0;

  virtual void post(rpc::NodeMessage message) = 0;
  // Something is over, and goes when the exchange is swept.
  virtual void want_sweep() = 0;

  // A transfer to this node: its number, for the peer to send under. `destination` is written until `on_end` is called,
  // by a thread of the link, once.
  virtual uint64_t receive(std::span<uint8_t> destination, OnEnd on_end) = 0;
  // Nobody wants it any more: it ends soon, as cancelled. Of one that has ended or has not begun: nothing.
  virtual void cancel_receive(uint64_t transfer) = 0;
  // A transfer that the peer asked for. `source` is read until `on_end`.
  virtual void send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) = 0;
  // `done` is called once, perhaps at once, when the transfer has ended or will fail at the peer: it is not to believe
  // what it gets from now on. Its `on_end` may come later.
  virtual void cancel_send(uint64_t transfer, std::function<void()> done) = 0;
  virtual void refuse(uint64_t transfer, Error why) = 0;
};

}  // namespace sabir::gateway
