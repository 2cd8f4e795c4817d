#include "runtime/rpc/node_link/bulk_connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace sabir::node_link {

namespace {

// Of one direction before the other has its turn.
constexpr size_t kTurnBytes = 4 << 20;
constexpr size_t kDroppedBytes = 64 << 10;
constexpr int64_t kExpireIntervalNs = kSecondNs / 4;

}  // namespace

BulkConnection::BulkConnection(std::unique_ptr<Wire> wire, BulkOptions options, std::function<void(Error)> on_end)
    : wire_(std::move(wire)),
      options_(options),
      on_end_(std::move(on_end)),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      machine_(clock_, options) {
  SABIR_CHECK(wake_fd_.valid(), "errno=", errno);
  thread_ = std::thread([this] { run(); });
}

void BulkConnection::shut_down() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  eventfd_write(wake_fd_.get(), 1);
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool BulkConnection::post(Command command) {
  {
    std::lock_guard lock(mutex_);
    if (over_) {
      return false;
    }
    commands_.push_back(std::move(command));
  }
  eventfd_write(wake_fd_.get(), 1);
  return true;
}

void BulkConnection::receive(BulkReceive receive) {
  auto shared = std::make_shared<BulkReceive>(std::move(receive));
  if (!post([shared](BulkMachine& machine) { machine.receive(std::move(*shared)); })) {
    shared->on_end(disconnected_error("the bulk connection is over"));
  }
}

void BulkConnection::send(BulkSend send) {
  auto shared = std::make_shared<BulkSend>(std::move(send));
  if (!post([shared](BulkMachine& machine) { machine.send(std::move(*shared)); })) {
    shared->on_end(disconnected_error("the bulk connection is over"));
  }
}

void BulkConnection::cancel_receive(uint64_t transfer_id) {
  (void)post([transfer_id](BulkMachine& machine) { machine.cancel_receive(transfer_id); });
}

void BulkConnection::cancel_send(uint64_t transfer_id, Error why, const std::function<void()>& done) {
  bool posted = post(
      [transfer_id, why = std::move(why), done](BulkMachine& machine) { machine.cancel_send(transfer_id, why, done); });
  if (!posted && done) {
    done();
  }
}

void BulkConnection::refuse(uint64_t transfer_id, Error why) {
  (void)post([transfer_id, why = std::move(why)](BulkMachine& machine) { machine.refuse(transfer_id, why); });
}

bool BulkConnection::is_over() const {
  std::lock_guard lock(mutex_);
  return over_ || stop_;
}

void BulkConnection::run() {
  read_progress_ns_ = write_progress_ns_ = expired_at_ns_ = clock_.now_ns();
  while (take_commands()) {
    Result<bool> read = read_some();
    run_calls();
    Result<bool> written = read.ok() ? write_some() : read;
    Result<void> alive = written.ok() ? check_stall() : Result<void>(written.error());
    run_calls();
    if (!alive.ok()) {
      return end(alive.error());
    }
    if (!*read && !*written) {
      wait();
    }
  }
  end(closed_error("the bulk connection was closed here"));
}

// False: it is to stop.
bool BulkConnection::take_commands() {
  std::vector<Command> commands;
  bool stop = false;
  {
    std::lock_guard lock(mutex_);
    commands.swap(commands_);
    stop = stop_;
  }
  for (Command& command : commands) {
    command(machine_);
  }
  run_calls();
  return !stop;
}

// Where the next bytes go.
std::span<uint8_t> BulkConnection::read_target() {
  if (!in_payload_) {
    return std::span(header_).subspan(header_bytes_);
  }
  size_t left_bytes = payload_.size_bytes - payload_bytes_;
  if (payload_.destination.empty() || !machine_.wants_payload()) {
    dropped_.resize(kDroppedBytes);
    return std::span(dropped_).first(std::min(left_bytes, dropped_.size()));
  }
  return payload_.destination.subspan(payload_bytes_);
}

Result<bool> BulkConnection::read_some() {
  size_t total_bytes = 0;
  while (total_bytes < kTurnBytes) {
    IoResult result = wire_->read(read_target());
    switch (result.status) {
      case IoStatus::kDone:
        total_bytes += result.size_bytes;
        received_bytes_.fetch_add(result.size_bytes, std::memory_order_relaxed);
        SABIR_RETURN_IF_ERROR(on_read(result.size_bytes));
        break;
      case IoStatus::kWantRead:
        return total_bytes > 0;
      case IoStatus::kWantWrite:
        return invalid_error("the peer asks for what no node asks for");
      case IoStatus::kEnd:
        return disconnected_error("the peer ended the connection");
      case IoStatus::kFailed:
        return wire_->error();
    }
  }
  return true;
}

Result<void> BulkConnection::on_read(size_t size_bytes) {
  read_progress_ns_ = clock_.now_ns();
  if (in_payload_) {
    payload_bytes_ += size_bytes;
    machine_.on_payload_bytes();
    if (payload_bytes_ == payload_.size_bytes) {
      in_payload_ = false;
      machine_.on_payload_end();
      run_calls();
    }
    return {};
  }
  header_bytes_ += size_bytes;
  if (header_bytes_ < kBulkHeaderBytes) {
    return {};
  }
  header_bytes_ = 0;
  SABIR_ASSIGN_OR_RETURN(BulkHeader header, decode_bulk_header(header_));
  SABIR_ASSIGN_OR_RETURN(payload_, machine_.on_header(header));
  in_payload_ = payload_.size_bytes > 0;
  payload_bytes_ = 0;
  return {};
}

Result<bool> BulkConnection::write_some() {
  size_t total_bytes = 0;
  wants_to_write_ = false;
  while (total_bytes < kTurnBytes) {
    auto frame = machine_.next_frame();
    if (!frame) {
      return total_bytes > 0;
    }
    bool in_header = frame_bytes_ < kBulkHeaderBytes;
    std::span<const uint8_t> rest = in_header ? std::span<const uint8_t>(frame->header).subspan(frame_bytes_)
                                              : frame->payload.subspan(frame_bytes_ - kBulkHeaderBytes);
    IoResult result = wire_->write(rest);
    switch (result.status) {
      case IoStatus::kDone:
        break;
      case IoStatus::kWantWrite:
        wants_to_write_ = true;
        return total_bytes > 0;
      case IoStatus::kFailed:
        return wire_->error();
      case IoStatus::kWantRead:
      case IoStatus::kEnd:
        return invalid_error("the peer asks for what no node asks for");
    }
    total_bytes += result.size_bytes;
    frame_bytes_ += result.size_bytes;
    sent_bytes_.fetch_add(result.size_bytes, std::memory_order_relaxed);
    write_progress_ns_ = clock_.now_ns();
    if (frame_bytes_ == kBulkHeaderBytes + frame->payload.size()) {
      frame_bytes_ = 0;
      machine_.on_written();
      run_calls();
    }
  }
  return true;
}

// Transfers that wait for their peers, and a connection in which nothing moves though something should.
Result<void> BulkConnection::check_stall() {
  int64_t now_ns = clock_.now_ns();
  if (now_ns - expired_at_ns_ < kExpireIntervalNs) {
    return {};
  }
  expired_at_ns_ = now_ns;
  bool inside_a_frame = in_payload_ || header_bytes_ > 0;
  if (!inside_a_frame) {
    read_progress_ns_ = now_ns;
  }
  if (!wants_to_write_) {
    write_progress_ns_ = now_ns;
  }
  if (now_ns - std::min(read_progress_ns_, write_progress_ns_) >= options_.progress_timeout_ns) {
    return disconnected_error("nothing moves on the bulk connection");
  }
  machine_.expire();
  return {};
}

void BulkConnection::run_calls() {
  for (auto& call : machine_.take_calls()) {
    call();
  }
}

// Without an end if nothing can expire: a connection at rest wakes nobody.
void BulkConnection::wait() {
  bool at_rest = machine_.is_idle() && !wants_to_write_ && !in_payload_ && header_bytes_ == 0;
  pollfd fds[2] = {{wire_->fd(), static_cast<short>(POLLIN | (wants_to_write_ ? POLLOUT : 0)), 0},
                   {wake_fd_.get(), POLLIN, 0}};
  // Its outcome is that of the next attempt.
  (void)poll(fds, 2, at_rest ? -1 : static_cast<int>(kExpireIntervalNs / kMillisecondNs));
  if (fds[1].revents != 0) {
    eventfd_t count = 0;
    (void)eventfd_read(wake_fd_.get(), &count);
  }
  if (at_rest) {
    read_progress_ns_ = write_progress_ns_ = clock_.now_ns();  // it is no stall that nobody wanted anything
  }
}

void BulkConnection::end(const Error& why) {
  std::vector<Command> commands;
  bool stop = false;
  {
    std::lock_guard lock(mutex_);
    over_ = true;
    commands.swap(commands_);
    stop = stop_;
  }
  // What was asked for before the end ends with the rest.
  for (Command& command : commands) {
    command(machine_);
  }
  machine_.close(why);
  run_calls();
  (void)wire_->end_writing();
  shutdown(wire_->fd(), SHUT_RDWR);
  if (!stop && on_end_) {
    on_end_(why);
  }
}

}  // namespace sabir::node_link
