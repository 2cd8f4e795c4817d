// Each request is executed once: the answers to a process's mutating calls, by the ids that it gave them.
#pragma once

#include <kj/async.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/rpc/session_handler.h"

namespace sabir::rpc {

// How much memory an answer keeps.
size_t answer_bytes(const Error& error);
size_t answer_bytes(const ActorInfo& info);
size_t answer_bytes(const ClassInfo& info);
template <typename T>
size_t answer_bytes(const T&) {
  return sizeof(T);
}

// One call's answer, for all who ask for it, now or later. On the loop's thread.
class AnswerBase {
 public:
  explicit AnswerBase(const char* method) : method_(method) {}
  virtual ~AnswerBase() = default;

  const char* method() const { return method_; }
  bool finished() const { return finished_; }
  kj::Promise<void> when_finished();

 protected:
  void finish();

 private:
  const char* method_;  // a literal
  bool finished_ = false;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> waiters_;
};

template <typename T>
class Answer final : public AnswerBase {
 public:
  using AnswerBase::AnswerBase;

  const Result<T>& result() const { return *result_; }
  // The first result stays.
  void set(Result<T> result) {
    if (!result_.has_value()) {
      result_.emplace(std::move(result));
      finish();
    }
  }

 private:
  std::optional<Result<T>> result_;
};

// The answers that one process may still ask for again. Ids rise, so what was forgotten is told from what is new: of
// finished answers the oldest go first, and a request that is not newer than one that went is refused, not run again.
class AnswerTable {
 public:
  AnswerTable(uint32_t max_answers, uint64_t max_bytes) : max_answers_(max_answers), max_bytes_(max_bytes) {}

  // The answer under this id, if it is known; null if the request is new.
  Result<std::shared_ptr<AnswerBase>> find(uint64_t request_id, const char* method) const;
  void add(uint64_t request_id, std::shared_ptr<AnswerBase> answer);
  // It may be forgotten from now on.
  void finished(uint64_t request_id, size_t size_bytes);

  size_t size() const { return answers_.size(); }

 private:
  struct Finished {
    uint64_t request_id;
    size_t size_bytes;
  };

  uint32_t max_answers_;
  uint64_t max_bytes_;
  std::unordered_map<uint64_t, std::shared_ptr<AnswerBase>> answers_;
  std::deque<Finished> finished_;  // oldest first
  uint64_t finished_bytes_ = 0;
  uint64_t newest_forgotten_ = 0;
};

// What a handler gets to answer with. A handler that loses it has answered too: kInternal.
template <typename T>
Reply<T> reply_to(std::shared_ptr<Answer<T>> answer, std::function<void(size_t size_bytes)> on_finished) {
  class Once {
   public:
    Once(std::shared_ptr<Answer<T>> answer, std::function<void(size_t)> on_finished)
        : answer_(std::move(answer)), on_finished_(std::move(on_finished)) {}
    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;
    ~Once() { set(internal_error(std::string(answer_->method()) + " was not answered")); }

    void set(Result<T> result) {
      if (answer_->finished()) {
        return;
      }
      size_t size_bytes = sizeof(*answer_);
      if (!result.ok()) {
        size_bytes += answer_bytes(result.error());
      } else if constexpr (!std::is_void_v<T>) {
        size_bytes += answer_bytes(result.value());
      }
      answer_->set(std::move(result));
      if (on_finished_) {
        on_finished_(size_bytes);
      }
    }

   private:
    std::shared_ptr<Answer<T>> answer_;
    std::function<void(size_t)> on_finished_;
  };
  auto once = std::make_shared<Once>(std::move(answer), std::move(on_finished));
  return [once](Result<T> result) { once->set(std::move(result)); };
}

}  // namespace sabir::rpc
