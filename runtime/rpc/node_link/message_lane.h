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
#include "runtime/rpc/node_link/node_links.h"
#include "runtime/rpc/node_messages.h"

namespace sabir::node_link {

// Belongs to the loop's thread, but for post(). Goes before the links.
class MessageLane final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t kMaxBatchMessages = 512;
  static constexpr size_t kMaxBatchBytes = 1 << 20;
  static constexpr uint32_t kMaxBatchesUnderWay = 16;

  struct Events {
    // What the peer said, in order. `done`, once and from the loop's thread, is the credit for more; an error ends the
    // connection.
    std::function<void(std::vector<rpc::NodeMessage> messages, std::function<void(Result<void>)> done)> received;
    // The connection is lost, with everything that was posted and not yet answered, or the lane is closed for good.
    std::function<void(const std::string& why)> lost;
  };

  MessageLane(loop::EventLoop& loop, NodeLinks& links, const NodeKey& peer, Events events);
  ~MessageLane() noexcept(false);
  KJ_DISALLOW_COPY(MessageLane);

  // What the peer may call here: for LinkHooks::service_for.
  capnp::Capability::Client service();

  // Any thread. Opens the connection if there is none.
  void post(rpc::NodeMessage message);
  // The bulk connection to the peer, as soon as there is one; an error if there will be none.
  void open_bulk(const std::function<void(Result<std::shared_ptr<BulkConnection>>)>& opened);
  // From LinkHooks::on_lane, for the calls lane.
  void on_lane(LinkState state, const std::string& why);

 private:
  class Service;

  void pump();
  void connect();
  void send_batch(std::vector<rpc::NodeMessage> batch);
  void lose(const std::string& why);
  void taskFailed(kj::Exception&& exception) override;

  loop::EventLoop& loop_;
  NodeLinks& links_;
  const NodeKey peer_;
  const Events events_;
  // Null once this is gone: what threads post afterwards finds nothing.
  std::shared_ptr<MessageLane*> self_;
  kj::Maybe<capnp::Capability::Client> peer_service_;
  bool connecting_ = false;
  bool is_up_ = false;       // the lane, by whichever side's dial
  uint64_t connection_ = 0;  // counts up when one is lost
  uint32_t under_way_ = 0;   // batches
  kj::TaskSet tasks_;

  std::mutex lock_;  // guards these
  std::deque<rpc::NodeMessage> queue_;
  bool pump_posted_ = false;
};

}  // namespace sabir::node_link
