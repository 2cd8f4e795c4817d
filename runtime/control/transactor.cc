#include "runtime/control/transactor.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::control {

Transactor::Transactor(ControlStore* store, StagedStorage* staged, CommitQueue* queue, const Clock* clock, Hooks hooks)
    : Transactor(store, staged, queue, clock, std::move(hooks), Options()) {}

Transactor::Transactor(ControlStore* store, StagedStorage* staged, CommitQueue* queue, const Clock* clock, Hooks hooks,
                       Options options)
    : store_(store), staged_(staged), queue_(queue), clock_(clock), hooks_(std::move(hooks)), options_(options) {}

Transactor::~Transactor() { *alive_ = false; }

std::optional<Error> Transactor::gate() const {
  if (refusal_ && (under_way_ > 0 || clock_->now_ns() < try_at_ns_)) {
    return refusal_;
  }
  if (waiting_ >= options_.max_waiting || queue_->full()) {
    return exhausted_error("the control store has more changes under way than its disk can take");
  }
  return std::nullopt;
}

void Transactor::change(const RequestKey& request, const Work& work, Answer answer) {
  if (stopped_) {
    return answer(*refusal_);
  }
  if (std::optional<Result<std::string>> known = store_->replies().admit(request)) {
    auto under_way = by_request_.find({request.client, request.id});
    return under_way == by_request_.end() ? answer(std::move(*known)) : join(*under_way->second, std::move(answer));
  }
  if (std::optional<Error> refused = gate()) {
    store_->replies().refuse(request, *refused);
    return answer(std::move(*refused));
  }
  run(&request, work, std::move(answer));
}

void Transactor::change(const Work& work, Answer answer) {
  if (std::optional<Error> refused = would_refuse()) {
    return answer(std::move(*refused));
  }
  run(nullptr, work, std::move(answer));
}

void Transactor::read(Work work, Answer answer) {
  if (stopped_) {
    return answer(*refusal_);
  }
  if (entries_.empty()) {
    return answer(work());
  }
  if (waiting_ >= options_.max_waiting) {
    return answer(exhausted_error("the control store has too many requests under way"));
  }
  Entry entry;
  entry.reply = work();
  entry.work = std::move(work);
  entry.answers.push_back(std::move(answer));
  add(std::move(entry));
}

void Transactor::join(Entry& entry, Answer answer) {
  if (entry.answers.size() >= kMaxAttempts) {
    Answer oldest = std::move(entry.answers.front());
    entry.answers.erase(entry.answers.begin());
    entry.answers.push_back(std::move(answer));
    return oldest(disconnected_error("later attempts of this request wait in its place"));
  }
  entry.answers.push_back(std::move(answer));
  ++waiting_;
}

void Transactor::run(const RequestKey* request, const Work& work, Answer answer) {
  Entry entry;
  entry.answers.push_back(std::move(answer));
  staged_->begin();
  entry.reply = work();
  if (entry.reply.ok() && request != nullptr) {
    if (Result<void> recorded = store_->replies().record(*request, *entry.reply); !recorded.ok()) {
      entry.reply = std::move(recorded).error();
    }
  }
  if (entry.reply.ok()) {
    StagedStorage::Staged staged = staged_->take();
    entry.undo = std::move(staged.undo);
    if (!staged.batch.empty()) {
      entry.batch = std::make_shared<const Batch>(std::move(staged.batch));
    }
  } else if (staged_->abort()) {
    reload();
  }
  if (request != nullptr) {
    entry.request = *request;
    if (!entry.reply.ok()) {
      store_->replies().refuse(*request, entry.reply.error());
    }
  }
  std::shared_ptr<const Batch> batch = entry.batch;
  add(std::move(entry));
  if (batch) {
    ++under_way_;
    queue_->submit(term_, std::move(batch), [this, alive = alive_, term = term_](const Result<void>& outcome) {
      if (*alive) {
        settled(term, outcome);
      }
    });
  } else {
    answer_ready();
  }
}

void Transactor::add(Entry entry) {
  waiting_ += entry.answers.size();
  entries_.push_back(std::move(entry));
  if (const std::optional<RequestKey>& request = entries_.back().request) {
    by_request_[{request->client, request->id}] = &entries_.back();
  }
}

void Transactor::settled(uint64_t term, const Result<void>& outcome) {
  if (term != term_ || stopped_) {
    return;  // taken back already, with one before it
  }
  if (!outcome.ok()) {
    return take_back(outcome.error());
  }
  SABIR_CHECK(!entries_.empty() && entries_.front().batch);
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  --under_way_;
  refusal_.reset();
  pause_ns_ = 0;
  if (hooks_.committed) {
    hooks_.committed(*entry.batch);
  }
  answer(std::move(entry));
  answer_ready();
}

void Transactor::answer_ready() {
  while (!entries_.empty() && !entries_.front().batch) {
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    answer(std::move(entry));
  }
}

void Transactor::answer(Entry entry) {
  if (entry.request) {
    by_request_.erase({entry.request->client, entry.request->id});
  }
  waiting_ -= entry.answers.size();
  for (Answer& one : entry.answers) {
    one(entry.reply);
  }
}

void Transactor::take_back(const Error& error) {
  std::deque<Entry> entries = std::exchange(entries_, {});
  by_request_.clear();
  waiting_ = 0;
  under_way_ = 0;
  ++term_;
  stopped_ = error.kind() != ErrorKind::kExhausted;
  if (stopped_) {
    bool fenced = error.kind() == ErrorKind::kDisconnected;
    refusal_ = disconnected_error(
        error.message() + (fenced ? "" : ": what was under way may or may not be done; ask again by its number"));
  } else {
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      staged_->undo(entry->undo);
    }
    reload();
    pause_ns_ = std::clamp(pause_ns_ * 2, options_.min_pause_ns, options_.max_pause_ns);
    try_at_ns_ = clock_->now_ns() + pause_ns_;
    refusal_ = exhausted_error("the control store's disk takes no changes: " + error.message());
    // All before any answer: an answer may ask again.
    for (const Entry& entry : entries) {
      if (entry.request) {
        store_->replies().refuse(*entry.request, *refusal_);
      }
    }
  }
  Error answer_error = *refusal_;
  if (stopped_ && hooks_.stopped) {
    hooks_.stopped(error);
  }
  for (Entry& entry : entries) {
    for (Answer& one : entry.answers) {
      if (entry.work && !stopped_) {
        read(entry.work, std::move(one));
      } else {
        one(answer_error);
      }
    }
  }
}

void Transactor::reload() {
  Result<void> loaded = store_->load();
  // These are the bytes that this process wrote.
  SABIR_CHECK(loaded.ok(), loaded.ok() ? "" : loaded.error().message());
  if (hooks_.taken_back) {
    hooks_.taken_back();
  }
}

}  // namespace sabir::control
