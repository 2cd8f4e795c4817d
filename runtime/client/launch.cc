#include "runtime/client/launch.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/session_dir.h"

extern char** environ;

namespace sabir::client {
namespace {

// The number under which sabird inherits what ties it to this process.
constexpr int kTieFd = 3;
constexpr int64_t kStartNs = 60 * kSecondNs;

// False: a signal ended it.
bool nap(int64_t ns) {
  timespec time = {static_cast<time_t>(ns / kSecondNs), static_cast<long>(ns % kSecondNs)};
  return ::nanosleep(&time, nullptr) == 0;
}

bool is_executable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

// 20000 -> "2", 5000 -> "0.5": units of 1/10000 without a detour through floating point.
std::string decimal(int64_t units) {
  std::string text = std::to_string(units / 10000);
  int64_t rest = units % 10000;
  if (rest != 0) {
    std::string digits = std::to_string(10000 + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

std::vector<std::string> arguments(const std::string& daemon, const std::string& session_path,
                                   const NodeOptions& options) {
  std::vector<std::string> args{daemon, "--session-dir", session_path};
  for (const rpc::ResourceAmount& resource : options.resources) {
    args.push_back("--resource");
    args.push_back(resource.name + "=" + decimal(resource.units));
  }
  if (options.store_bytes != 0) {
    args.push_back("--store-bytes");
    args.push_back(std::to_string(options.store_bytes));
  }
  for (const LabelCondition& label : options.labels) {
    args.insert(args.end(), {"--label", label.key + "=" + label.text});
  }
  if (options.cluster != NodeOptions::Cluster::kNone) {
    args.push_back(options.cluster == NodeOptions::Cluster::kHead ? "--head" : "--join");
    for (const auto& [name, value] :
         {std::pair("--node-host", options.node_host), std::pair("--node-name", options.node_name),
          std::pair("--node-port", std::to_string(options.node_port))}) {
      if (!value.empty()) {
        args.insert(args.end(), {name, value});
      }
    }
    if (options.insecure) {
      args.push_back("--insecure");
    }
    std::string state_dir = options.state_dir;
    if (state_dir.empty() && !options.session_root.empty() && options.cluster == NodeOptions::Cluster::kHead) {
      state_dir = options.session_root + "/head";
    }
    if (!state_dir.empty()) {
      args.insert(args.end(), {"--state-dir", std::filesystem::absolute(state_dir)});
    }
    if (options.durable) {
      args.push_back("--durable");
    }
    if (options.join_life_ns != 0) {
      args.insert(args.end(), {"--join-life-ms", std::to_string(options.join_life_ns / kMillisecondNs)});
    }
  }
  return args;
}

// In a process session of its own: the terminal's Ctrl-C is the driver's to handle. It gets nothing of the caller's but
// `tie_fd` (or -1): who waits for the end of a pipe must not wait for the node. `words_fd` is its standard error.
Result<int> spawn(std::vector<std::string> args, int tie_fd, int words_fd, const std::string& join_string = {}) {
  // Not among the arguments: those are seen by everybody.
  std::string join = "SABIR_JOIN=" + join_string;
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).substr(0, 11) != "SABIR_JOIN=") {
      variables.push_back(*variable);
    }
  }
  if (!join_string.empty()) {
    variables.push_back(join.data());
  }
  variables.push_back(nullptr);
  std::vector<char*> argv;
  for (std::string& arg : args) {
    argv.push_back(arg.data());
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, words_fd, 2);
  if (tie_fd >= 0) {
    ::posix_spawn_file_actions_adddup2(&actions, tie_fd, kTieFd);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&actions, tie_fd >= 0 ? kTieFd + 1 : kTieFd);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  int failed = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), variables.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    return Error::from_errno(failed, "start " + args[0]);
  }
  return static_cast<int>(pid);
}

struct Plan {
  std::string daemon;
  std::string session_path;
};
Result<Plan> plan_node(const NodeOptions& options) {
  Plan plan;
  SABIR_ASSIGN_OR_RETURN(plan.daemon, find_daemon(options.daemon_path));
  std::string root = options.session_root.empty() ? default_session_root() : options.session_root;
  SABIR_RETURN_IF_ERROR(ensure_private_directory(root));
  remove_stale_sessions(root);
  plan.session_path = new_session_path(root);
  if (plan.session_path.size() + sizeof("/node.sock") > kMaxSocketPathBytes) {
    return invalid_error("the path " + plan.session_path + " is too long for a socket: take a shorter session root");
  }
  return plan;
}

Result<UniqueFd> make_words_file() {
  UniqueFd words(::memfd_create("sabird-stderr", MFD_CLOEXEC));
  if (!words.valid()) {
    return Error::from_errno(errno, "memfd_create");
  }
  // Whoever shares the description writes behind what is there.
  ::fcntl(words.get(), F_SETFL, O_APPEND);
  return words;
}

// dup2 of a number onto itself would leave it close-on-exec.
Result<void> move_off_tie_number(UniqueFd& fd) {
  if (fd.get() == kTieFd) {
    int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, kTieFd + 1);
    if (moved < 0) {
      return Error::from_errno(errno, "dup what ties a node to this process");
    }
    fd.reset(moved);
  }
  return {};
}

// Of this process: readable when it has ended. Whoever inherits it cannot mistake another process for it.
Result<UniqueFd> open_own_pidfd() {
  UniqueFd own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!own.valid()) {
    return Error::from_errno(errno, "pidfd_open");
  }
  SABIR_RETURN_IF_ERROR(move_off_tie_number(own));
  return own;
}

// Until is_ready() says so of the node. Its process may have been reaped afterwards.
template <typename IsReady>
Result<void> await_node(int pid, int words_fd, int64_t timeout_ns, IsReady is_ready) {
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + timeout_ns;
  while (!is_ready()) {
    if (::waitpid(pid, nullptr, WNOHANG) == pid) {
      return Error(ErrorKind::kSystem, "the node ended while it started: " + last_words(words_fd));
    }
    if (clock.now_ns() >= deadline_ns) {
      return timeout_error("the node did not become ready in time");
    }
    if (!nap(2 * kMillisecondNs)) {
      return Error(ErrorKind::kInterrupted, "interrupted while the node started");
    }
  }
  return {};
}

bool is_member(const std::string& session_path) {
  return ::access((session_path + "/cluster.json").c_str(), R_OK) == 0;
}

std::string beside_file(const std::string& path, const char* name) {
  size_t slash = path.rfind('/');
  return (slash == std::string::npos ? std::string(".") : path.substr(0, slash)) + "/" + name;
}

}  // namespace

Result<std::string> find_daemon(const std::string& configured) {
  if (!configured.empty()) {
    if (is_executable(configured)) {
      return configured;
    }
    return not_found_error("no executable sabird at " + configured);
  }
  // Beside the library as it was loaded, else beside the file that this name leads to: a build may link to it
  // elsewhere.
  Dl_info here = {};
  std::string beside;
  if (::dladdr(reinterpret_cast<const void*>(&find_daemon), &here) != 0 && here.dli_fname != nullptr) {
    beside = beside_file(here.dli_fname, "sabird");
    std::unique_ptr<char, decltype(&std::free)> real(::realpath(here.dli_fname, nullptr), &std::free);
    if (real != nullptr && !is_executable(beside)) {
      beside = beside_file(real.get(), "sabird");
    }
    if (is_executable(beside)) {
      return beside;
    }
  }
  const char* named = std::getenv("SABIR_DAEMON");
  if (named != nullptr && is_executable(named)) {
    return std::string(named);
  }
  return not_found_error("no sabird: neither " + beside + " nor the variable SABIR_DAEMON names an executable");
}

bool is_join_string(const std::string& address) { return address.rfind("sabir://", 0) == 0; }

std::string wanted_address(const std::string& address) {
  const char* named = std::getenv("SABIR_ADDRESS");
  return address.empty() && named != nullptr ? named : address;
}

Result<std::string> find_session(const std::string& address, const std::string& session_root, Sessions sessions) {
  std::string wanted = wanted_address(address);
  if (wanted == "local") {
    return not_found_error("a session of its own was asked for");
  }
  if (is_join_string(wanted)) {
    return invalid_error("a join string (sabir://...) names a cluster, and no session of this machine");
  }
  if (!wanted.empty() && wanted != "auto") {
    if (!is_session_live(wanted)) {
      return not_found_error("no running session at " + wanted);
    }
    return wanted;
  }
  std::string root = session_root.empty() ? default_session_root() : session_root;
  std::vector<SessionFiles> live = find_live_sessions(root);
  auto lasting = std::find_if(live.begin(), live.end(), [](const SessionFiles& files) { return !files.is_private; });
  if (lasting != live.end()) {
    return lasting->path;
  }
  bool lasting_only = wanted.empty() && sessions == Sessions::kLasting;
  if (live.empty() || lasting_only) {
    return not_found_error("no running session beneath " + root);
  }
  return live.front().path;
}

Result<StartedNode> start_node(const NodeOptions& options) {
  SABIR_ASSIGN_OR_RETURN(Plan plan, plan_node(options));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error::from_errno(errno, "socketpair");
  }
  UniqueFd mine(ends[0]);
  UniqueFd theirs(ends[1]);
  SABIR_RETURN_IF_ERROR(move_off_tie_number(theirs));
  std::vector<std::string> args = arguments(plan.daemon, plan.session_path, options);
  args.insert(args.end(), {"--driver-fd", std::to_string(kTieFd)});
  StartedNode node;
  SABIR_ASSIGN_OR_RETURN(node.words, make_words_file());
  SABIR_ASSIGN_OR_RETURN(node.pid, spawn(std::move(args), theirs.get(), node.words.get(), options.join_string));
  node.socket = std::move(mine);
  node.session_path = plan.session_path;
  return node;
}

Result<std::string> start_detached_node(const NodeOptions& options, int64_t timeout_ns) {
  SABIR_ASSIGN_OR_RETURN(Plan plan, plan_node(options));
  SABIR_ASSIGN_OR_RETURN(UniqueFd words, make_words_file());
  std::vector<std::string> args = arguments(plan.daemon, plan.session_path, options);
  UniqueFd own;
  if (options.ends_with_caller) {
    SABIR_ASSIGN_OR_RETURN(own, open_own_pidfd());
    args.insert(args.end(), {"--caller-fd", std::to_string(kTieFd)});
  }
  SABIR_ASSIGN_OR_RETURN(int pid, spawn(std::move(args), own.get(), words.get(), options.join_string));
  bool in_cluster = options.cluster != NodeOptions::Cluster::kNone;
  Result<void> ready = await_node(pid, words.get(), timeout_ns < 0 ? kStartNs : timeout_ns, [&] {
    return is_session_live(plan.session_path) && read_session_info(plan.session_path).ok() &&
           (!in_cluster || is_member(plan.session_path));
  });
  if (!ready.ok()) {
    reap_node(pid, 0);
    return std::move(ready).error();
  }
  return plan.session_path;
}

Result<void> await_member(const StartedNode& node, int64_t timeout_ns) {
  return await_node(node.pid, node.words.get(), timeout_ns, [&] { return is_member(node.session_path); });
}

std::string last_words(int words_fd) {
  constexpr off_t kMost = 2000;
  off_t size = ::lseek(words_fd, 0, SEEK_END);
  off_t from = size > kMost ? size - kMost : 0;
  std::string text(static_cast<size_t>(size > from ? size - from : 0), '\0');
  ssize_t got = ::pread(words_fd, text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

namespace {

// Whether it has ended, or is not ours to wait for.
bool wait_for_end(int pid, int64_t patience_ns) {
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + patience_ns;
  int64_t slice_ns = 200 * kMicrosecondNs;
  while (clock.now_ns() < deadline_ns) {
    if (::waitpid(pid, nullptr, WNOHANG) != 0) {
      return true;
    }
    nap(slice_ns);
    slice_ns = slice_ns < 5 * kMillisecondNs ? slice_ns * 2 : slice_ns;
  }
  return false;
}

}  // namespace

void reap_node(int pid, int64_t patience_ns) {
  if (!wait_for_end(pid, patience_ns)) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
}

void dismiss_node(int pid, int64_t patience_ns) {
  if (!wait_for_end(pid, 100 * kMillisecondNs)) {
    ::kill(pid, SIGTERM);
    reap_node(pid, patience_ns);
  }
}

}  // namespace sabir::client
