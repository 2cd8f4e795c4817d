// A worker for tests, started by exec. Functions are known by name:
//   echo      returns its arguments           pid     its process id
//   sleep     sleeps ARGS ms                  crash   kills itself
//   exit      ends with code ARGS             hang    stops (SIGSTOP)
//   litter    leaves a child behind that ignores everything but SIGKILL, returns its pid
//   print     writes ARGS to standard output  flood   writes ARGS MiB of lines
//   block     is blocked (L4) for ARGS ms     nothing returns at once
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "tests/integration/node/raw_process.h"

namespace {

std::string litter() {
  pid_t child = ::fork();
  if (child == 0) {
    for (int number = 1; number < 32; ++number) {
      ::signal(number, SIG_IGN);
    }
    while (true) {
      ::pause();
    }
  }
  return std::to_string(child);
}

std::string run(sabir::testing::RawProcess& process, const std::string& name, const std::string& args) {
  int number = std::atoi(args.c_str());
  if (name == "echo") {
    return args;
  }
  if (name == "pid") {
    return std::to_string(::getpid());
  }
  if (name == "sleep") {
    ::usleep(static_cast<useconds_t>(number) * 1000);
  } else if (name == "crash") {
    ::raise(SIGKILL);
  } else if (name == "exit") {
    ::_exit(number);
  } else if (name == "hang") {
    ::raise(SIGSTOP);
  } else if (name == "litter") {
    return litter();
  } else if (name == "print") {
    std::printf("%s\n", args.c_str());
    std::fflush(stdout);
  } else if (name == "flood") {
    std::string line(1023, 'x');
    for (int i = 0; i < number * 1024; ++i) {
      std::puts(line.c_str());
    }
    std::fflush(stdout);
  } else if (name == "block") {
    process.blocked([&] { ::usleep(static_cast<useconds_t>(number) * 1000); });
  }
  return "";
}

}  // namespace

int main() {
  const char* session = std::getenv("SABIR_SESSION");
  const char* token = std::getenv("SABIR_WORKER_TOKEN");
  if (session == nullptr || token == nullptr) {
    std::fputs("no session\n", stderr);
    return 2;
  }
  auto process = sabir::testing::RawProcess::worker(session, token);
  if (!process.ok()) {
    std::fprintf(stderr, "cannot join: %s\n", process.error().to_string().c_str());
    return 3;
  }
  std::map<uint32_t, std::string> names;
  (*process)->serve([&](uint32_t function, std::string args) {
    auto found = names.find(function);
    if (found == names.end()) {
      auto info = (*process)->session().fetch_function(function, sabir::testing::kCallTimeoutNs);
      found = names.emplace(function, info.ok() ? info->name : "nothing").first;
    }
    return run(**process, found->second, args);
  });
  return 0;
}
