#include "runtime/rpc/session_server.h"

#include <errno.h>
#include <fcntl.h>
#include <kj/debug.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/loop/event_port.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/connection.h"
#include "runtime/rpc/frame.h"
#include "runtime/rpc/peer.h"

namespace sabir::rpc {

namespace {

constexpr int kAcceptsPerRound = 32;
constexpr int64_t kAcceptPauseNs = 100 * kMillisecondNs;

UniqueFd open_reserve() { return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Tells a process why it is not served, if its socket takes that at once.
void turn_away(const UniqueFd& socket, const Error& error) {
  std::string frame = encode_refusal(error);
  (void)!send(socket.get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

class SessionServer::State final : kj::TaskSet::ErrorHandler {
 public:
  // Without a KJ loop it makes one.
  State(loop::EventLoop& loop, loop::KjLoop* kj_loop, SessionHandler& handler, Logger logger,
        SessionServerOptions options)
      : loop_(loop),
        logger_(std::move(logger)),
        options_(std::move(options)),
        reserve_(open_reserve()),
        own_kj_loop_(kj_loop == nullptr ? std::make_unique<loop::KjLoop>(loop) : nullptr),
        kj_loop_(kj_loop == nullptr ? *own_kj_loop_ : *kj_loop),
        budget_(options_.max_total_bytes),
        context_{kj_loop_, handler, logger_, options_, budget_},
        pause_(loop, [this] { watch_listener(); }),
        tasks_(*this) {}

  Result<void> listen(const std::string& session_path) {
    SABIR_RETURN_IF_ERROR(check_session_directory(session_path, geteuid()));
    SABIR_ASSIGN_OR_RETURN(UniqueFd listener, listen_at(session_path));
    SABIR_ASSIGN_OR_RETURN(auto watcher,
                           loop::FdWatcher::create(loop_, listener.get(), [this](uint32_t) { accept_some(); }));
    watcher_ = std::move(watcher);
    listener_ = std::move(listener);
    socket_path_ = session_path + "/node.sock";
    watch_listener();
    return {};
  }

  void stop_listening() {
    pause_.stop();
    watcher_.reset();
    if (listener_.valid()) {
      unlink(socket_path_.c_str());
      listener_.reset();
    }
  }

  Result<void> serve(UniqueFd socket) {
    auto peer = peer_credentials(socket.get());
    Result<void> result = peer.ok() ? check_peer_uid(peer->uid, geteuid()) : Result<void>(peer.error());
    if (result.ok() && connections_ >= options_.max_connections) {
      result = exhausted_error("the node serves as many connections as it may");
    }
    if (!result.ok()) {
      turn_away(socket, result.error());
      return result;
    }
    KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&] {
                   auto connection = kj::heap<Connection>(context_, std::move(socket), std::move(peer).value());
                   auto run = connection->run();
                   ++connections_;
                   tasks_.add(run.attach(kj::mv(connection), kj::defer([this] { --connections_; })));
                 })) {
      result = internal_error(exception->getDescription().cStr());
    }
    return result;
  }

  uint32_t connection_count() const { return connections_; }

 private:
  void taskFailed(kj::Exception&& exception) override {
    logger_.error("a connection failed: ", exception.getDescription().cStr());
  }

  void watch_listener() {
    if (watcher_ != nullptr) {
      watcher_->watch(loop::kReadable);
    }
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsPerRound; ++i) {
      UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (socket.valid()) {
        auto served = serve(std::move(socket));
        if (!served.ok()) {
          log_turned_away(served.error());
        }
      } else if (errno == EMFILE || errno == ENFILE) {
        if (!shed_one()) {
          return;
        }
      } else if (errno != EINTR && errno != ECONNABORTED) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
          logger_.warning("accept: ", Error::from_errno(errno, "accept").message());
          pause();
        }
        return;
      }
    }
  }

  // Out of descriptors, the newest connection would stay in the backlog and the loop would spin on it: it is taken with
  // the one descriptor kept for that, and closed. False: there was none to take.
  bool shed_one() {
    reserve_.reset();
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    bool shed = socket.valid();
    if (shed) {
      Error error = exhausted_error("the node is out of descriptors");
      turn_away(socket, error);
      log_turned_away(error);
    }
    socket.reset();
    reserve_ = open_reserve();
    if (!reserve_.valid()) {
      pause();
      return false;
    }
    return shed;
  }

  // A flood of connections is not to become a flood of lines.
  void log_turned_away(const Error& error) {
    ++turned_away_;
    if (clock_.now_ns() - turned_away_logged_ns_ >= kSecondNs) {
      logger_.warning("turned away ", turned_away_, " connections, the last one: ", error.to_string());
      turned_away_logged_ns_ = clock_.now_ns();
      turned_away_ = 0;
    }
  }

  void pause() {
    watcher_->watch(0);
    pause_.start_once(kAcceptPauseNs);
  }

  loop::EventLoop& loop_;
  Logger logger_;
  SessionServerOptions options_;
  UniqueFd reserve_;
  std::unique_ptr<loop::KjLoop> own_kj_loop_;
  loop::KjLoop& kj_loop_;
  MemoryBudget budget_;
  ConnectionContext context_;
  UniqueFd listener_;
  std::string socket_path_;
  std::unique_ptr<loop::FdWatcher> watcher_;  // of listener_
  loop::Timer pause_;
  SteadyClock clock_;
  uint64_t turned_away_ = 0;  // since the last line about it
  int64_t turned_away_logged_ns_ = 0;
  uint32_t connections_ = 0;
  kj::TaskSet tasks_;  // one for each connection; gone first
};

SessionServer::SessionServer(loop::EventLoop& loop, SessionHandler& handler, Logger logger,
                             SessionServerOptions options)
    : state_(std::make_unique<State>(loop, nullptr, handler, std::move(logger), std::move(options))) {}

SessionServer::SessionServer(loop::EventLoop& loop, loop::KjLoop& kj_loop, SessionHandler& handler, Logger logger,
                             SessionServerOptions options)
    : state_(std::make_unique<State>(loop, &kj_loop, handler, std::move(logger), std::move(options))) {}

SessionServer::~SessionServer() { stop_listening(); }

Result<void> SessionServer::listen(const std::string& session_path) { return state_->listen(session_path); }

void SessionServer::stop_listening() { state_->stop_listening(); }

Result<void> SessionServer::adopt(UniqueFd socket) { return state_->serve(std::move(socket)); }

uint32_t SessionServer::connection_count() const { return state_->connection_count(); }

}  // namespace sabir::rpc
