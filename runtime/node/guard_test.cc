#include "runtime/node/guard.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace sabir::node {
namespace {

pid_t start_group() {
  pid_t pid = ::fork();
  if (pid == 0) {
    ::setsid();
    while (true) {
      ::pause();
    }
  }
  while (::getpgid(pid) != pid) {
    ::usleep(100);
  }
  return pid;
}

bool ends_soon(pid_t pid) {
  for (int i = 0; i < 200; ++i) {
    if (::waitpid(pid, nullptr, WNOHANG) == pid) {
      return true;
    }
    ::usleep(5'000);
  }
  return false;
}

TEST(GuardTest, KillsWhatIsLeftWhenItsDaemonIsKilled) {
  pid_t guarded = start_group();
  pid_t let_go = start_group();
  pid_t daemon = ::fork();
  if (daemon == 0) {
    Result<Guard> guard = Guard::start();
    if (!guard.ok()) {
      ::_exit(1);
    }
    guard->add(guarded);
    guard->add(let_go);
    guard->add(guarded);
    guard->remove(let_go);
    ::raise(SIGKILL);
  }
  ::waitpid(daemon, nullptr, 0);
  EXPECT_TRUE(ends_soon(guarded));
  EXPECT_EQ(::kill(let_go, 0), 0);
  ::kill(let_go, SIGKILL);
  ::waitpid(let_go, nullptr, 0);
}

TEST(GuardTest, EndsWithItsOwner) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  { ASSERT_TRUE(Guard::start().ok()); }
  EXPECT_GT(::waitpid(-1, nullptr, 0), 0);
}

}  // namespace
}  // namespace sabir::node
