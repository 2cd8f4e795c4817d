#include "runtime/rpc/answers.h"

#include <algorithm>
#include <string_view>

namespace sabir::rpc {

size_t answer_bytes(const Error& error) { return error.message().size(); }

size_t answer_bytes(const ActorInfo& info) {
  return sizeof(info) + info.actor_id.size() + info.name.size() + info.class_name.size() + info.class_info.size();
}

size_t answer_bytes(const ClassInfo& info) { return sizeof(info) + info.infeasible.size(); }

kj::Promise<void> AnswerBase::when_finished() {
  if (finished_) {
    return kj::READY_NOW;
  }
  auto pair = kj::newPromiseAndFulfiller<void>();
  waiters_.push_back(kj::mv(pair.fulfiller));
  return kj::mv(pair.promise);
}

void AnswerBase::finish() {
  finished_ = true;
  for (auto& waiter : waiters_) {
    waiter->fulfill();
  }
  waiters_.clear();
}

Result<std::shared_ptr<AnswerBase>> AnswerTable::find(uint64_t request_id, const char* method) const {
  auto found = answers_.find(request_id);
  if (found == answers_.end()) {
    if (request_id <= newest_forgotten_) {
      return invalid_error("request " + std::to_string(request_id) + " is older than the answers that are remembered");
    }
    return std::shared_ptr<AnswerBase>();
  }
  if (std::string_view(found->second->method()) != method) {
    return invalid_error("request " + std::to_string(request_id) + " was a call of " + found->second->method());
  }
  return found->second;
}

void AnswerTable::add(uint64_t request_id, std::shared_ptr<AnswerBase> answer) {
  answers_.emplace(request_id, std::move(answer));
}

void AnswerTable::finished(uint64_t request_id, size_t size_bytes) {
  finished_.push_back({request_id, size_bytes});
  finished_bytes_ += size_bytes;
  while (finished_.size() > max_answers_ || (finished_bytes_ > max_bytes_ && finished_.size() > 1)) {
    const Finished& oldest = finished_.front();
    newest_forgotten_ = std::max(newest_forgotten_, oldest.request_id);
    finished_bytes_ -= oldest.size_bytes;
    answers_.erase(oldest.request_id);
    finished_.pop_front();
  }
}

}  // namespace sabir::rpc
