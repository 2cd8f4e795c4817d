#include "runtime/rpc/node_link/node_port.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <utility>

namespace sabir::node_link {

namespace {

constexpr int kAcceptsPerRound = 32;
constexpr int64_t kAcceptPauseNs = 100 * kMillisecondNs;

UniqueFd open_reserve() { return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Of the peer, of the network or of both ends' timing: nothing that trying again and again would gain by.
bool is_offence(Refusal refusal) { return refusal != Refusal::kCrossed && refusal != Refusal::kClosing; }

}  // namespace

NodePort::NodePort(const LoginContext& context, Logger logger, NodePortOptions options)
    : context_(context),
      logger_(std::move(logger)),
      options_(options),
      limiter_(clock_, options.limits),
      reserve_(open_reserve()),
      pause_(context.loop, [this] { watcher_->watch(loop::kReadable); }) {}

Result<void> NodePort::listen(const HostPort& where) {
  SABIR_ASSIGN_OR_RETURN(Addresses addresses, look_up(where));
  SABIR_ASSIGN_OR_RETURN(UniqueFd listener, listen_at(addresses.front()));
  SABIR_ASSIGN_OR_RETURN(auto watcher,
                         loop::FdWatcher::create(context_.loop, listener.get(), [this](uint32_t) { accept_some(); }));
  watcher_ = std::move(watcher);
  listener_ = std::move(listener);
  watcher_->watch(loop::kReadable);
  return {};
}

void NodePort::stop() {
  pause_.stop();
  watcher_.reset();
  listener_.reset();
  logins_.clear();
}

void NodePort::accept_some() {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.valid()) {
      admit(std::move(socket));
    } else if (errno == EMFILE || errno == ENFILE) {
      if (!make_room()) {
        return pause();
      }
    } else if (errno != EINTR && errno != ECONNABORTED) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        logger_.warning("node port: ", Error::from_errno(errno, "accept").message());
        pause();
      }
      return;
    }
  }
}

// Out of descriptors, the next connection would stay in the backlog and the loop would spin on it. A login gives its
// descriptor up for it; if there is none, the connection is taken with the one descriptor kept for that, and closed.
bool NodePort::make_room() {
  log_shed();
  if (!logins_.empty()) {
    logins_.pop_front();
    return true;
  }
  reserve_.reset();
  UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  bool taken = socket.valid();
  socket.reset();
  reserve_ = open_reserve();
  return taken && reserve_.valid();
}

void NodePort::pause() {
  watcher_->watch(0);
  pause_.start_once(kAcceptPauseNs);
}

void NodePort::admit(UniqueFd socket) {
  std::string network = peer_address(socket.get()).network();
  if (!limiter_.admits(network)) {
    return turn_away(socket);
  }
  if (!prepare_socket(socket.get(), options_.socket).ok()) {
    return;  // gone already
  }
  if (logins_.size() >= options_.max_logins) {
    log_shed();
    logins_.pop_front();
  }
  auto login = logins_.emplace(logins_.end());
  *login = std::make_unique<Login>(context_, std::move(socket), options_.login_timeout_ns,
                                   [this, login](const Failure& failure) { on_login(login, failure); });
}

void NodePort::turn_away(const UniqueFd& socket) {
  SocketAddress address = peer_address(socket.get());
  uint64_t count = limiter_.turned_away(address.network());
  log_failure(address, count, {Refusal::kOverloaded, "too many logins of this address failed"});
}

void NodePort::on_login(std::list<std::unique_ptr<Login>>::iterator login, const Failure& failure) {
  std::unique_ptr<Login> ended = std::move(*login);
  logins_.erase(login);
  if (failure.refusal == Refusal::kNone) {
    return;
  }
  uint64_t count = is_offence(failure.refusal) ? limiter_.failed(ended->address().network()) : 0;
  log_failure(ended->address(), count, failure);
}

void NodePort::log_failure(const SocketAddress& address, uint64_t count, const Failure& failure) const {
  if (count == 1) {
    logger_.warning("node port: refused ", address.text(), ": ", failure.error().message());
  } else if (count > 1) {
    logger_.warning("node port: refused ", count, " connections of the network of ", address.text(),
                    ", the last one: ", failure.error().message());
  } else {
    logger_.debug("node port: refused ", address.text(), ": ", failure.error().message());
  }
}

void NodePort::log_shed() {
  ++shed_;
  int64_t now_ns = clock_.now_ns();
  if (shed_logged_ns_ == 0 || now_ns - shed_logged_ns_ >= options_.limits.log_interval_ns) {
    logger_.warning("node port: dropped ", shed_, " of the oldest connections that had not logged in, for new ones");
    shed_logged_ns_ = now_ns;
    shed_ = 0;
  }
}

}  // namespace sabir::node_link
