// A node's side of its requests to the control store: numbers them, repeats them until they are answered or their time
// is over, and says with each which is the lowest without an answer (reply_cache.h). A state machine without I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/node/cluster/control_requests.h"

namespace sabir::cluster {

class ControlClient {
 public:
  struct Options {
    int64_t repeat_ns = kSecondNs;  // an answer that has not come by then may have been lost
    size_t max_open = 1024;         // numbers from the lowest unanswered on
    size_t max_waiting = 4096;      // for one of those
    // Of all that are open, with what they may be answered: all of it goes again when the control store is another one.
    size_t max_open_bytes = 32 << 20;
    size_t max_waiting_bytes = 128 << 20;
  };
  using Answered = std::function<void(Result<ControlResult>)>;

  ControlClient(const Clock* clock, Options options) : clock_(clock), options_(options) {}

  // `answered` is called once: beside the control store's errors kTimeout: nothing came for so long, it may be done or
  // not; kExhausted, at once: too many wait, or too many bytes. It may ask again.
  void ask(ControlQuestion what, int64_t patience_ns, Answered answered);
  void answered(const ControlAnswer& answer);
  // What is to be sent now, to the life of this epoch.
  std::vector<ControlRequest> due(uint64_t epoch);
  // All that have no answer are due: the control store is another one, or is reached by another way.
  void repeat_all();
  // Answers those whose time is over.
  void expire();

  // Without an answer, also those that wait for a number.
  size_t open() const { return open_.size() + waiting_.size(); }
  // When due() or expire() have something to do.
  std::optional<int64_t> next_wake_ns() const;

 private:
  struct Question {
    ControlQuestion what;
    Answered answered;
    int64_t deadline_ns = 0;
    int64_t due_ns = 0;
    size_t size_bytes = 0;
    size_t answer_bytes = 0;  // at most
  };

  void number_some();

  const Clock* const clock_;
  const Options options_;
  uint64_t next_number_ = 1;
  std::map<uint64_t, Question> open_;
  size_t open_bytes_ = 0;
  std::deque<Question> waiting_;
  size_t waiting_bytes_ = 0;
};

}  // namespace sabir::cluster
