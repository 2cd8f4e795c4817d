#include "runtime/node/job_teller.h"

#include <utility>

namespace sabir::node {
namespace {

constexpr int64_t kAgainNs = kSecondNs;

}  // namespace

void JobTeller::started(cluster::ClusterJob job) {
  if (words_.size() >= kMaxWords) {
    logger_.warning("the control store does not take words of jobs: it never hears of ", job.name);
    return;
  }
  words_.push_back(cluster::StartJob{std::move(job)});
  tell();
}

void JobTeller::ended(const std::string& id, const std::string& how) {
  // The last word of one that was told, so there are at most as many as of jobs that run. One of a job that was not
  // told says nothing.
  words_.push_back(cluster::EndJob{id, how.substr(0, cluster::kMaxJobEndBytes)});
  tell();
}

void JobTeller::tell() {
  if (words_.empty() || under_way_ || (again_ns_ && clock_->now_ns() < *again_ns_)) {
    return;
  }
  under_way_ = true;
  again_ns_.reset();
  ask_(words_.front(), [this](const Result<cluster::ControlResult>& result) { answered(result); });
}

void JobTeller::answered(const Result<cluster::ControlResult>& result) {
  under_way_ = false;
  ErrorKind kind = result.ok() ? ErrorKind::kInternal : result.error().kind();
  if (kind == ErrorKind::kExhausted || kind == ErrorKind::kTimeout || kind == ErrorKind::kDisconnected) {
    again_ns_ = clock_->now_ns() + kAgainNs;
    return;
  }
  if (!result.ok()) {
    logger_.warning("the control store takes no word of a job: ", result.error().to_string());
  }
  words_.pop_front();
  tell();
}

}  // namespace sabir::node
