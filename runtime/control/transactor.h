// Requests in, answers out: runs changes and reads on the tables, and lets an answer leave when all that it has seen is
// on the disk. Change, request number and reply are one batch. A state machine: the disk is a CommitQueue.
//
// Changes see those before them at once, though they are not on the disk yet. When the disk refuses one, it and all
// that came after it are taken back, the tables are read again from memory, and their clients get the refusal: so the
// tables never keep what the disk has not. Then changes are refused, but for one in a while that tries; the first that
// succeeds opens the way again. Reads go on. When the disk failed otherwise, or another control store took over, all
// ends: nobody knows what is on the disk, and the next life reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/control/commit_queue.h"
#include "runtime/control/control_store.h"
#include "runtime/control/staged_storage.h"

namespace sabir::control {

// One thread. Answers are given on it, from within a call or from a CommitQueue's `done`; they may call again.
class Transactor {
 public:
  struct Options {
    // Requests without an answer: more are refused.
    size_t max_waiting = 16'384;
    // While the disk is full: how long until a change may try, doubled up to the maximum.
    int64_t min_pause_ns = 50 * kMillisecondNs;
    int64_t max_pause_ns = 2 * kSecondNs;
  };
  struct Hooks {
    // A batch is on the disk; before its answer leaves.
    std::function<void(const Batch&)> committed;
    // The tables were read again, because something was taken back: whoever has state of its own made from them must do
    // the same. Before those who asked hear of it.
    std::function<void()> taken_back;
    // The end, once: the process should leave, and begin anew unless it was fenced (kDisconnected).
    std::function<void(const Error&)> stopped;
  };

  // Reads or changes tables of the store. A change checks before it writes: if it fails after it has written, that is
  // taken back at the price of reading all tables again. Its reply is at most ReplyCache::kMaxReplyBytes.
  using Work = std::function<Result<std::string>()>;
  using Answer = std::function<void(Result<std::string>)>;

  // `store` stands on `staged`, and is loaded. All must outlive it.
  Transactor(ControlStore* store, StagedStorage* staged, CommitQueue* queue, const Clock* clock, Hooks hooks,
             Options options);
  Transactor(ControlStore* store, StagedStorage* staged, CommitQueue* queue, const Clock* clock, Hooks hooks);
  Transactor(const Transactor&) = delete;
  Transactor& operator=(const Transactor&) = delete;
  ~Transactor();

  // The same request again, also while the first one is under way: its answer. Beside the errors of `work` and of
  // ReplyCache::admit: kExhausted: the disk is full, or too much is under way: not done. kDisconnected: the end;
  // whether it was done is unknown, and the next control store answers the same request.
  void change(const RequestKey& request, const Work& work, Answer answer);
  // The control store's own: by a timer, or by what it has observed.
  void change(const Work& work, Answer answer);
  // `work` may run twice.
  void read(Work work, Answer answer);

  // Answers that are not given yet.
  size_t waiting() const { return waiting_; }
  // Set while changes are refused, and at the end.
  const std::optional<Error>& refusal() const { return refusal_; }
  // What a change would be refused with now.
  std::optional<Error> would_refuse() const { return stopped_ ? refusal_ : gate(); }

 private:
  static constexpr size_t kMaxAttempts = 4;  // of one request that wait for its answer

  using RequestId = std::pair<std::string, uint64_t>;  // client, id
  struct Entry {
    std::optional<RequestKey> request;
    std::shared_ptr<const Batch> batch;  // under way to the disk; none: waits only for those before it
    Batch undo;
    Work work;  // of a read
    Result<std::string> reply = std::string();
    std::vector<Answer> answers;
  };

  // Nothing: a change may run.
  std::optional<Error> gate() const;
  void join(Entry& entry, Answer answer);
  void run(const RequestKey* request, const Work& work, Answer answer);
  void add(Entry entry);
  void settled(uint64_t term, const Result<void>& outcome);
  // Answers whoever is first and waits for nothing.
  void answer_ready();
  void answer(Entry entry);
  void take_back(const Error& error);
  void reload();

  ControlStore* const store_;
  StagedStorage* const staged_;
  CommitQueue* const queue_;
  const Clock* const clock_;
  const Hooks hooks_;
  const Options options_;

  std::deque<Entry> entries_;  // in the order of their runs
  std::map<RequestId, Entry*> by_request_;
  size_t waiting_ = 0;
  size_t under_way_ = 0;  // entries with a batch
  uint64_t term_ = 1;
  std::optional<Error> refusal_;
  bool stopped_ = false;
  int64_t pause_ns_ = 0;
  int64_t try_at_ns_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a `done` may come after the end
};

}  // namespace sabir::control
