#include "runtime/rpc/node_link/message_lane.h"

#include <kj/debug.h>

#include <utility>

#include "runtime/rpc/convert.h"
#include "runtime/rpc/node_convert.h"

namespace sabir::node_link {

namespace {

// A refused peer has so long to read why, and to end the connection itself.
constexpr int64_t kRefusalNs = 500 * kMillisecondNs;

}  // namespace

// --- What comes

class MessageLane::Service final : public schema::NodeGateway::Server {
 public:
  Service(std::shared_ptr<MessageLane*> lane, uint64_t connection) : lane_(std::move(lane)), connection_(connection) {}

  kj::Promise<void> deliver(DeliverContext call) override {
    MessageLane* lane = *lane_;
    if (lane == nullptr || lane->connection_ != connection_) {
      return KJ_EXCEPTION(DISCONNECTED, "this node does not talk to its peer over this connection any more");
    }
    if (!lane->refused_.empty()) {
      return refusal(lane->refused_);
    }
    std::vector<rpc::NodeMessage> messages;
    for (auto message : call.getParams().getMessages()) {
      Result<rpc::NodeMessage> read = rpc::read(message);
      if (!read.ok()) {
        lane->refuse(connection_, read.error());
        return refusal(read.error().message());
      }
      messages.push_back(*std::move(read));
    }
    auto answer = kj::newPromiseAndFulfiller<void>();
    auto fulfiller = std::make_shared<kj::Own<kj::PromiseFulfiller<void>>>(kj::mv(answer.fulfiller));
    lane->events_.received(std::move(messages),
                           [fulfiller, self = lane_, connection = connection_](const Result<void>& result) {
                             if (result.ok()) {
                               (*fulfiller)->fulfill();
                               return;
                             }
                             (*fulfiller)->reject(refusal(result.error().message()));
                             if (*self != nullptr) {
                               (*self)->refuse(connection, result.error());
                             }
                           });
    return kj::mv(answer.promise);
  }

 private:
  static kj::Exception refusal(const std::string& why) {
    return kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
                         kj::str("the peer refused a message: ", why.c_str()));
  }

  const std::shared_ptr<MessageLane*> lane_;
  const uint64_t connection_;
};

capnp::Capability::Client MessageLane::service() { return kj::heap<Service>(self_, connection_); }

void MessageLane::refuse(uint64_t connection, const Error& why) {
  if (connection == connection_ && refused_.empty()) {
    refused_ = "the peer broke the protocol: " + why.message();
    end_timer_.start_once(kRefusalNs);
  }
}

// --- What goes

void MessageLane::Outbox::post(rpc::NodeMessage message) {
  std::lock_guard guard(lock_);
  if (closed_) {
    return;
  }
  queue_.push_back(std::move(message));
  if (std::exchange(pump_posted_, true)) {
    return;
  }
  loop_.post([lane = lane_] {
    if (*lane != nullptr) {
      (*lane)->pump();
    }
  });
}

void MessageLane::Outbox::close() {
  std::lock_guard guard(lock_);
  closed_ = true;
  queue_.clear();
}

// Whether something waits. What is posted from now on wants a pump of its own.
bool MessageLane::Outbox::begin_pump() {
  std::lock_guard guard(lock_);
  pump_posted_ = false;
  return !queue_.empty();
}

std::vector<rpc::NodeMessage> MessageLane::Outbox::take_batch() {
  std::vector<rpc::NodeMessage> batch;
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
  return batch;
}

MessageLane::MessageLane(loop::EventLoop& loop, NodeLinks& links, const NodeKey& peer, Events events)
    : loop_(loop),
      links_(links),
      peer_(peer),
      events_(std::move(events)),
      self_(std::make_shared<MessageLane*>(this)),
      outbox_(std::make_shared<Outbox>(loop, self_)),
      end_timer_(loop, [this] { fail(refused_); }),
      tasks_(*this) {}

MessageLane::~MessageLane() noexcept(false) {
  *self_ = nullptr;
  outbox_->close();
}

void MessageLane::pump() {
  if (!outbox_->begin_pump()) {
    return;
  }
  if (peer_service_ == nullptr) {
    connect();
    return;
  }
  while (under_way_ < kMaxBatchesUnderWay) {
    std::vector<rpc::NodeMessage> batch = outbox_->take_batch();
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
      [this, connection = connection_](capnp::Capability::Client service) {
        connecting_ = false;
        if (connection == connection_) {
          peer_service_ = kj::mv(service);
        }  // else it is of a connection that was lost meanwhile
        pump();
      },
      [this, connection = connection_](kj::Exception&& exception) {
        connecting_ = false;
        if (connection == connection_) {
          fail(exception.getDescription().cStr());
        } else {
          pump();
        }
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
          fail(exception.getDescription().cStr());
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

// --- Its end

void MessageLane::on_lane(LinkState state, const std::string& why) {
  bool was_up = std::exchange(is_up_, state == LinkState::kUp);
  if (state == LinkState::kClosed || (was_up && state != LinkState::kUp)) {
    lose(why);
  }
}

// Both sides start afresh, or what one has said would be unknown to what the other has begun anew.
void MessageLane::fail(const std::string& why) {
  uint64_t connection = connection_;
  if (Result<NodeLink*> link = links_.link(peer_); is_up_ && link.ok()) {
    (*link)->end(Lane::kCalls, why);  // tells on_lane()
  }
  if (connection == connection_) {
    lose(why);
  }
}

void MessageLane::lose(const std::string& why) {
  ++connection_;
  under_way_ = 0;
  peer_service_ = nullptr;
  refused_.clear();
  end_timer_.stop();
  outbox_->close();
  outbox_ = std::make_shared<Outbox>(loop_, self_);
  events_.lost(why);
}

// Nothing of ours fails: each task has its own answer to that.
void MessageLane::taskFailed(kj::Exception&&) {}

}  // namespace sabir::node_link
