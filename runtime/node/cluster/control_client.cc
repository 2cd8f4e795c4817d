#include "runtime/node/cluster/control_client.h"

#include <algorithm>
#include <utility>

namespace sabir::cluster {

void ControlClient::ask(ControlQuestion what, int64_t patience_ns, Answered answered) {
  if (waiting_.size() >= options_.max_waiting) {
    return answered(exhausted_error("too many requests of this node wait for the control store's answers"));
  }
  waiting_.push_back({std::move(what), std::move(answered), clock_->now_ns() + patience_ns, clock_->now_ns()});
  number_some();
}

void ControlClient::number_some() {
  while (!waiting_.empty() && (open_.empty() || next_number_ - open_.begin()->first < options_.max_open)) {
    open_.emplace(next_number_++, std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void ControlClient::answered(const ControlAnswer& answer) {
  auto question = open_.extract(answer.number);
  if (question.empty()) {
    return;  // a second answer, or too late
  }
  number_some();
  question.mapped().answered(answer.failure ? Result<ControlResult>(*answer.failure)
                                            : Result<ControlResult>(answer.result));
}

std::vector<ControlRequest> ControlClient::due(uint64_t epoch) {
  std::vector<ControlRequest> requests;
  int64_t now_ns = clock_->now_ns();
  for (auto& [number, question] : open_) {
    if (question.due_ns <= now_ns) {
      question.due_ns = now_ns + options_.repeat_ns;
      requests.push_back({number, open_.begin()->first, epoch, question.what});
    }
  }
  return requests;
}

void ControlClient::repeat_all() {
  for (auto& [number, question] : open_) {
    question.due_ns = clock_->now_ns();
  }
}

void ControlClient::expire() {
  std::vector<Answered> over;
  int64_t now_ns = clock_->now_ns();
  for (auto one = open_.begin(); one != open_.end();) {
    if (one->second.deadline_ns > now_ns) {
      ++one;
      continue;
    }
    over.push_back(std::move(one->second.answered));
    one = open_.erase(one);
  }
  std::erase_if(waiting_, [&](Question& question) {
    bool is_over = question.deadline_ns <= now_ns;
    if (is_over) {
      over.push_back(std::move(question.answered));
    }
    return is_over;
  });
  number_some();
  for (Answered& answered : over) {
    answered(timeout_error("the control store of the cluster did not answer in time"));
  }
}

std::optional<int64_t> ControlClient::next_wake_ns() const {
  std::optional<int64_t> wake_ns;
  auto at = [&](int64_t when_ns) { wake_ns = std::min(wake_ns.value_or(when_ns), when_ns); };
  for (const auto& [number, question] : open_) {
    at(std::min(question.due_ns, question.deadline_ns));
  }
  for (const Question& question : waiting_) {
    at(question.deadline_ns);
  }
  return wake_ns;
}

}  // namespace sabir::cluster
