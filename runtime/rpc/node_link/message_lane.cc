#include "runtime/rpc/node_link/message_lane.h"

#include <kj/debug.h>

#include <utility>

#include "runtime/rpc/convert.h"
#include "runtime/rpc/node_convert.h"

namespace sabir::node_link {

class MessageLane::Service final : public schema::NodeGateway::Server {
 public:
  explicit Service(std::shared_ptr<MessageLane*> lane) : lane_(std::move(lane)) {}

  kj::Promise<void> deliver(DeliverContext call) override {
    if (*lane_ == nullptr) {
      return KJ_EXCEPTION(DISCONNECTED, "this node does not talk to its peer any more");
    }
    std::vector<rpc::NodeMessage> messages;
    for (auto message : call.getParams().getMessages()) {
      Result<rpc::NodeMessage> read = rpc::read(message);
      if (!read.ok()) {
        return KJ_EXCEPTION(FAILED, "a malformed message", read.error().message().c_str());
      }
      messages.push_back(*std::move(read));
    }
    auto answer = kj::newPromiseAndFulfiller<void>();
    auto fulfiller = std::make_shared<kj::Own<kj::PromiseFulfiller<void>>>(kj::mv(answer.fulfiller));
    (*lane_)->events_.received(std::move(messages), [fulfiller](const Result<void>& result) {
      if (result.ok()) {
        (*fulfiller)->fulfill();
      } else {
        (*fulfiller)->reject(KJ_EXCEPTION(FAILED, "refused", result.error().message().c_str()));
      }
    });
    return kj::mv(answer.promise);
  }

 private:
  std::shared_ptr<MessageLane*> lane_;
};

MessageLane::MessageLane(loop::EventLoop& loop, NodeLinks& links, const NodeKey& peer, Events events)
    : loop_(loop),
      links_(links),
      peer_(peer),
      events_(std::move(events)),
      self_(std::make_shared<MessageLane*>(this)),
      tasks_(*this) {}

MessageLane::~MessageLane() noexcept(false) { *self_ = nullptr; }

capnp::Capability::Client MessageLane::service() { return kj::heap<Service>(self_); }

void MessageLane::post(rpc::NodeMessage message) {
  {
    std::lock_guard guard(lock_);
    queue_.push_back(std::move(message));
    if (std::exchange(pump_posted_, true)) {
      return;
    }
  }
  loop_.post([self = self_] {
    if (*self != nullptr) {
      (*self)->pump();
    }
  });
}

void MessageLane::pump() {
  {
    std::lock_guard guard(lock_);
    pump_posted_ = false;
  }
  if (peer_service_ == nullptr) {
    connect();
    return;
  }
  while (under_way_ < kMaxBatchesUnderWay) {
    std::vector<rpc::NodeMessage> batch;
    {
      std::lock_guard guard(lock_);
      size_t bytes = 0;
      while (!queue_.empty() && batch.size() < kMaxBatchMessages) {
        bytes += rpc::size_bytes(queue_.front());
        if (!batch.empty() && bytes > kMaxBatchBytes) {
          break;
        }
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    if (batch.empty()) {
      return;
    }
    send_batch(std::move(batch));
  }
}

void MessageLane::connect() {
  if (std::exchange(connecting_, true)) {
    return;
  }
  Result<NodeLink*> link = links_.link(peer_);
  if (!link.ok()) {
    connecting_ = false;
    lose(link.error().message());
    return;
  }
  tasks_.add((*link)->calls().then(
      [this](capnp::Capability::Client service) {
        connecting_ = false;
        peer_service_ = kj::mv(service);
        pump();
      },
      [this](kj::Exception&& exception) {
        connecting_ = false;
        lose(exception.getDescription().cStr());
      }));
}

void MessageLane::send_batch(std::vector<rpc::NodeMessage> batch) {
  auto request = KJ_ASSERT_NONNULL(peer_service_).castAs<schema::NodeGateway>().deliverRequest();
  auto messages = request.initMessages(static_cast<kj::uint>(batch.size()));
  for (kj::uint i = 0; i < messages.size(); ++i) {
    rpc::write(batch[i], messages[i]);
  }
  ++under_way_;
  tasks_.add(request.send().then(
      [this, connection = connection_](auto&&) {
        if (connection == connection_) {
          --under_way_;
          pump();
        }
      },
      [this, connection = connection_](kj::Exception&& exception) {
        if (connection == connection_) {
          lose(exception.getDescription().cStr());
        }
      }));
}

void MessageLane::open_bulk(const std::function<void(Result<std::shared_ptr<BulkConnection>>)>& opened) {
  Result<NodeLink*> link = links_.link(peer_);
  if (!link.ok()) {
    opened(std::move(link).error());
    return;
  }
  tasks_.add((*link)->bulk().then(
      [opened](std::shared_ptr<BulkConnection> bulk) { opened(std::move(bulk)); },
      [opened](kj::Exception&& exception) { opened(disconnected_error(exception.getDescription().cStr())); }));
}

void MessageLane::on_lane(LinkState state, const std::string& why) {
  bool was_up = std::exchange(is_up_, state == LinkState::kUp);
  if (state == LinkState::kClosed || (was_up && state != LinkState::kUp)) {
    lose(why);
  }
}

void MessageLane::lose(const std::string& why) {
  ++connection_;
  under_way_ = 0;
  peer_service_ = nullptr;
  {
    std::lock_guard guard(lock_);
    queue_.clear();
  }
  events_.lost(why);
}

// Nothing of ours fails: each task has its own answer to that.
void MessageLane::taskFailed(kj::Exception&&) {}

}  // namespace sabir::node_link
