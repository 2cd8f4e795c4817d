#include "tests/integration/gateway/loopback_link.h"

#include <capnp/message.h>

#include <cstring>

#include "runtime/base/check.h"
#include "runtime/rpc/node_convert.h"

namespace sabir::testing {

void LoopbackLink::set_receiver(Receive receive) {
  std::lock_guard guard(lock_);
  receive_ = std::move(receive);
  changed_.notify_all();
}

void LoopbackLink::close() {
  std::map<uint64_t, Transfer> transfers;
  {
    std::lock_guard guard(lock_);
    closed_ = true;
    changed_.notify_all();
    transfers.swap(transfers_);
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  for (auto& [number, transfer] : transfers) {
    transfer.on_end(disconnected_error("the link is closed"));
  }
}

void LoopbackLink::queue(std::function<void()> task) {
  std::lock_guard guard(lock_);
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

void LoopbackLink::run() {
  std::unique_lock held(lock_);
  for (;;) {
    changed_.wait(held, [&] { return closed_ || (receive_ && !tasks_.empty()); });
    if (closed_) {
      return;
    }
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    held.unlock();
    task();
    held.lock();
  }
}

void LoopbackLink::post(rpc::NodeMessage message) {
  auto bytes = std::make_shared<capnp::MallocMessageBuilder>();
  rpc::write(message, bytes->initRoot<schema::NodeMessage>());
  other_->queue([self = other_, bytes] {
    Result<rpc::NodeMessage> read = rpc::read(bytes->getRoot<schema::NodeMessage>().asReader());
    SABIR_CHECK(read.ok(), read.error().to_string());
    Result<void> taken = self->receive_(*std::move(read));
    SABIR_CHECK(taken.ok(), taken.error().to_string());
  });
}

uint64_t LoopbackLink::receive(std::span<uint8_t> destination, OnEnd on_end) {
  std::lock_guard guard(lock_);
  transfers_.emplace(next_transfer_, Transfer{destination, std::move(on_end)});
  return next_transfer_++;
}

void LoopbackLink::cancel_send(uint64_t, std::function<void()> done) { other_->queue(std::move(done)); }

void LoopbackLink::send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) {
  sent_bytes_ += source.size();
  other_->queue([self = other_, transfer, source, on_end = std::move(on_end)] {
    Transfer found;
    {
      std::lock_guard guard(self->lock_);
      auto place = self->transfers_.find(transfer);
      SABIR_CHECK(place != self->transfers_.end());
      found = std::move(place->second);
      self->transfers_.erase(place);
    }
    SABIR_CHECK(found.destination.size() == source.size());
    std::memcpy(found.destination.data(), source.data(), source.size());
    on_end({});
    found.on_end({});
  });
}

void LoopbackLink::refuse(uint64_t transfer, Error why) {
  other_->queue([self = other_, transfer, why = std::move(why)] {
    OnEnd on_end;
    {
      std::lock_guard guard(self->lock_);
      auto place = self->transfers_.find(transfer);
      SABIR_CHECK(place != self->transfers_.end());
      on_end = std::move(place->second.on_end);
      self->transfers_.erase(place);
    }
    on_end(why);
  });
}

}  // namespace sabir::testing
