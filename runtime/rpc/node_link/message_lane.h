// MessageLane: the messages of schema/node.capnp between this node and one peer, in batches over the calls lane of a
// link.
#pragma once

#include <capnp/capability.h>
#include <kj/async.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/loop/event_loop.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/node_link/node_links.h"
#include "runtime/rpc/node_messages.h"

namespace sabir::node_link {

// Belongs to the loop's thread. Goes before the links, and not from inside a promise of its own.
class MessageLane final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t kMaxBatchMessages = 512;
  static constexpr size_t kMaxBatchBytes = 1 << 20;
  static constexpr uint32_t kMaxBatchesUnderWay = 16;

  struct Events {
    // What the peer said, in order. `done`, once and from the loop's thread, is the credit for more; an error ends the
    // connection, on both sides.
    std::function<void(std::vector<rpc::NodeMessage> messages, std::function<void(Result<void>)> done)> received;
    // The connection is lost, with everything that was posted and not yet answered, or the lane is closed for good.
    std::function<void(const std::string& why)> lost;
  };

  // What goes out over one connection, that which is up or the next one. When it is lost its outbox is closed and
  // drops what is posted: nothing that belongs to one connection gets into another. Any thread, and for longer than the
  // lane.
  class Outbox {
   public:
    Outbox(loop::EventLoop& loop, std::shared_ptr<MessageLane*> lane) : loop_(loop), lane_(std::move(lane)) {}
    // Opens the connection if there is none. The loop must live unless this is closed.
    void post(rpc::NodeMessage message);

   private:
    friend MessageLane;
    void close();
    bool begin_pump();
    std::vector<rpc::NodeMessage> take_batch();

    loop::EventLoop& loop_;
    const std::shared_ptr<MessageLane*> lane_;
    std::mutex lock_;  // guards these
    std::deque<rpc::NodeMessage> queue_;
    bool pump_posted_ = false;
    bool closed_ = false;
  };

  MessageLane(loop::EventLoop& loop, NodeLinks& links, const NodeKey& peer, Events events);
  ~MessageLane() noexcept(false);
  KJ_DISALLOW_COPY(MessageLane);

  // What the peer may call here, over the connection that is about to come up: for LinkHooks::service_for.
  capnp::Capability::Client service();

  const std::shared_ptr<Outbox>& outbox() const { return outbox_; }
  // The bulk connection to the peer, as soon as there is one; an error if there will be none.
  void open_bulk(const std::function<void(Result<std::shared_ptr<BulkConnection>>)>& opened);
  // From LinkHooks::on_lane, for the calls lane.
  void on_lane(LinkState state, const std::string& why);

 private:
  class Service;

  void pump();
  void connect();
  void send_batch(std::vector<rpc::NodeMessage> batch);
  // Of a batch of the peer's.
  void refuse(uint64_t connection, const Error& why);
  // Nothing can be said any more over the connection, or there is none: it ends, if it is up.
  void fail(const std::string& why);
  void lose(const std::string& why);
  void taskFailed(kj::Exception&& exception) override;

  loop::EventLoop& loop_;
  NodeLinks& links_;
  const NodeKey peer_;
  const Events events_;
  // Null once this is gone: what threads post afterwards finds nothing.
  std::shared_ptr<MessageLane*> self_;
  std::shared_ptr<Outbox> outbox_;
  kj::Maybe<capnp::Capability::Client> peer_service_;
  bool connecting_ = false;
  bool is_up_ = false;       // the lane, by whichever side's dial
  uint64_t connection_ = 0;  // counts up when one is lost
  uint32_t under_way_ = 0;   // batches
  std::string refused_;      // why nothing of this connection is heard any more; empty: it is
  loop::Timer end_timer_;    // leaves a refusal the time to arrive
  kj::TaskSet tasks_;
};

}  // namespace sabir::node_link
