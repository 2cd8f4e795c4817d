#include "tests/integration/node/sabird_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "runtime/base/session_dir.h"

namespace sabir::testing {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string sabird_path() {
  const char* path = std::getenv("SABIRD");
  return path != nullptr ? path : "runtime/daemon/sabird";
}

}  // namespace

Sabird::~Sabird() {
  driver_socket_.reset();
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

std::optional<int> Sabird::wait_end(int64_t timeout_ns) {
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + timeout_ns;
  int status = 0;
  while (!reaped_ && clock.now_ns() < deadline_ns) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      reaped_ = true;
      return status;
    }
    ::usleep(2'000);
  }
  return std::nullopt;
}

size_t Sabird::open_files() const {
  size_t count = 0;
  DIR* directory = ::opendir(("/proc/" + std::to_string(pid_) + "/fd").c_str());
  while (directory != nullptr && ::readdir(directory) != nullptr) {
    ++count;
  }
  if (directory != nullptr) {
    ::closedir(directory);
  }
  return count;
}

uint64_t Sabird::resident_bytes() const {
  std::istringstream in(slurp("/proc/" + std::to_string(pid_) + "/statm"));
  uint64_t total = 0, resident = 0, shared = 0;
  in >> total >> resident >> shared;
  return (resident - shared) * 4096;  // of its own: the segments belong to all
}

uint64_t Sabird::cpu_ticks() const {
  std::string stat = slurp("/proc/" + std::to_string(pid_) + "/stat");
  std::istringstream in(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) {
    in >> skipped;
  }
  uint64_t user = 0, system = 0;
  in >> user >> system;
  return user + system;
}

void SabirdTest::SetUp() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a killed sabird leaves comes here, to be counted
  char name[] = "/tmp/sabird-XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  root_ = name;
}

void SabirdTest::TearDown() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  if (HasFailure()) {
    std::string show = "cat " + root_ + "/*/logs/* 2>/dev/null | cut -c1-200 | tail -n 60 >&2";
    [[maybe_unused]] int shown = std::system(show.c_str());
  }
  std::string remove = "rm -rf " + root_;
  EXPECT_EQ(std::system(remove.c_str()), 0);
}

std::unique_ptr<Sabird> SabirdTest::start(const std::string& name, bool with_driver,
                                          std::vector<std::string> more_options, uint64_t open_files_limit) {
  int ends[2] = {-1, -1};
  if (with_driver) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  }
  UniqueFd ours(ends[0]), theirs(ends[1]);
  std::string path = root_ + "/" + name;
  std::vector<std::string> arguments = {sabird_path(),   "--session-dir", path,          "--resource", "CPU=2",
                                        "--store-bytes", "67108864",      "--log-level", "debug"};
  if (with_driver) {
    arguments.insert(arguments.end(), {"--driver-fd", "9"});
  }
  arguments.insert(arguments.end(), more_options.begin(), more_options.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  pid_t pid = ::fork();
  if (pid == 0) {
    if (with_driver && theirs.get() != 9) {
      ::dup2(theirs.get(), 9);
    } else if (with_driver) {
      ::fcntl(9, F_SETFD, 0);
    }
    if (open_files_limit != 0) {
      rlimit limit = {open_files_limit, open_files_limit};
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  auto sabird = std::make_unique<Sabird>(path, pid, std::move(ours));
  EXPECT_TRUE(wait_until([&] { return exists(path + "/info.json"); })) << "sabird did not start: " << argv[0];
  return sabird;
}

std::string SabirdTest::worker_path() {
  const char* path = std::getenv("RAW_WORKER");
  return path != nullptr ? path : "tests/integration/node/raw_worker";
}

rpc::JobConfig SabirdTest::job(std::vector<std::string> worker_argv) {
  rpc::JobConfig config;
  config.name = "test";
  config.language_envs = {{.language = kLanguageC, .mode = rpc::LaunchMode::kExec, .argv = std::move(worker_argv)}};
  return config;
}

std::unique_ptr<RawProcess> SabirdTest::join(Sabird& sabird, rpc::JobConfig config) {
  UniqueFd socket = sabird.take_driver_socket();
  Result<std::unique_ptr<RawProcess>> driver = socket ? RawProcess::driver(std::move(socket), std::move(config))
                                                      : RawProcess::driver(sabird.session_path(), std::move(config));
  EXPECT_TRUE(driver.ok()) << driver.error().to_string();
  return driver.ok() ? std::move(*driver) : nullptr;
}

std::set<pid_t> SabirdTest::processes_of(const std::string& session_path) {
  std::set<pid_t> found;
  DIR* directory = ::opendir("/proc");
  while (const dirent* entry = directory != nullptr ? ::readdir(directory) : nullptr) {
    pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0 || pid == ::getpid()) {
      continue;
    }
    std::string base = std::string("/proc/") + entry->d_name;
    std::string text = slurp(base + "/cmdline") + '\0' + slurp(base + "/environ");
    if (text.find(session_path) != std::string::npos && alive(pid)) {
      found.insert(pid);
    }
  }
  if (directory != nullptr) {
    ::closedir(directory);
  }
  return found;
}

bool SabirdTest::alive(pid_t pid) {
  std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && name_end + 2 < stat.size() && stat[name_end + 2] != 'Z' &&
         stat[name_end + 2] != 'X';
}

bool SabirdTest::exists(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool SabirdTest::wait_until(const std::function<bool()>& done, int64_t timeout_ns) {
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + timeout_ns;
  while (!done()) {
    if (clock.now_ns() > deadline_ns) {
      return false;
    }
    ::usleep(2'000);
  }
  return true;
}

}  // namespace sabir::testing
