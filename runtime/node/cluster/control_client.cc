#include "runtime/node/cluster/control_client.h"

#include <algorithm>
#include <utility>

namespace sabir::cluster {
namespace {

constexpr size_t kFixedBytes = 1 << 10;

size_t size_of(const ControlQuestion& what) {
  size_t size_bytes = kFixedBytes;
  if (auto* name = std::get_if<NameRequest>(&what)) {
    size_bytes += name->name.name_space.size() + name->name.name.size();
    size_bytes += name->actor ? name->actor->class_name.size() + name->actor->class_info.size() : 0;
  } else if (auto* put = std::get_if<PutValue>(&what)) {
    size_bytes += put->key.size() + put->value.size();
  }
  return size_bytes;
}

size_t most_of_answer(const ControlQuestion& what) {
  if (auto* list = std::get_if<ListKeys>(&what)) {
    return list->limit * kMaxValueKeyBytes;
  }
  return std::holds_alternative<GetValue>(what) ? kMaxValueBytes : kFixedBytes;
}

}  // namespace

void ControlClient::ask(ControlQuestion what, int64_t patience_ns, Answered answered) {
  size_t size_bytes = size_of(what);
  if (waiting_.size() >= options_.max_waiting || waiting_bytes_ + size_bytes > options_.max_waiting_bytes) {
    return answered(exhausted_error("too many requests of this node wait for the control store's answers"));
  }
  int64_t now_ns = clock_->now_ns();
  size_t answer_bytes = most_of_answer(what);
  waiting_.push_back({std::move(what), std::move(answered), now_ns + patience_ns, now_ns, size_bytes, answer_bytes});
  waiting_bytes_ += size_bytes;
  number_some();
}

void ControlClient::number_some() {
  while (!waiting_.empty()) {
    Question& next = waiting_.front();
    size_t both_bytes = next.size_bytes + next.answer_bytes;
    bool fits = open_.empty() || (next_number_ - open_.begin()->first < options_.max_open &&
                                  open_bytes_ + both_bytes <= options_.max_open_bytes);
    if (!fits) {
      return;
    }
    open_bytes_ += both_bytes;
    waiting_bytes_ -= next.size_bytes;
    open_.emplace(next_number_++, std::move(next));
    waiting_.pop_front();
  }
}

void ControlClient::answered(const ControlAnswer& answer) {
  auto question = open_.extract(answer.number);
  if (question.empty()) {
    return;  // a second answer, or too late
  }
  open_bytes_ -= question.mapped().size_bytes + question.mapped().answer_bytes;
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
    open_bytes_ -= one->second.size_bytes + one->second.answer_bytes;
    one = open_.erase(one);
  }
  std::erase_if(waiting_, [&](Question& question) {
    bool is_over = question.deadline_ns <= now_ns;
    if (is_over) {
      over.push_back(std::move(question.answered));
      waiting_bytes_ -= question.size_bytes;
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
