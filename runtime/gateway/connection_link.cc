#include "runtime/gateway/connection_link.h"

#include <utility>

namespace sabir::gateway {

using Bulk = BulkGate::Bulk;

namespace {

constexpr const char* kOver = "the connection to the other node is over";

}  // namespace

uint64_t ConnectionLink::receive(std::span<uint8_t> destination, OnEnd on_end) {
  uint64_t transfer = bulk_->next_transfer();
  bulk_->with(this,
              [self = shared_from_this(), transfer, destination, on_end = std::move(on_end)](
                  Result<std::shared_ptr<Bulk>> bulk) { self->begin(transfer, destination, on_end, std::move(bulk)); });
  if (is_over()) {
    bulk_->fail(this, kOver);  // end() may have come before it waited
  }
  return transfer;
}

void ConnectionLink::begin(uint64_t transfer, std::span<uint8_t> destination, const OnEnd& on_end,
                           Result<std::shared_ptr<Bulk>> bulk) {
  Result<void> begun = bulk.ok() ? Result<void>() : Result<void>(bulk.error());
  if (begun.ok()) {
    std::lock_guard guard(lock_);
    if (over_) {
      begun = disconnected_error(kOver);
    } else {
      receiving_.emplace(transfer, *bulk);
    }
  }
  if (!begun.ok()) {
    on_end(std::move(begun));
    return;
  }
  (*bulk)->receive({.transfer_id = transfer,
                    .destination = destination,
                    .on_end =
                        [self = shared_from_this(), transfer, on_end](Result<void> result) {
                          self->ended(transfer);
                          // What end() cancels was lost with the connection: nobody here has asked to stop.
                          bool lost = !result.ok() && result.error().kind() == ErrorKind::kCancelled && self->is_over();
                          on_end(lost ? Result<void>(disconnected_error(kOver)) : std::move(result));
                        },
                    .on_progress = {}});
  if (is_over()) {
    (*bulk)->cancel_receive(transfer);  // end() may have come before it
  }
}

void ConnectionLink::ended(uint64_t transfer) {
  std::lock_guard guard(lock_);
  receiving_.erase(transfer);
}

void ConnectionLink::cancel_receive(uint64_t transfer) {
  std::shared_ptr<Bulk> bulk;
  {
    std::lock_guard guard(lock_);
    auto found = receiving_.find(transfer);
    bulk = found == receiving_.end() ? nullptr : found->second;
  }
  if (bulk) {
    bulk->cancel_receive(transfer);
  }
}

void ConnectionLink::send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) {
  {
    std::lock_guard guard(lock_);
    sending_.emplace(transfer, Sending{});
  }
  bulk_->with(&sending_,
              [self = shared_from_this(), transfer, source, on_end = std::move(on_end)](
                  Result<std::shared_ptr<Bulk>> bulk) { self->begin_send(transfer, source, on_end, std::move(bulk)); });
  if (is_over()) {
    bulk_->fail(&sending_, kOver);
  }
}

void ConnectionLink::begin_send(uint64_t transfer, std::span<const uint8_t> source, const OnEnd& on_end,
                                Result<std::shared_ptr<Bulk>> bulk) {
  Result<void> begun = bulk.ok() ? Result<void>() : Result<void>(bulk.error());
  bool is_wanted = false;
  {
    std::lock_guard guard(lock_);
    auto sending = sending_.find(transfer);
    is_wanted = sending != sending_.end();
    if (is_wanted && begun.ok()) {
      sending->second.bulk = *bulk;
    }
  }
  if (begun.ok() && !is_wanted) {
    begun = cancelled_error("the sending process goes");
    (*bulk)->refuse(transfer, begun.error());
  }
  if (!begun.ok()) {
    send_ended(transfer);
    on_end(std::move(begun));
    return;
  }
  auto ended = [self = shared_from_this(), transfer, on_end](Result<void> result) {
    self->send_ended(transfer);
    on_end(std::move(result));
  };
  (*bulk)->send({.transfer_id = transfer, .source = source, .on_end = std::move(ended)});
  std::vector<std::function<void()>> cancels;
  {
    std::lock_guard guard(lock_);
    auto sending = sending_.find(transfer);
    if (sending != sending_.end()) {
      sending->second.begun = true;
      cancels.swap(sending->second.cancels);
    }
  }
  for (const std::function<void()>& done : cancels) {
    (*bulk)->cancel_send(transfer, cancelled_error("the sending process goes"), done);
  }
}

void ConnectionLink::send_ended(uint64_t transfer) {
  std::vector<std::function<void()>> cancels;
  {
    std::lock_guard guard(lock_);
    auto sending = sending_.extract(transfer);
    if (sending) {
      cancels.swap(sending.mapped().cancels);
    }
  }
  for (std::function<void()>& done : cancels) {
    done();
  }
}

void ConnectionLink::cancel_send(uint64_t transfer, std::function<void()> done) {
  std::shared_ptr<Bulk> bulk;
  {
    std::lock_guard guard(lock_);
    auto found = sending_.find(transfer);
    if (found != sending_.end() && found->second.bulk != nullptr) {
      if (!found->second.begun) {
        found->second.cancels.push_back(std::move(done));
        return;
      }
      bulk = found->second.bulk;
    } else if (found != sending_.end()) {
      sending_.erase(found);  // it does not begin
    }
  }
  if (bulk != nullptr) {
    bulk->cancel_send(transfer, cancelled_error("the sending process goes"), done);
  } else {
    done();
  }
}

void ConnectionLink::refuse(uint64_t transfer, Error why) {
  bulk_->with(this, [transfer, why = std::move(why)](const Result<std::shared_ptr<Bulk>>& bulk) {
    if (bulk.ok()) {
      (*bulk)->refuse(transfer, why);
    }
  });
}

void ConnectionLink::end(const std::string& why) {
  std::map<uint64_t, std::shared_ptr<Bulk>> receiving;
  {
    std::lock_guard guard(lock_);
    over_ = true;
    receiving = receiving_;
  }
  for (auto& [transfer, bulk] : receiving) {
    bulk->cancel_receive(transfer);
  }
  bulk_->fail(this, why);
  bulk_->fail(&sending_, why);
}

bool ConnectionLink::is_over() {
  std::lock_guard guard(lock_);
  return over_;
}

}  // namespace sabir::gateway
