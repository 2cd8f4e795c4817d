// Tells the control store of the jobs whose drivers are on this node: one word after another, in order, each until it
// is there. So a job is never known as running that ended before its start was heard. No I/O; the clock comes in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/node/cluster/control_client.h"

namespace sabir::node {

class JobTeller {
 public:
  using Ask = std::function<void(cluster::ControlQuestion, cluster::ControlClient::Answered)>;
  static constexpr size_t kMaxWords = 4096;

  // All must outlive it. `ask` may answer at once.
  JobTeller(const Clock* clock, Logger logger, Ask ask)
      : clock_(clock), logger_(std::move(logger)), ask_(std::move(ask)) {}

  // Beyond kMaxWords that wait it is never told, and neither is its end.
  void started(cluster::ClusterJob job);
  // `how`: for people.
  void ended(const std::string& id, const std::string& how);
  // What was refused is tried again.
  void tick() { tell(); }
  bool idle() const { return words_.empty(); }

 private:
  void tell();
  void answered(const Result<cluster::ControlResult>& result);

  const Clock* const clock_;
  Logger logger_;
  const Ask ask_;
  std::deque<cluster::ControlQuestion> words_;
  bool under_way_ = false;  // the first one
  std::optional<int64_t> again_ns_;
};

}  // namespace sabir::node
