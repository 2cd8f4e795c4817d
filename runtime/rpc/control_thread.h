// ControlThread: the quiet thread (P2) of a process that runs the control channel, and how other threads call through
// it.
#pragma once

#include <capnp/rpc-twoparty.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/loop/poll_port.h"
#include "runtime/rpc/session_client.h"
#include "schema/session.capnp.h"

namespace sabir::rpc {

// A call that some thread waits for. Its end comes from the control thread, or as a timeout from the waiting one.
class PendingCall {
 public:
  virtual ~PendingCall() = default;
  virtual void fail(Error error) = 0;
  virtual bool ended() = 0;
};

template <typename T>
class TypedPendingCall final : public PendingCall {
 public:
  // What to do, on the control thread, with a result that came after its caller had gone.
  using OnLate = std::function<void(Result<T>)>;

  explicit TypedPendingCall(OnLate on_late = nullptr) : on_late_(std::move(on_late)) {}

  void end(Result<T> result) {
    std::unique_lock lock(mutex_);
    if (ended_) {
      return;
    }
    ended_ = true;
    if (!abandoned_) {
      result_.emplace(std::move(result));
      condition_.notify_all();
      return;
    }
    lock.unlock();
    if (on_late_) {
      on_late_(std::move(result));
    }
  }
  void fail(Error error) override { end(std::move(error)); }
  bool ended() override {
    std::lock_guard lock(mutex_);
    return ended_;
  }

  // False: still open at the deadline.
  bool wait_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return condition_.wait_until(lock, deadline, [this] { return ended_; });
  }
  // Once: the result, or the caller goes without it.
  Result<T> take() {
    std::lock_guard lock(mutex_);
    if (result_.has_value()) {
      return std::move(*result_);
    }
    abandoned_ = true;
    return timeout_error("the node did not answer in time");
  }

 private:
  OnLate on_late_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable condition_;
  std::optional<Result<T>> result_;
  bool ended_ = false;
  bool abandoned_ = false;
};

// The control thread's own view of the connection. Only that thread touches it.
class ControlWire {
 public:
  virtual ~ControlWire() = default;
  virtual schema::Session::Client& session() = 0;
  virtual uint64_t next_request_id() = 0;
  // Runs until the connection ends; its failure is nobody's.
  virtual void run(kj::Promise<void> task) = 0;
  // Runs `command` when few enough of its kind are under way, in the order of the calls: a burst of what nobody waits
  // for stays in this process and does not run into the node's limits.
  virtual void queue(std::function<kj::Promise<void>()> command) = 0;
  // Whoever still waits when the connection ends gets that error. False: too many calls are open.
  virtual bool open(std::shared_ptr<PendingCall> call) = 0;
  virtual void close(const std::shared_ptr<PendingCall>& call) = 0;
};

class ControlThread {
 public:
  using Task = std::function<void(ControlWire&)>;

  ControlThread() = default;
  ~ControlThread() { stop(); }
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  Result<void> start(UniqueFd socket, NoticeHandler* handler);
  // What was posted before still goes out, if the node takes it within a moment.
  void stop();

  // Runs `task` on the control thread, in the order of the posts. An error, and no task, once the connection is over.
  Result<void> post(Task task);

 private:
  class Wire;
  void serve(UniqueFd socket, NoticeHandler* handler);
  void run_posted();
  void serve_connection(UniqueFd socket, NoticeHandler* handler);

  std::unique_ptr<loop::PollPort> port_;  // set before the thread is, gone after it
  std::thread thread_;
  std::mutex stop_mutex_;  // one stop() at a time
  Wire* wire_ = nullptr;   // the control thread's

  std::mutex mutex_;  // guards what follows
  std::vector<Task> posted_;
  bool stop_asked_ = false;
  std::optional<Error> ended_;
};

}  // namespace sabir::rpc
