// Starts a program so that nothing of sabird's goes with it, and nothing of it outlives sabird.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace sabir::node {

// The number under which a program started with `channel_fd` finds it.
inline constexpr int kChannelFd = 3;

struct SpawnRequest {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  // Changes to sabird's own environment; an empty value removes the variable.
  std::vector<std::pair<std::string, std::string>> environment;
  int output_fd = -1;  // its standard output; -1: /dev/null
  int error_fd = -1;
  int channel_fd = -1;                       // -1: none
  std::optional<uint64_t> open_files_limit;  // soft RLIMIT_NOFILE
  std::optional<int> oom_score_adj;          // best effort
};

struct SpawnedProcess {
  pid_t pid = 0;
  UniqueFd pidfd;
};

// The program gets a session and process group of its own, SIGKILL when the calling thread ends (so: the thread that
// lives as long as the daemon), default signals, standard input from nowhere, and no descriptor but those named.
// Returns when the program has been found and begun, or says why not.
Result<SpawnedProcess> spawn(const SpawnRequest& request);

// The same with a socket pair between the two: the program finds its end as kChannelFd (`channel_fd` is set here).
struct ChannelProcess {
  SpawnedProcess process;
  UniqueFd channel;
};
Result<ChannelProcess> spawn_with_channel(SpawnRequest request, int socket_type);

// Not valid, and errno set, when there is no such process. (The C library's own header for these cannot be used from
// C++.)
UniqueFd open_pidfd(pid_t pid);
// False: the process is gone and reaped.
bool signal_pidfd(int pidfd, int number);

// Kills a process and everything in its group, without a chance that a number was given out again: the group only while
// the process has not been reaped. Harmless when it is dead.
void kill_process_group(pid_t pid, int pidfd);

// How a process ended, for people: "exit code 1", "killed by signal 9 (SIGKILL)".
std::string describe_wait_status(int status);

// Reaps a child that has ended; nothing if it still runs or is no child of ours.
std::optional<int> reap(pid_t pid);

}  // namespace sabir::node
