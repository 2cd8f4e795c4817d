#include "runtime/loop/poll_port.h"

#include <errno.h>
#include <kj/debug.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace sabir::loop {

class PollPort::Watch final : public Readiness {
 public:
  Watch(PollPort& port, int fd) : port_(port), fd_(fd) { port_.watches_.push_back(this); }
  ~Watch() noexcept(false) override { std::erase(port_.watches_, this); }

  kj::Promise<void> when_readable() override { return when(POLLIN); }
  kj::Promise<void> when_writable() override { return when(POLLOUT); }
  kj::Promise<void> when_hung_up() override { return when(POLLRDHUP); }

  int fd() const { return fd_; }
  short interest() const {
    return static_cast<short>((waiters_[0] != nullptr ? POLLIN : 0) | (waiters_[1] != nullptr ? POLLOUT : 0) |
                              (waiters_[2] != nullptr ? POLLRDHUP : 0));
  }

  void fire(short ready) {
    if ((ready & (POLLERR | POLLNVAL | POLLHUP)) != 0) {
      // The next read or write says what happened.
      ready = POLLIN | POLLOUT | POLLRDHUP;
    }
    for (short event : {POLLIN, POLLOUT, POLLRDHUP}) {
      auto& waiter = waiters_[index(event)];
      if ((ready & event) != 0) {
        KJ_IF_MAYBE (fulfiller, waiter) {
          fulfiller->get()->fulfill();
          waiter = nullptr;
        }
      }
    }
  }

 private:
  static size_t index(short event) { return event == POLLIN ? 0 : event == POLLOUT ? 1 : 2; }

  kj::Promise<void> when(short event) {
    auto pair = kj::newPromiseAndFulfiller<void>();
    waiters_[index(event)] = kj::mv(pair.fulfiller);
    return kj::mv(pair.promise);
  }

  PollPort& port_;
  int fd_;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> waiters_[3];
};

PollPort::PollPort(std::function<void()> on_wake) : on_wake_(std::move(on_wake)) {
  int fd = -1;
  KJ_SYSCALL(fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  wake_fd_.reset(fd);
}

PollPort::~PollPort() noexcept(false) { KJ_ASSERT(watches_.empty(), "a watch outlives its port"); }

kj::Own<Readiness> PollPort::watch(int fd) { return kj::heap<Watch>(*this, fd); }

bool PollPort::wait() { return look(-1); }

bool PollPort::poll() { return look(0); }

void PollPort::wake() const {
  uint64_t one = 1;
  // A counter that is full has woken already.
  (void)!write(wake_fd_.get(), &one, sizeof(one));
}

bool PollPort::look(int timeout_ms) {
  std::vector<pollfd> states{{wake_fd_.get(), POLLIN, 0}};
  std::vector<Watch*> watches;
  for (Watch* watch : watches_) {
    if (watch->interest() != 0) {
      watches.push_back(watch);
      states.push_back({watch->fd(), watch->interest(), 0});
    }
  }
  if (::poll(states.data(), states.size(), timeout_ms) <= 0) {
    return false;
  }
  for (size_t i = 0; i < watches.size(); ++i) {
    if (states[i + 1].revents != 0) {
      watches[i]->fire(states[i + 1].revents);
    }
  }
  if (states[0].revents == 0) {
    return false;
  }
  uint64_t count = 0;
  (void)!read(wake_fd_.get(), &count, sizeof(count));
  on_wake_();
  return true;
}

}  // namespace sabir::loop
