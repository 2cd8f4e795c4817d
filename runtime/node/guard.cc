#include "runtime/node/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace sabir::node {
namespace {

// Descriptors of the daemon must not live on here: its driver waits for the end of its socket.
void keep_only(int fd) {
  ::dup2(fd, 0);
  ::close_range(1, ~0U, 0);
}

[[noreturn]] void watch(int pipe) {
  ::setsid();
  ::prctl(PR_SET_NAME, "sabird-guard");
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    ::signal(number, SIG_IGN);
  }
  keep_only(pipe);
  std::set<pid_t> leaders;
  while (true) {
    pid_t change = 0;
    ssize_t size_bytes = ::read(0, &change, sizeof(change));
    if (size_bytes < 0 && errno == EINTR) {
      continue;
    }
    if (size_bytes != static_cast<ssize_t>(sizeof(change))) {
      break;  // the other end is gone
    }
    if (change > 0) {
      leaders.insert(change);
    } else {
      leaders.erase(-change);
    }
  }
  for (pid_t leader : leaders) {
    ::kill(-leader, SIGKILL);
  }
  ::_exit(0);
}

}  // namespace

Result<Guard> Guard::start() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error::from_errno(errno, "pipe for the guard");
  }
  UniqueFd reader(ends[0]), writer(ends[1]);
  pid_t pid = ::fork();
  if (pid == 0) {
    writer.reset();
    watch(reader.get());
  }
  if (pid < 0) {
    return Error::from_errno(errno, "fork the guard");
  }
  ::fcntl(writer.get(), F_SETFL, O_NONBLOCK);
  return Guard(std::move(writer));
}

void Guard::tell(pid_t change) const {
  if (pipe_) {
    // Smaller than PIPE_BUF: whole or not at all. Without a guard the node goes on, less safe.
    [[maybe_unused]] ssize_t written = ::write(pipe_.get(), &change, sizeof(change));
  }
}

}  // namespace sabir::node
