// BulkConnection: objects between two nodes, on a thread of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/rpc/node_link/bulk_machine.h"
#include "runtime/rpc/node_link/wire.h"

namespace sabir::node_link {

// Any thread may call its methods, but no callback may destroy it. All callbacks come from its thread, one after the
// other, and hold up the connection while they run. Bytes go from the source through the wire into the destination: no
// copy but those of TLS and the kernel.
class BulkConnection {
 public:
  // `on_end` is called once, when the connection is over by itself, after all transfers have ended.
  BulkConnection(std::unique_ptr<Wire> wire, BulkOptions options, std::function<void(Error)> on_end);
  ~BulkConnection() { shut_down(); }
  BulkConnection(const BulkConnection&) = delete;
  BulkConnection& operator=(const BulkConnection&) = delete;

  // Ends all transfers as closed and waits for the thread; no callback comes afterwards. Not from a callback, and from
  // one thread at a time.
  void shut_down();

  // For a transfer to this node; the sending node is then told of it.
  uint64_t new_transfer_id() { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  // Each transfer ends exactly once, by its on_end. On a connection that is over they end at once, on the calling
  // thread.
  void receive(BulkReceive receive);
  void send(BulkSend send);
  // Its on_end still comes: when the destination or the source is not used any more. Nothing if it has ended.
  void cancel_receive(uint64_t transfer_id);
  // `done`, if there is one, is called when the transfer can end well no more, or has ended.
  void cancel_send(uint64_t transfer_id, Error why, const std::function<void()>& done = nullptr);
  // Instead of send(): the receiver's transfer fails with `why`'s kind.
  void refuse(uint64_t transfer_id, Error why);

  // Over, by itself or by shut_down(): no transfer that begins now can succeed.
  bool is_over() const;

  uint64_t sent_bytes() const { return sent_bytes_.load(std::memory_order_relaxed); }
  uint64_t received_bytes() const { return received_bytes_.load(std::memory_order_relaxed); }

 private:
  using Command = std::function<void(BulkMachine&)>;

  // False: the connection is over; `command` did not run and will not.
  bool post(Command command);
  void run();
  bool take_commands();
  // Whether something moved.
  Result<bool> read_some();
  Result<bool> write_some();
  Result<void> on_read(size_t size_bytes);
  Result<void> check_stall();
  std::span<uint8_t> read_target();
  void run_calls();
  void wait();
  void end(const Error& why);

  std::unique_ptr<Wire> wire_;
  BulkOptions options_;
  std::function<void(Error)> on_end_;
  SteadyClock clock_;
  UniqueFd wake_fd_;
  std::atomic<uint64_t> next_id_{1};
  std::atomic<uint64_t> sent_bytes_{0};
  std::atomic<uint64_t> received_bytes_{0};

  mutable std::mutex mutex_;  // guards these
  std::vector<Command> commands_;
  bool stop_ = false;
  bool over_ = false;

  // The thread's own.
  BulkMachine machine_;
  BulkHeaderBytes header_;
  size_t header_bytes_ = 0;
  BulkMachine::Incoming payload_;
  size_t payload_bytes_ = 0;  // done of it
  bool in_payload_ = false;
  size_t frame_bytes_ = 0;  // done of the frame that is going out
  bool wants_to_write_ = false;
  int64_t read_progress_ns_ = 0;
  int64_t write_progress_ns_ = 0;
  int64_t expired_at_ns_ = 0;
  std::vector<uint8_t> dropped_;
  std::thread thread_;
};

}  // namespace sabir::node_link
