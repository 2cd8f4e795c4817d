// Output of workers whose driver is on another node: one message of a job under way at a time, so that a flood waits in
// the job's outbox here (Logs), where it is bounded, and not on its way. A state machine: the clock comes in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "runtime/base/clock.h"

namespace sabir::node {

class RemoteLogs {
 public:
  // After so long without an answer the message, or its answer, counts as lost; its lines are not sent again.
  static constexpr int64_t kAnswerNs = 2 * kSecondNs;

  explicit RemoteLogs(const Clock* clock) : clock_(clock) {}

  // The number of the job's next message, which is under way from now on; nothing: the last one still is.
  std::optional<uint64_t> begin(const std::string& job_id);
  // False: of a message that is not waited for any more.
  bool answered(const std::string& job_id, uint64_t sequence);
  void job_over(const std::string& job_id) { under_way_.erase(job_id); }

 private:
  struct UnderWay {
    uint64_t sequence = 0;
    int64_t since_ns = 0;
  };
  const Clock* const clock_;
  uint64_t last_sequence_ = 0;
  std::map<std::string, UnderWay> under_way_;  // by the job's id
};

}  // namespace sabir::node
