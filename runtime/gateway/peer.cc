#include "runtime/gateway/peer.h"

#include <utility>

namespace sabir::gateway {

using node_link::Lane;
using node_link::LinkState;

Peer::Peer(loop::EventLoop& loop, node_link::NodeLinks& links, const node_link::NodeKey& key, Events events)
    : loop_(loop),
      links_(links),
      key_(key),
      events_(std::move(events)),
      self_(std::make_shared<Peer*>(this)),
      lane_(loop, links, key,
            {.received = [this](auto messages, auto done) { received(std::move(messages), std::move(done)); },
             .lost = [this](const std::string& why) { lost(why); }}),
      exchange_(make_exchange()),
      thread_([this] { run(); }) {}

Peer::~Peer() noexcept {
  *self_ = nullptr;
  lost("the gateway ends");
  {
    std::lock_guard guard(lock_);
    over_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::shared_ptr<Exchange> Peer::make_exchange() {
  auto between = [&loop = loop_, self = self_](std::string bytes) {
    loop.post([self, bytes = std::move(bytes)] {
      if (*self != nullptr) {
        (*self)->events_.between(bytes);
      }
    });
  };
  return std::make_shared<Exchange>(*this, Exchange::Events{events_.open_job, std::move(between)});
}

// --- The thread that reads

void Peer::queue(std::function<void()> task) {
  std::lock_guard guard(lock_);
  tasks_.push_back(std::move(task));
  changed_.notify_one();
}

void Peer::run() {
  std::unique_lock held(lock_);
  for (;;) {
    changed_.wait(held, [this] { return over_ || !tasks_.empty(); });
    if (tasks_.empty()) {
      return;
    }
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    held.unlock();
    task();
    task = nullptr;
    held.lock();
  }
}

void Peer::received(std::vector<rpc::NodeMessage> messages, std::function<void(Result<void>)> done) {
  auto batch = std::make_shared<std::vector<rpc::NodeMessage>>(std::move(messages));
  queue([this, batch, done = std::move(done), exchange = exchange_] {
    Result<void> taken;
    for (size_t i = 0; i < batch->size() && taken.ok(); ++i) {
      taken = exchange->receive(std::move((*batch)[i]));
    }
    loop_.post([done, taken] { done(taken); });
  });
}

void Peer::lost(const std::string& why) {
  std::shared_ptr<Exchange> old = std::exchange(exchange_, make_exchange());
  std::vector<std::function<void(Result<std::shared_ptr<Bulk>>)>> waiting;
  {
    std::lock_guard guard(lock_);
    waiting.swap(waiting_for_bulk_);
  }
  // There, since what ends with them may wait for room in the store.
  queue([old, why, waiting = std::move(waiting)] {
    for (const auto& task : waiting) {
      task(disconnected_error(why));
    }
    old->peer_lost(why);
  });
}

void Peer::export_class(std::function<Result<std::unique_ptr<client::Client>>()> make_worker,
                        ExportedClass::Options options) {
  queue([exchange = exchange_, make_worker = std::move(make_worker), options = std::move(options)] {
    Result<std::unique_ptr<client::Client>> worker = make_worker();
    if (worker.ok()) {
      exchange->export_class(*std::move(worker), options);
    }
  });
}

void Peer::set_width(uint16_t slot, uint32_t calls) { exchange_->set_width(slot, calls); }

void Peer::end_job(uint32_t number) {
  queue([exchange = exchange_, number] { exchange->end_job(number); });
}

// Its workers leave on that thread: they say so to sabird, and wait for their own threads.
void Peer::sweep() {
  queue([exchange = exchange_] { exchange->sweep(); });
}

// --- Objects

void Peer::on_lane(Lane lane, LinkState state, const std::string& why) {
  if (lane == Lane::kCalls) {
    lane_.on_lane(state, why);
    return;
  }
  if (state != LinkState::kUp) {
    std::lock_guard guard(lock_);
    bulk_ = nullptr;
  }
}

void Peer::with_bulk(std::function<void(Result<std::shared_ptr<Bulk>>)> task) {
  std::unique_lock held(lock_);
  if (std::shared_ptr<Bulk> bulk = bulk_) {
    held.unlock();
    task(std::move(bulk));
    return;
  }
  waiting_for_bulk_.push_back(std::move(task));
  if (std::exchange(opening_bulk_, true)) {
    return;
  }
  held.unlock();
  loop_.post([self = self_] {
    if (*self != nullptr) {
      (*self)->open_bulk();
    }
  });
}

void Peer::open_bulk() {
  auto opened = [this](Result<std::shared_ptr<Bulk>> bulk) {
    std::vector<std::function<void(Result<std::shared_ptr<Bulk>>)>> waiting;
    {
      std::lock_guard guard(lock_);
      opening_bulk_ = false;
      bulk_ = bulk.ok() ? *bulk : nullptr;
      waiting.swap(waiting_for_bulk_);
    }
    for (auto& task : waiting) {
      task(bulk);
    }
  };
  lane_.open_bulk(opened);
}

uint64_t Peer::receive(std::span<uint8_t> destination, OnEnd on_end) {
  uint64_t number = next_transfer_.fetch_add(1, std::memory_order_relaxed);
  with_bulk([number, destination, on_end = std::move(on_end)](Result<std::shared_ptr<Bulk>> bulk) {
    if (bulk.ok()) {
      (*bulk)->receive({.transfer_id = number, .destination = destination, .on_end = on_end, .on_progress = {}});
    } else {
      on_end(std::move(bulk).error());
    }
  });
  return number;
}

void Peer::send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) {
  with_bulk([transfer, source, on_end = std::move(on_end)](Result<std::shared_ptr<Bulk>> bulk) {
    if (bulk.ok()) {
      (*bulk)->send({.transfer_id = transfer, .source = source, .on_end = on_end});
    } else {
      on_end(std::move(bulk).error());
    }
  });
}

void Peer::refuse(uint64_t transfer, Error why) {
  with_bulk([transfer, why = std::move(why)](const Result<std::shared_ptr<Bulk>>& bulk) {
    if (bulk.ok()) {
      (*bulk)->refuse(transfer, why);
    }
  });
}

}  // namespace sabir::gateway
