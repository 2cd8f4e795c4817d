#include "runtime/rpc/node_link/bulk_machine.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sabir::node_link {

namespace {

constexpr size_t kMaxRefused = 1024;

Error error_of_code(uint16_t code) { return {static_cast<ErrorKind>(code), "the sending node ended the transfer"}; }

}  // namespace

void BulkMachine::call(std::function<void(Result<void>)>& on_end, Result<void> result) {
  if (on_end) {
    calls_.push_back([on_end = std::exchange(on_end, nullptr), result = std::move(result)] { on_end(result); });
  }
}

void BulkMachine::receive(BulkReceive receive) {
  if (receives_.contains(receive.transfer_id)) {
    return call(receive.on_end, already_exists_error("a transfer of this id is coming in already"));
  }
  if (receives_.size() >= options_.max_transfers) {
    return call(receive.on_end, exhausted_error("too many transfers are coming in"));
  }
  Receiving& receiving = receives_[receive.transfer_id];
  receiving.receive = std::move(receive);
  receiving.progress_ns = clock_.now_ns();
  grant(receiving, true);
}

void BulkMachine::grant(Receiving& receiving, bool first) {
  uint64_t total_bytes = receiving.receive.destination.size();
  receiving.granted_bytes =
      receiving.received_bytes + std::min(options_.window_bytes, total_bytes - receiving.received_bytes);
  control_.push_back({.type = BulkType::kCredit,
                      .first = first,
                      .transfer_id = receiving.receive.transfer_id,
                      .offset = receiving.granted_bytes});
}

// What is under way is dropped until the sender says that no more comes.
void BulkMachine::drop(Receiving& receiving, const Error& why) {
  if (!receiving.dropping) {
    receiving.dropping = true;
    control_.push_back({.type = BulkType::kCancel, .transfer_id = receiving.receive.transfer_id});
    call(receiving.receive.on_end, why);
    receiving.receive.on_progress = nullptr;
  }
}

void BulkMachine::cancel_receive(uint64_t transfer_id) {
  auto found = receives_.find(transfer_id);
  if (found != receives_.end()) {
    drop(found->second, cancelled_error("the transfer was cancelled here"));
  }
}

Result<BulkMachine::Incoming> BulkMachine::on_header(const BulkHeader& header) {
  switch (header.type) {
    case BulkType::kData:
      return on_data(header);
    case BulkType::kCredit:
      SABIR_RETURN_IF_ERROR(on_credit(header));
      break;
    case BulkType::kFail:
      if (!receives_.contains(header.transfer_id)) {
        return invalid_error("bulk: the end of a transfer that is none");
      }
      on_fail(header);
      break;
    case BulkType::kCancel:
      on_cancel(header.transfer_id);
      break;
  }
  return Incoming{};
}

Result<BulkMachine::Incoming> BulkMachine::on_data(const BulkHeader& header) {
  auto found = receives_.find(header.transfer_id);
  if (found == receives_.end()) {
    return invalid_error("bulk: data of a transfer that is none");
  }
  Receiving& receiving = found->second;
  if (header.offset != receiving.received_bytes) {
    return invalid_error("bulk: data out of order");
  }
  if (header.total_bytes != receiving.receive.destination.size() && !receiving.dropping) {
    drop(receiving,
         invalid_error("the sending node has " + std::to_string(header.total_bytes) + " bytes for a destination of " +
                       std::to_string(receiving.receive.destination.size())));
  }
  // Of a transfer that is longer than was granted for, no more may come either.
  if (header.size_bytes > receiving.granted_bytes - std::min(receiving.granted_bytes, header.offset)) {
    return invalid_error("bulk: data beyond the credit");
  }
  current_ = header.transfer_id;
  current_header_ = header;
  on_payload_bytes();
  std::span<uint8_t> destination;
  if (!receiving.dropping) {
    destination = receiving.receive.destination.subspan(header.offset, header.size_bytes);
  }
  if (header.size_bytes == 0) {
    on_payload_end();
  }
  return Incoming{destination, header.size_bytes};
}

bool BulkMachine::wants_payload() const {
  auto found = current_ ? receives_.find(*current_) : receives_.end();
  return found != receives_.end() && !found->second.dropping;
}

void BulkMachine::on_payload_end() {
  auto found = receives_.find(*std::exchange(current_, std::nullopt));
  if (found == receives_.end()) {
    return;
  }
  Receiving& receiving = found->second;
  receiving.progress_ns = clock_.now_ns();
  const BulkHeader& header = current_header_;
  if (!receiving.dropping && header.has_checksum &&
      bulk_checksum(receiving.receive.destination.subspan(header.offset, header.size_bytes)) != header.checksum) {
    drop(receiving, disconnected_error("what came is not what was sent: the checksum differs"));
  }
  receiving.received_bytes += header.size_bytes;
  if (receiving.receive.on_progress) {
    calls_.push_back([on_progress = receiving.receive.on_progress, received_bytes = receiving.received_bytes] {
      on_progress(received_bytes);
    });
  }
  if (header.last) {
    call(receiving.receive.on_end, {});
    receives_.erase(found);
    return;
  }
  uint64_t total_bytes = receiving.receive.destination.size();
  bool low = receiving.granted_bytes - receiving.received_bytes <= options_.window_bytes / 2;
  if (!receiving.dropping && receiving.granted_bytes < total_bytes && low) {
    grant(receiving, false);
  }
}

void BulkMachine::on_fail(const BulkHeader& header) {
  auto found = receives_.find(header.transfer_id);
  call(found->second.receive.on_end, error_of_code(header.code));
  receives_.erase(found);
}

void BulkMachine::send(BulkSend send) {
  uint64_t transfer_id = send.transfer_id;
  if (sends_.contains(transfer_id)) {
    return call(send.on_end, already_exists_error("a transfer of this id is going out already"));
  }
  if (sends_.size() >= options_.max_transfers) {
    return call(send.on_end, exhausted_error("too many transfers are going out"));
  }
  Early early;
  if (auto found = early_.find(transfer_id); found != early_.end()) {
    early = std::move(found->second);
    early_.erase(found);
  }
  if (early.refused) {
    return call(send.on_end, *early.refused);
  }
  Sending& sending = sends_[transfer_id];
  sending.send = std::move(send);
  sending.credit_bytes = early.credit_bytes;
  sending.started = early.started;
  sending.progress_ns = clock_.now_ns();
  take_turn(sending);
}

bool BulkMachine::has_something(const Sending& sending) const {
  uint64_t total_bytes = sending.send.source.size();
  return sending.started && (total_bytes == 0 || sending.sent_bytes < std::min(sending.credit_bytes, total_bytes));
}

void BulkMachine::take_turn(Sending& sending) {
  if (!sending.queued && !sending.doomed && has_something(sending)) {
    sending.queued = true;
    turns_.push_back(sending.send.transfer_id);
  }
}

void BulkMachine::end_send(uint64_t transfer_id, Result<void> result) {
  auto found = sends_.find(transfer_id);
  end_calls(found->second, std::move(result));
  sends_.erase(found);
}

void BulkMachine::end_calls(Sending& sending, Result<void> result) {
  call(sending.send.on_end, std::move(result));
  std::move(sending.cancels.begin(), sending.cancels.end(), std::back_inserter(calls_));
  sending.cancels.clear();
}

void BulkMachine::fail_send(Sending& sending, const Error& why) {
  uint64_t transfer_id = sending.send.transfer_id;
  if (outgoing_send_ == transfer_id) {
    sending.doomed = sending.doomed.value_or(why);
    return;
  }
  bool started = sending.started;
  end_send(transfer_id, why);
  if (started) {
    control_.push_back(
        {.type = BulkType::kFail, .code = static_cast<uint16_t>(why.kind()), .transfer_id = transfer_id});
  } else {
    // The receiver may not have heard of the transfer; it hears of the end when it starts it.
    remember_refused(transfer_id, why);
  }
}

void BulkMachine::remember_refused(uint64_t transfer_id, const Error& why) {
  early_[transfer_id].refused = why;
  refused_.push_back(transfer_id);
  while (refused_.size() > kMaxRefused) {
    auto oldest = early_.find(refused_.front());
    if (oldest != early_.end() && oldest->second.refused) {
      early_.erase(oldest);
    }
    refused_.pop_front();
  }
}

void BulkMachine::cancel_send(uint64_t transfer_id, const Error& why, std::function<void()> done) {
  auto found = sends_.find(transfer_id);
  if (found != sends_.end()) {
    Sending& sending = found->second;
    bool is_last =
        outgoing_send_ == transfer_id && sending.sent_bytes + outgoing_->payload.size() == sending.send.source.size();
    if (is_last && done) {
      // Its receiver takes it for whole, whatever the source holds by the time that its bytes are written.
      sending.cancels.push_back(std::exchange(done, nullptr));
    }
    fail_send(sending, why);
  }
  if (done) {
    calls_.push_back(std::move(done));
  }
}

void BulkMachine::refuse(uint64_t transfer_id, const Error& why) {
  auto early = early_.find(transfer_id);
  if (early != early_.end() && early->second.started) {
    early_.erase(early);
    control_.push_back(
        {.type = BulkType::kFail, .code = static_cast<uint16_t>(why.kind()), .transfer_id = transfer_id});
  } else if (early == early_.end() && !sends_.contains(transfer_id)) {
    remember_refused(transfer_id, why);
  }
}

Result<void> BulkMachine::on_credit(const BulkHeader& header) {
  auto found = sends_.find(header.transfer_id);
  if (found != sends_.end()) {
    Sending& sending = found->second;
    if (header.first == sending.started || header.offset < sending.credit_bytes) {
      return invalid_error("bulk: a credit that does not grow");
    }
    sending.started = true;
    sending.credit_bytes = header.offset;
    sending.progress_ns = clock_.now_ns();
    take_turn(sending);
    return {};
  }
  auto early = early_.find(header.transfer_id);
  if (early != early_.end() && early->second.refused && header.first) {
    control_.push_back({.type = BulkType::kFail,
                        .code = static_cast<uint16_t>(early->second.refused->kind()),
                        .transfer_id = header.transfer_id});
    early_.erase(early);
    return {};
  }
  if (!header.first) {
    return {};  // of a transfer that has ended here meanwhile
  }
  if (early != early_.end() || early_.size() >= options_.max_transfers + kMaxRefused) {
    return invalid_error("bulk: too many transfers that nobody sends");
  }
  early_[header.transfer_id] = {.credit_bytes = header.offset, .started = true};
  return {};
}

void BulkMachine::on_cancel(uint64_t transfer_id) {
  Error why = cancelled_error("the receiving node cancelled the transfer");
  auto found = sends_.find(transfer_id);
  if (found != sends_.end()) {
    return fail_send(found->second, why);
  }
  auto early = early_.find(transfer_id);
  if (early != early_.end() && early->second.started) {
    early_.erase(early);
    control_.push_back(
        {.type = BulkType::kFail, .code = static_cast<uint16_t>(why.kind()), .transfer_id = transfer_id});
    // Whoever wants to send it yet is told.
    remember_refused(transfer_id, why);
  }
}

BulkMachine::Outgoing BulkMachine::data_frame(Sending& sending) {
  uint64_t total_bytes = sending.send.source.size();
  uint64_t size_bytes =
      std::min<uint64_t>(kMaxBulkPayloadBytes, std::min(sending.credit_bytes, total_bytes) - sending.sent_bytes);
  std::span<const uint8_t> payload = sending.send.source.subspan(sending.sent_bytes, size_bytes);
  BulkHeader header{.type = BulkType::kData,
                    .last = sending.sent_bytes + size_bytes == total_bytes,
                    .has_checksum = options_.checksum,
                    .size_bytes = static_cast<uint32_t>(size_bytes),
                    .transfer_id = sending.send.transfer_id,
                    .offset = sending.sent_bytes,
                    .checksum = options_.checksum ? bulk_checksum(payload) : 0,
                    .total_bytes = total_bytes};
  return {encode_bulk_header(header), payload};
}

std::optional<BulkMachine::Outgoing> BulkMachine::next_frame() {
  if (outgoing_) {
    return outgoing_;
  }
  if (!control_.empty()) {
    outgoing_ = {encode_bulk_header(control_.front()), {}};
    control_.pop_front();
    return outgoing_;
  }
  while (!turns_.empty()) {
    uint64_t transfer_id = turns_.front();
    turns_.pop_front();
    auto found = sends_.find(transfer_id);
    if (found == sends_.end()) {
      continue;  // ended while it waited for its turn
    }
    found->second.queued = false;
    outgoing_ = data_frame(found->second);
    outgoing_send_ = transfer_id;
    return outgoing_;
  }
  return std::nullopt;
}

void BulkMachine::on_written() {
  size_t size_bytes = outgoing_->payload.size();
  outgoing_.reset();
  if (!outgoing_send_) {
    return;
  }
  uint64_t transfer_id = *std::exchange(outgoing_send_, std::nullopt);
  Sending& sending = sends_.at(transfer_id);
  sending.sent_bytes += size_bytes;
  sending.progress_ns = clock_.now_ns();
  if (sending.sent_bytes == sending.send.source.size()) {
    end_send(transfer_id, sending.doomed ? Result<void>(*sending.doomed) : Result<void>());
  } else if (sending.doomed) {
    fail_send(sending, Error(*sending.doomed));
  } else {
    take_turn(sending);
  }
}

void BulkMachine::expire() {
  int64_t before_ns = clock_.now_ns() - options_.progress_timeout_ns;
  if (current_ && receives_.contains(*current_)) {
    receives_.at(*current_).progress_ns = current_progress_ns_;
  }
  for (auto& [transfer_id, receiving] : receives_) {
    if (!receiving.dropping && receiving.progress_ns <= before_ns) {
      drop(receiving, timeout_error("nothing came of the transfer for too long"));
    }
  }
  std::vector<uint64_t> late;
  for (const auto& [transfer_id, sending] : sends_) {
    // One that has its turn to come waits for the connection, not for its peer.
    if (!sending.queued && outgoing_send_ != transfer_id && sending.progress_ns <= before_ns) {
      late.push_back(transfer_id);
    }
  }
  for (uint64_t transfer_id : late) {
    fail_send(sends_.at(transfer_id), timeout_error("the receiving node asked for no more for too long"));
  }
}

void BulkMachine::close(const Error& why) {
  for (auto& [transfer_id, receiving] : receives_) {
    call(receiving.receive.on_end, why);
  }
  for (auto& [transfer_id, sending] : sends_) {
    end_calls(sending, why);
  }
  receives_.clear();
  sends_.clear();
  early_.clear();
  refused_.clear();
  control_.clear();
  turns_.clear();
  current_.reset();
  outgoing_.reset();
  outgoing_send_.reset();
}

}  // namespace sabir::node_link
