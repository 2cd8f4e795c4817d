#include "runtime/node/remote_logs.h"

namespace sabir::node {

std::optional<uint64_t> RemoteLogs::begin(const std::string& job_id) {
  auto found = under_way_.find(job_id);
  if (found != under_way_.end() && clock_->now_ns() - found->second.since_ns < kAnswerNs) {
    return std::nullopt;
  }
  under_way_[job_id] = {++last_sequence_, clock_->now_ns()};
  return last_sequence_;
}

bool RemoteLogs::answered(const std::string& job_id, uint64_t sequence) {
  auto found = under_way_.find(job_id);
  if (found == under_way_.end() || found->second.sequence != sequence) {
    return false;
  }
  under_way_.erase(found);
  return true;
}

}  // namespace sabir::node
