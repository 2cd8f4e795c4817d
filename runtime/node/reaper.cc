#include "runtime/node/reaper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"

namespace sabir::node {
namespace {

// The kernel shows one waiting child at a time: while that is somebody else's, look again a little later.
constexpr int64_t kAgainNs = 5 * kMillisecondNs;

// Children of the one thread that starts any.
std::vector<pid_t> children() {
  std::vector<pid_t> result;
  UniqueFd file(::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  for (ssize_t size_bytes; file && (size_bytes = ::read(file.get(), buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(size_bytes));
  }
  const char* rest = text.c_str();
  while (true) {
    char* end = nullptr;
    long pid = std::strtol(rest, &end, 10);
    if (end == rest) {
      return result;
    }
    result.push_back(static_cast<pid_t>(pid));
    rest = end;
  }
}

}  // namespace

Reaper::Reaper(loop::EventLoop& loop, std::function<bool(pid_t)> known, std::function<void(pid_t, int)> reaped)
    : known_(std::move(known)),
      reaped_(std::move(reaped)),
      again_(loop, [this] { sweep(); }),
      signals_(loop, {SIGCHLD}, [this](int) { sweep(); }) {
  sweep();
}

void Reaper::sweep() {
  while (true) {
    siginfo_t info = {};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
      return;
    }
    if (known_(info.si_pid)) {
      again_.start_once(kAgainNs);
      return;
    }
    int status = 0;
    if (::waitpid(info.si_pid, &status, WNOHANG) == info.si_pid) {
      reaped_(info.si_pid, status);
    }
  }
}

bool kill_all_children(int64_t timeout_ns) {
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + timeout_ns;
  while (true) {
    for (pid_t pid : children()) {
      if (::getpgid(pid) == pid) {
        ::kill(-pid, SIGKILL);
      }
      ::kill(pid, SIGKILL);
    }
    pid_t reaped;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0 && errno == ECHILD) {
      return true;
    }
    if (clock.now_ns() > deadline_ns) {
      return false;
    }
    ::usleep(1'000);
  }
}

}  // namespace sabir::node
