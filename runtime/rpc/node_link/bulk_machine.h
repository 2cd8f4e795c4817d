// BulkMachine: the transfers of one bulk connection, without input or output: frames in, frames out.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/rpc/node_link/bulk_frame.h"

namespace sabir::node_link {

struct BulkOptions {
  // How far a sender may be ahead of what has come of one transfer.
  uint64_t window_bytes = 16u << 20;
  // A transfer of which nothing came or went for so long fails (timeout); so does the connection if bytes are under way
  // in it and none of them moves (disconnected).
  int64_t progress_timeout_ns = 30 * kSecondNs;
  bool checksum = false;           // of what is sent
  uint32_t max_transfers = 65536;  // in each direction
};

// A transfer to this node. `destination` is written until `on_end` is called, and not after.
struct BulkReceive {
  uint64_t transfer_id = 0;
  std::span<uint8_t> destination;
  std::function<void(Result<void>)> on_end;
  // Optional: how many bytes from the beginning have come and are right.
  std::function<void(uint64_t received_bytes)> on_progress;
};

// A transfer from this node. `source` is read until `on_end` is called; what keeps it alive is best kept in there.
// Success: all of it is on its way.
struct BulkSend {
  uint64_t transfer_id = 0;
  std::span<const uint8_t> source;
  std::function<void(Result<void>)> on_end;
};

// One thread. Callbacks do not run inside its methods: take_calls() gives them out.
class BulkMachine {
 public:
  struct Outgoing {
    BulkHeaderBytes header;
    std::span<const uint8_t> payload;
  };
  // Where the payload of a data frame goes; empty destination: it is dropped.
  struct Incoming {
    std::span<uint8_t> destination;
    uint32_t size_bytes = 0;
  };

  BulkMachine(const Clock& clock, BulkOptions options) : clock_(clock), options_(options) {}

  void receive(BulkReceive receive);
  void send(BulkSend send);
  // Nothing is written to the destination any more from now on.
  void cancel_receive(uint64_t transfer_id);
  // The receiver is told `why`'s kind. The source may be read until the frame that is under way is out; `done`, if
  // there is one, is called when the transfer can end well no more, or has ended: if that frame is its last one, when
  // it is out.
  void cancel_send(uint64_t transfer_id, const Error& why, std::function<void()> done = nullptr);
  // Instead of send(): tells a receiver that started the transfer, or starts it later, that it will not come. Of those
  // that nobody started the last 1024 are remembered.
  void refuse(uint64_t transfer_id, const Error& why);

  // A frame came; for data its payload is next. kInvalid: the peer broke the protocol.
  Result<Incoming> on_header(const BulkHeader& header);
  // Whether the payload that is coming still has a destination: its transfer may end here in the middle of a frame, and
  // then the rest of that is dropped.
  bool wants_payload() const;
  // Some of the payload is there.
  void on_payload_bytes() { current_progress_ns_ = clock_.now_ns(); }
  void on_payload_end();

  // The next frame to write; it is the same until on_written().
  std::optional<Outgoing> next_frame();
  void on_written();

  // Ends what has waited for too long.
  void expire();
  // Ends all.
  void close(const Error& why);

  std::vector<std::function<void()>> take_calls() { return std::exchange(calls_, {}); }
  // No transfer is under way: nothing can expire.
  bool is_idle() const { return receives_.empty() && sends_.empty(); }
  // Entries that are kept, of whatever kind; for tests and limits.
  size_t entry_count() const { return receives_.size() + sends_.size() + early_.size(); }

 private:
  struct Receiving {
    BulkReceive receive;
    uint64_t received_bytes = 0;
    uint64_t granted_bytes = 0;
    int64_t progress_ns = 0;
    bool dropping = false;  // ended here; the sender does not know yet
  };
  struct Sending {
    BulkSend send;
    uint64_t sent_bytes = 0;
    uint64_t credit_bytes = 0;
    bool started = false;  // the first credit is there
    bool queued = false;   // in turns_
    int64_t progress_ns = 0;
    std::optional<Error> doomed;                 // ends after the frame that is under way
    std::vector<std::function<void()>> cancels;  // to be called when it has
  };
  // A transfer that was started by its receiver and not by its sender, or was ended before it was started.
  struct Early {
    uint64_t credit_bytes = 0;
    bool started = false;
    std::optional<Error> refused;
  };

  Result<Incoming> on_data(const BulkHeader& header);
  Result<void> on_credit(const BulkHeader& header);
  void on_fail(const BulkHeader& header);
  void on_cancel(uint64_t transfer_id);
  void grant(Receiving& receiving, bool first);
  void drop(Receiving& receiving, const Error& why);
  void fail_send(Sending& sending, const Error& why);
  void end_send(uint64_t transfer_id, Result<void> result);
  void end_calls(Sending& sending, Result<void> result);
  void remember_refused(uint64_t transfer_id, const Error& why);
  void take_turn(Sending& sending);
  bool has_something(const Sending& sending) const;
  void call(std::function<void(Result<void>)>& on_end, Result<void> result);
  Outgoing data_frame(Sending& sending);

  const Clock& clock_;
  BulkOptions options_;
  std::unordered_map<uint64_t, Receiving> receives_;
  std::unordered_map<uint64_t, Sending> sends_;
  std::unordered_map<uint64_t, Early> early_;
  std::deque<uint64_t> refused_;  // of early_, oldest first
  std::deque<BulkHeader> control_;
  std::deque<uint64_t> turns_;       // sends that have data and credit
  std::optional<uint64_t> current_;  // the receive whose payload is coming
  BulkHeader current_header_;
  int64_t current_progress_ns_ = 0;
  std::optional<Outgoing> outgoing_;
  std::optional<uint64_t> outgoing_send_;  // whose data that is
  std::vector<std::function<void()>> calls_;
};

}  // namespace sabir::node_link
