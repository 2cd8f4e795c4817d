// Runs a program that answers a question and ends.
#ifndef SABIR_PROGRAM_HPP_
#define SABIR_PROGRAM_HPP_

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

struct ProgramAnswer {
  std::string out;      // its output, if problem is ""
  std::string problem;  // why there is none: it does not start, it failed, it took too long; with what it wrote
};

// One output of a child.
class ChildOutput {
 public:
  ChildOutput() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) {
      ends_[0] = ends_[1] = -1;
    }
  }
  ChildOutput(const ChildOutput&) = delete;
  ChildOutput& operator=(const ChildOutput&) = delete;
  ~ChildOutput() {
    close_end(0);
    close_end(1);
  }

  int write_end() const { return ends_[1]; }
  void child_started() { close_end(1); }
  bool open() const { return ends_[0] >= 0; }
  pollfd wanted() const { return {ends_[0], POLLIN, 0}; }  // of a closed one nothing is wanted
  void read_some() {
    char buffer[4096];
    ssize_t count = ::read(ends_[0], buffer, sizeof(buffer));
    if (count > 0) {
      text.append(buffer, static_cast<size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      close_end(0);
    }
  }

  std::string text;

 private:
  void close_end(int end) {
    if (ends_[end] >= 0) {
      ::close(ends_[end]);
      ends_[end] = -1;
    }
  }
  int ends_[2];
};

inline ProgramAnswer ask_program(const std::vector<std::string>& command, Duration timeout) {
  static constexpr size_t kBytesMax = 1 << 20;
  static constexpr size_t kShownBytesMax = 4000;
  ChildOutput out;
  ChildOutput err;
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end(), 2);
  pid_t pid = -1;
  int status = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) {
    return {"", std::strerror(status)};
  }
  out.child_started();
  err.child_started();
  auto deadline = std::chrono::steady_clock::now() + (timeout == kForever ? Duration(0) : timeout);
  const char* stopped = nullptr;  // why it was not waited for
  while (stopped == nullptr && (out.open() || err.open())) {
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count() + 1;
    int wait_ms = timeout == kForever ? -1 : static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
    pollfd wanted[] = {out.wanted(), err.wanted()};
    int ready = ::poll(wanted, 2, wait_ms);
    if (ready == 0) {
      stopped = "it did not answer in time";
    } else if (std::max(out.text.size(), err.text.size()) > kBytesMax) {
      stopped = "it wrote far more than an answer";
    }
    if (ready > 0 && wanted[0].revents != 0) {
      out.read_some();
    }
    if (ready > 0 && wanted[1].revents != 0) {
      err.read_some();
    }
  }
  if (stopped != nullptr) {
    ::kill(pid, SIGKILL);
  }
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (stopped == nullptr && status == 0) {
    return {std::move(out.text), ""};
  }
  std::string said = err.text.empty() ? out.text : err.text;
  if (said.size() > kShownBytesMax) {
    said = "..." + said.substr(said.size() - kShownBytesMax);
  }
  return {"", (stopped != nullptr ? stopped : "it failed") + (said.empty() ? "" : ": " + said)};
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_PROGRAM_HPP_
