#include "runtime/rpc/control_thread.h"

#include <kj/debug.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <deque>
#include <system_error>

#include "runtime/base/clock.h"
#include "runtime/rpc/convert.h"
#include "runtime/rpc/message_guard.h"

namespace sabir::rpc {

namespace {

// Together, and with each call sent twice, below what a node allows (SessionServerOptions::max_calls_in_flight).
constexpr uint32_t kMaxOpenCalls = 512;
constexpr uint32_t kMaxCommands = 256;
constexpr int kNestingLimit = 64;
constexpr int64_t kFlushNs = 200 * kMillisecondNs;

class NoticesServer final : public schema::Notices::Server {
 public:
  explicit NoticesServer(NoticeHandler* handler) : handler_(handler) {}

 protected:
  kj::Promise<void> log(LogContext call) override {
    handler_->on_log(read(call.getParams().getLines()));
    return kj::READY_NOW;
  }
  kj::Promise<void> warn(WarnContext call) override {
    handler_->on_warn(to_string(call.getParams().getText()));
    return kj::READY_NOW;
  }
  kj::Promise<void> collect(CollectContext) override {
    handler_->on_collect();
    return kj::READY_NOW;
  }
  kj::Promise<void> exit(ExitContext call) override {
    handler_->on_exit(to_string(call.getParams().getReason()));
    return kj::READY_NOW;
  }
  kj::Promise<void> group(GroupContext call) override {
    auto params = call.getParams();
    bool failed = params.getFailure().getStatus() != 0;
    handler_->on_group(to_string(params.getId()), failed ? error_from(params.getFailure()) : Result<void>());
    return kj::READY_NOW;
  }
  kj::Promise<void> objects(ObjectsContext call) override {
    handler_->on_objects(read(call.getParams().getChanges()));
    return kj::READY_NOW;
  }

 private:
  NoticeHandler* handler_;
};

}  // namespace

class ControlThread::Wire final : public ControlWire, private kj::TaskSet::ErrorHandler {
 public:
  Wire(loop::PollPort& port, UniqueFd socket, NoticeHandler* handler) : tasks_(*this) {
    int fd = socket.get();
    stream_ = kj::heap<loop::SocketStream>(std::move(socket), port.watch(fd));
    messages_ = kj::heap<GuardedMessageStream>(*stream_, MessageLimits{.read_only_while_written = false});
    capnp::ReaderOptions reader;
    reader.traversalLimitInWords = MessageLimits().max_message_bytes / sizeof(capnp::word);
    reader.nestingLimit = kNestingLimit;
    network_ = kj::heap<capnp::TwoPartyVatNetwork>(*messages_, capnp::rpc::twoparty::Side::CLIENT, reader);
    auto& rpc = rpc_.emplace(capnp::makeRpcClient(*network_));
    capnp::MallocMessageBuilder message(4);
    auto node = message.initRoot<capnp::rpc::twoparty::VatId>();
    node.setSide(capnp::rpc::twoparty::Side::SERVER);
    session_ = rpc.bootstrap(node).castAs<schema::Session>();
    auto subscribe = session_.subscribeRequest();
    subscribe.setNotices(kj::heap<NoticesServer>(handler));
    run(subscribe.send().ignoreResult());
    auto pair = kj::newPromiseAndFulfiller<void>();
    stop_ = kj::mv(pair.fulfiller);
    stopped_ = kj::mv(pair.promise);
  }

  ~Wire() noexcept override = default;

  schema::Session::Client& session() override { return session_; }
  uint64_t next_request_id() override { return ++last_request_id_; }
  void run(kj::Promise<void> task) override { tasks_.add(kj::mv(task)); }
  void queue(std::function<kj::Promise<void>()> command) override {
    commands_.push_back(std::move(command));
    run_commands();
  }
  bool open(std::shared_ptr<PendingCall> call) override {
    if (open_.size() >= kMaxOpenCalls) {
      return false;
    }
    open_.insert(std::move(call));
    return true;
  }
  void close(const std::shared_ptr<PendingCall>& call) override { open_.erase(call); }

  void stop() { stop_->fulfill(); }

  // Until the other side or stop() ends it.
  void serve(kj::WaitScope& scope) { network_->onDisconnect().exclusiveJoin(kj::mv(stopped_)).wait(scope); }

  // What was posted before still arrives, if the node reads it within a moment. Closing at once would lose it: the
  // node's end stops reading when it cannot write its answers any more. So this side only ends its writing, and the
  // node closes when it has read everything.
  void flush(kj::WaitScope& scope) {
    SteadyClock clock;
    int64_t deadline_ns = clock.now_ns() + kFlushNs;
    bool gone = false;
    auto end = network_->onDisconnect().then([&gone] { gone = true; }).eagerlyEvaluate(nullptr);
    bool write_ended = false;
    while (true) {
      scope.poll();
      if (!write_ended && commands_.empty() && network_->getCurrentQueueCount() == 0) {
        stream_->shutdownWrite();
        write_ended = true;
      }
      if (gone || clock.now_ns() >= deadline_ns) {
        return;
      }
      timespec pause{0, kMillisecondNs / 4};
      nanosleep(&pause, nullptr);
    }
  }

  void fail_all(const Error& error) {
    for (const auto& call : std::exchange(open_, {})) {
      call->fail(error);
    }
  }

 private:
  void taskFailed(kj::Exception&&) override {}

  void run_commands() {
    while (!commands_.empty() && commands_running_ < kMaxCommands) {
      std::function<kj::Promise<void>()> command = std::move(commands_.front());
      commands_.pop_front();
      ++commands_running_;
      auto ended = [this] {
        --commands_running_;
        run_commands();
      };
      auto failed = [ended](kj::Exception&&) { ended(); };
      run(kj::evalNow(command).then(kj::mv(ended), kj::mv(failed)));
    }
  }

  kj::Own<loop::SocketStream> stream_;
  kj::Own<GuardedMessageStream> messages_;
  kj::Own<capnp::TwoPartyVatNetwork> network_;
  kj::Maybe<capnp::RpcSystem<capnp::rpc::twoparty::VatId>> rpc_;
  schema::Session::Client session_ = nullptr;
  kj::Own<kj::PromiseFulfiller<void>> stop_;
  kj::Promise<void> stopped_ = nullptr;
  std::unordered_set<std::shared_ptr<PendingCall>> open_;
  uint64_t last_request_id_ = 0;
  std::deque<std::function<kj::Promise<void>()>> commands_;  // not yet sent
  uint32_t commands_running_ = 0;
  kj::TaskSet tasks_;
};

Result<void> ControlThread::start(UniqueFd socket, NoticeHandler* handler) {
  if (port_ != nullptr) {
    return invalid_error("the control thread runs already");
  }
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions(
                              [this] { port_ = std::make_unique<loop::PollPort>([this] { run_posted(); }); })) {
    return error_from(*exception);
  }
  // The thread inherits the mask: no signal of the user's program is ever delivered to it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<void> result;
  try {
    thread_ = std::thread([this, socket = std::move(socket), handler]() mutable {
      pthread_setname_np(pthread_self(), "sabir-control");
      serve(std::move(socket), handler);
    });
  } catch (const std::system_error& error) {
    result = Error::from_errno(error.code().value(), "start the control thread");
    port_.reset();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

void ControlThread::stop() {
  std::lock_guard stopping(stop_mutex_);
  {
    std::lock_guard lock(mutex_);
    stop_asked_ = true;
    if (!thread_.joinable()) {
      if (!ended_.has_value()) {
        ended_.emplace(closed_error("the session is closed"));
      }
      return;
    }
  }
  port_->wake();
  thread_.join();
}

Result<void> ControlThread::post(Task task) {
  std::lock_guard lock(mutex_);
  if (ended_.has_value()) {
    return *ended_;
  }
  posted_.push_back(std::move(task));
  if (port_ != nullptr) {
    port_->wake();
  }
  return {};
}

void ControlThread::run_posted() {
  std::vector<Task> tasks;
  bool stop_asked = false;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
    stop_asked = stop_asked_;
  }
  for (Task& task : tasks) {
    task(*wire_);
  }
  if (stop_asked) {
    wire_->stop();
  }
}

void ControlThread::serve(UniqueFd socket, NoticeHandler* handler) {
  Error ended = disconnected_error("the connection to the node is gone");
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&] { serve_connection(std::move(socket), handler); })) {
    ended = std::move(ended).with_context(exception->getDescription().cStr());
  }
  {
    std::lock_guard lock(mutex_);
    if (!ended_.has_value()) {
      ended_.emplace(std::move(ended));
    }
    posted_.clear();
  }
  handler->on_disconnect();
}

void ControlThread::serve_connection(UniqueFd socket, NoticeHandler* handler) {
  kj::EventLoop loop(*port_);
  kj::WaitScope scope(loop);
  Wire wire(*port_, std::move(socket), handler);
  wire_ = &wire;
  run_posted();
  wire.serve(scope);
  Error ended = disconnected_error("the node has closed the connection, or is gone");
  {
    std::lock_guard lock(mutex_);
    if (stop_asked_) {
      ended = closed_error("the session is closed");
    }
    ended_.emplace(ended);
  }
  // Nothing is posted from here on; what was, still learns how it ends.
  run_posted();
  wire.fail_all(ended);
  wire.flush(scope);
}

}  // namespace sabir::rpc
