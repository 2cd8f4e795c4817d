#include "runtime/gateway/peer.h"

#include <utility>

namespace sabir::gateway {

using node_link::Lane;
using node_link::LinkState;
using node_link::MessageLane;

rpc::NodeKeyBytes bytes_of(const node_link::NodeKey& key) {
  return {std::string(key.id.bits().view()), key.incarnation};
}

Peer::Peer(loop::EventLoop& loop, node_link::NodeLinks& links, NodeObjects& objects, const node_link::NodeKey& self,
           const node_link::NodeKey& peer, Events events)
    : loop_(loop),
      objects_(objects),
      self_key_(bytes_of(self)),
      peer_key_(bytes_of(peer)),
      events_(std::move(events)),
      self_(std::make_shared<Peer*>(this)),
      lane_(std::make_unique<MessageLane>(
          loop, links, peer,
          MessageLane::Events{
              .received = [this](auto messages, auto done) { received(std::move(messages), std::move(done)); },
              .lost = [this](const std::string& why) { lost(why); }})),
      bulk_(std::make_shared<BulkGate>([&loop, self = self_] {
        loop.post([self] {
          if (Peer* peer = *self; peer != nullptr) {
            peer->lane_->open_bulk([gate = peer->bulk_](const auto& bulk) { gate->opened(bulk); });
          }
        });
      })),
      connection_(connect()),
      thread_([this] { run(); }) {}

Peer::~Peer() noexcept {
  end("the gateway ends");
  thread_.join();
}

void Peer::retire(std::function<void()> ended) {
  ended_ = std::move(ended);
  end("the node is gone");
}

void Peer::end(const std::string& why) {
  if (std::exchange(*self_, nullptr) == nullptr) {
    return;
  }
  lane_.reset();
  ConnectionPtr last = std::move(connection_);
  last->link->end(why);
  bulk_->close(why);
  std::lock_guard guard(lock_);
  tasks_.push_back({std::move(last), [why](Connection& connection) { connection.exchange.peer_lost(why); }});
  over_ = true;
  changed_.notify_one();
}

Peer::ConnectionPtr Peer::connect() {
  auto want_sweep = [&loop = loop_, self = self_] {
    loop.post([self] {
      if (*self != nullptr && !(*self)->sweep_wanted_.exchange(true)) {
        (*self)->events_.want_sweep();
      }
    });
  };
  auto link = std::make_shared<ConnectionLink>(self_key_, peer_key_, lane_->outbox(), bulk_, std::move(want_sweep));
  return std::make_shared<Connection>(std::move(link), clock_, objects_, events_.open_job);
}

// --- The thread that reads

void Peer::queue(std::function<void(Connection&)> task) {
  std::lock_guard guard(lock_);
  tasks_.push_back({connection_, std::move(task)});
  changed_.notify_one();
}

void Peer::run() {
  std::unique_lock held(lock_);
  for (;;) {
    changed_.wait(held, [this] { return over_ || !tasks_.empty(); });
    if (tasks_.empty()) {
      break;
    }
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    held.unlock();
    task.run(*task.connection);
    after_task(*task.connection);
    task = {};  // the last of a connection may take a while to go
    held.lock();
  }
  held.unlock();
  if (ended_) {
    loop_.post(std::move(ended_));
  }
}

void Peer::after_task(Connection& connection) {
  if (!connection.link->is_over() && connection.exchange.has_to_sweep() && !sweep_wanted_.exchange(true)) {
    loop_.post([self = self_] {
      if (*self != nullptr) {
        (*self)->events_.want_sweep();
      }
    });
  }
}

void Peer::received(std::vector<rpc::NodeMessage> messages, std::function<void(Result<void>)> done) {
  // Words of the node manager overtake the rest: who waits too long for one takes a node for dead, and the thread may
  // wait for room in the store.
  std::erase_if(messages, [this](rpc::NodeMessage& message) {
    auto* between = std::get_if<rpc::BetweenMessage>(&message);
    if (between != nullptr) {
      events_.between(std::move(*between));
    }
    return between != nullptr;
  });
  if (messages.empty()) {
    done({});
    return;
  }
  auto batch = std::make_shared<std::vector<rpc::NodeMessage>>(std::move(messages));
  queue([this, batch, done = std::move(done)](Connection& connection) mutable {
    Result<void> taken;
    for (size_t i = 0; i < batch->size() && taken.ok(); ++i) {
      taken = connection.link->is_over() ? Result<void>(disconnected_error("the connection is over"))
                                         : connection.exchange.receive(std::move((*batch)[i]));
    }
    // It is called, and goes, on the loop's thread: KJ's it is.
    loop_.post([done = std::move(done), taken = std::move(taken)] { done(taken); });
  });
}

void Peer::lost(const std::string& why) {
  ConnectionPtr old = std::exchange(connection_, connect());
  old->link->end(why);
  // There, since what ends with it may wait for room in the store.
  std::lock_guard guard(lock_);
  tasks_.push_back({std::move(old), [why](Connection& connection) { connection.exchange.peer_lost(why); }});
  changed_.notify_one();
}

void Peer::export_class(std::function<Result<std::unique_ptr<client::Client>>()> make_worker,
                        ExportedClass::Options options) {
  queue([make_worker = std::move(make_worker), options = std::move(options)](Connection& connection) {
    Result<std::unique_ptr<client::Client>> worker = make_worker();
    if (worker.ok()) {
      connection.exchange.export_class(*std::move(worker), options);
    }
  });
}

void Peer::set_width(uint16_t slot, uint32_t calls) { connection_->exchange.set_width(slot, calls); }

void Peer::kill_actor(const rpc::KillRemoteActor& order) {
  queue([order](Connection& connection) { connection.exchange.kill_actor(order); });
}

void Peer::end_job(uint32_t number) {
  queue([number](Connection& connection) { connection.exchange.end_job(number); });
}

// Its workers leave on that thread: they say so to sabird, and wait for their own threads.
void Peer::sweep() {
  sweep_wanted_ = false;
  if (sweep_queued_.exchange(true)) {
    return;
  }
  queue([this](Connection& connection) {
    sweep_queued_ = false;
    connection.exchange.sweep();
  });
}

// --- Objects

void Peer::on_lane(Lane lane, LinkState state, const std::string& why) {
  if (lane == Lane::kCalls) {
    lane_->on_lane(state, why);
  } else if (state != LinkState::kUp) {
    bulk_->drop();
  }
}

}  // namespace sabir::gateway
