#include "runtime/node/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

extern char** environ;

namespace sabir::node {
namespace {

// What the child needs, all of it made before the fork: between fork and exec it only makes system calls.
struct Plan {
  std::vector<const char*> argv;
  std::vector<const char*> environment;
  std::vector<std::string> environment_text;
  std::vector<std::string> candidates;  // of argv[0] in PATH
  std::string oom_score;
  const SpawnRequest* request = nullptr;
  int null_fd = -1;
  int failure_fd = -1;
  pid_t parent = 0;
};

std::vector<std::string> changed_environment(const SpawnRequest& request) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    std::string_view name = text.substr(0, text.find('='));
    bool replaced = std::any_of(request.environment.begin(), request.environment.end(),
                                [&](const auto& change) { return change.first == name; });
    if (!replaced) {
      result.emplace_back(text);
    }
  }
  for (const auto& [name, value] : request.environment) {
    if (!value.empty()) {
      result.push_back(name);
      result.back().append("=").append(value);
    }
  }
  return result;
}

std::vector<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return {name};
  }
  const char* path = ::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  std::vector<std::string> candidates;
  while (true) {
    size_t colon = rest.find(':');
    std::string_view directory = rest.substr(0, colon);
    candidates.push_back(std::string(directory.empty() ? "." : directory) + "/" + name);
    if (colon == std::string_view::npos) {
      return candidates;
    }
    rest.remove_prefix(colon + 1);
  }
}

void default_signals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) {
    ::sigaction(number, &action, nullptr);  // fails for SIGKILL, SIGSTOP and libc's own: fine
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Moves a descriptor out of the way of the fixed numbers 0..3.
int lifted(int fd) { return fd < 0 ? fd : ::fcntl(fd, F_DUPFD_CLOEXEC, kChannelFd + 1); }

[[noreturn]] void run_child(const Plan& plan) {
  const SpawnRequest& request = *plan.request;
  int failure_fd = lifted(plan.failure_fd);
  int null_fd = lifted(plan.null_fd);
  int output_fd = lifted(request.output_fd);
  int error_fd = lifted(request.error_fd);
  int channel_fd = lifted(request.channel_fd);
  default_signals();
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) {
    ::_exit(127);  // the parent died before the line above
  }
  ::dup2(null_fd, 0);
  ::dup2(output_fd >= 0 ? output_fd : null_fd, 1);
  ::dup2(error_fd >= 0 ? error_fd : null_fd, 2);
  if (channel_fd >= 0) {
    ::dup2(channel_fd, kChannelFd);
  }
  // Everything of ours is close-on-exec already; what a library opened without that must not go along either.
  ::close_range(channel_fd >= 0 ? kChannelFd + 1 : kChannelFd, ~0U, CLOSE_RANGE_CLOEXEC);
  if (request.open_files_limit) {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      limit.rlim_cur = std::min<rlim_t>(*request.open_files_limit, limit.rlim_max);
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
  }
  if (!plan.oom_score.empty()) {
    ::prctl(PR_SET_DUMPABLE, 1);  // else these files are not its own to write; exec sets it anyway
    int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    [[maybe_unused]] ssize_t written = ::write(fd, plan.oom_score.data(), plan.oom_score.size());
    ::close(fd);
  }
  int error_number = ENOENT;
  for (const std::string& candidate : plan.candidates) {
    ::execve(candidate.c_str(), const_cast<char**>(plan.argv.data()), const_cast<char**>(plan.environment.data()));
    if (errno != ENOENT && errno != ENOTDIR) {
      error_number = errno;
    }
  }
  [[maybe_unused]] ssize_t written = ::write(failure_fd, &error_number, sizeof(error_number));
  ::_exit(127);
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  for (const std::string& text : texts) {
    result.push_back(text.c_str());
  }
  result.push_back(nullptr);
  return result;
}

}  // namespace

Result<SpawnedProcess> spawn(const SpawnRequest& request) {
  if (request.argv.empty() || request.argv[0].empty()) {
    return invalid_error("no program to start");
  }
  Plan plan;
  plan.request = &request;
  plan.parent = ::getpid();
  plan.argv = pointers(request.argv);
  plan.environment_text = changed_environment(request);
  plan.environment = pointers(plan.environment_text);
  plan.candidates = find_program(request.argv[0]);
  plan.oom_score = request.oom_score_adj ? std::to_string(*request.oom_score_adj) : "";
  UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  int ends[2];
  if (!null_fd || ::pipe2(ends, O_CLOEXEC) != 0) {
    return Error::from_errno(errno, "start " + request.argv[0]);
  }
  UniqueFd failure_reader(ends[0]);
  UniqueFd failure_writer(ends[1]);
  plan.null_fd = null_fd.get();
  plan.failure_fd = failure_writer.get();

  pid_t pid = ::fork();
  if (pid == 0) {
    run_child(plan);
  }
  if (pid < 0) {
    return Error::from_errno(errno, "fork for " + request.argv[0]);
  }
  failure_writer.reset();
  SpawnedProcess process{pid, open_pidfd(pid)};
  int pidfd_errno = errno;
  int error_number = 0;
  ssize_t size_bytes;
  do {
    size_bytes = ::read(failure_reader.get(), &error_number, sizeof(error_number));
  } while (size_bytes < 0 && errno == EINTR);
  if (size_bytes == static_cast<ssize_t>(sizeof(error_number))) {
    ::waitpid(pid, nullptr, 0);
    return Error::from_errno(error_number, "start " + request.argv[0]);
  }
  if (!process.pidfd) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return Error::from_errno(pidfd_errno, "pidfd_open");
  }
  return process;
}

Result<ChannelProcess> spawn_with_channel(SpawnRequest request, int socket_type) {
  int ends[2];
  if (::socketpair(AF_UNIX, socket_type | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error::from_errno(errno, "socketpair");
  }
  UniqueFd own(ends[0]);
  UniqueFd theirs(ends[1]);
  request.channel_fd = theirs.get();
  SABIR_ASSIGN_OR_RETURN(SpawnedProcess process, spawn(request));
  return ChannelProcess{std::move(process), std::move(own)};
}

UniqueFd open_pidfd(pid_t pid) { return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

bool signal_pidfd(int pidfd, int number) { return ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0; }

void kill_process_group(pid_t pid, int pidfd) {
  // Signal 0 tells whether the number is still this process's, dead or alive: until it is reaped nobody else gets it.
  if (pidfd >= 0 && !signal_pidfd(pidfd, 0)) {
    return;
  }
  if (pid > 1 && ::getpgid(pid) == pid) {
    ::kill(-pid, SIGKILL);
  }
  if (pidfd >= 0) {
    signal_pidfd(pidfd, SIGKILL);
  }
}

std::string describe_wait_status(int status) {
  if (WIFEXITED(status)) {
    return "exit code " + std::to_string(WEXITSTATUS(status));
  }
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return "killed by signal " + std::to_string(WTERMSIG(status)) +
           (name != nullptr ? " (SIG" + std::string(name) + ")" : "");
  }
  return "unknown end";
}

std::optional<int> reap(pid_t pid) {
  int status = 0;
  pid_t found;
  do {
    found = ::waitpid(pid, &status, WNOHANG);
  } while (found < 0 && errno == EINTR);
  return found == pid ? std::optional<int>(status) : std::nullopt;
}

}  // namespace sabir::node
