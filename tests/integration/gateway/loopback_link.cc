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

void LoopbackLink::hold(bool holds) {
  std::lock_guard guard(lock_);
  holds_ = holds;
  changed_.notify_all();
}

void LoopbackLink::close() {
  {
    std::lock_guard guard(lock_);
    closed_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  // What ran until now may still have used them.
  std::map<uint64_t, Transfer> transfers;
  std::deque<Task> tasks;
  {
    std::lock_guard guard(lock_);
    ended_ = true;
    transfers.swap(transfers_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) {
    if (task.dropped) {
      task.dropped();
    }
  }
  for (auto& [number, transfer] : transfers) {
    transfer.on_end(disconnected_error("the link is closed"));
  }
}

void LoopbackLink::queue(std::function<void()> run, std::function<void()> dropped) {
  {
    std::lock_guard guard(lock_);
    if (!ended_) {
      tasks_.push_back({std::move(run), std::move(dropped)});
      changed_.notify_all();
      return;
    }
  }
  if (dropped) {
    dropped();
  }
}

void LoopbackLink::run() {
  std::unique_lock held(lock_);
  for (;;) {
    changed_.wait(held, [&] { return closed_ || (receive_ && !holds_ && !tasks_.empty()); });
    if (closed_) {
      return;
    }
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    held.unlock();
    task.run();
    held.lock();
  }
}

void LoopbackLink::post(rpc::NodeMessage message) {
  auto bytes = std::make_shared<capnp::MallocMessageBuilder>();
  rpc::write(message, bytes->initRoot<schema::NodeMessage>());
  other_->queue(
      [self = other_, bytes] {
        Result<rpc::NodeMessage> read = rpc::read(bytes->getRoot<schema::NodeMessage>().asReader());
        SABIR_CHECK(read.ok(), read.error().to_string());
        Result<void> taken = self->receive_(*std::move(read));
        SABIR_CHECK(taken.ok(), taken.error().to_string());
      },
      nullptr);
}

uint64_t LoopbackLink::receive(std::span<uint8_t> destination, OnEnd on_end) {
  uint64_t transfer = 0;
  {
    std::lock_guard guard(lock_);
    transfer = next_transfer_++;
    if (!ended_) {
      transfers_.emplace(transfer, Transfer{destination, std::move(on_end)});
      return transfer;
    }
  }
  on_end(disconnected_error("the link is closed"));
  return transfer;
}

LoopbackLink::Transfer LoopbackLink::take(uint64_t transfer) {
  std::lock_guard guard(lock_);
  SABIR_CHECK(transfer < next_transfer_);
  auto found = transfers_.extract(transfer);
  return found ? std::move(found.mapped()) : Transfer{};
}

void LoopbackLink::cancel_receive(uint64_t transfer) {
  queue(
      [this, transfer] {
        if (Transfer found = take(transfer); found.on_end) {
          found.on_end(cancelled_error("the transfer was cancelled here"));
        }
      },
      nullptr);
}

void LoopbackLink::cancel_send(uint64_t, std::function<void()> done) { other_->queue(done, done); }

void LoopbackLink::send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) {
  sent_bytes_ += source.size();
  other_->queue(
      [self = other_, transfer, source, on_end] {
        Transfer found = self->take(transfer);
        if (!found.on_end) {
          on_end(cancelled_error("the receiving node cancelled the transfer"));
          return;
        }
        SABIR_CHECK(found.destination.size() == source.size());
        std::memcpy(found.destination.data(), source.data(), source.size());
        on_end({});
        found.on_end({});
      },
      [on_end] { on_end(disconnected_error("the link is closed")); });
}

void LoopbackLink::refuse(uint64_t transfer, Error why) {
  other_->queue(
      [self = other_, transfer, why = std::move(why)] {
        if (Transfer found = self->take(transfer); found.on_end) {
          found.on_end(why);
        }
      },
      nullptr);
}

}  // namespace sabir::testing
