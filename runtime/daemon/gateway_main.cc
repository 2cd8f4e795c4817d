#include "runtime/daemon/gateway_main.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "runtime/base/version.h"
#include "runtime/daemon/bounded_log.h"
#include "runtime/gateway/gateway.h"
#include "runtime/loop/event_loop.h"
#include "runtime/node/spawn.h"

namespace sabir::daemon {
namespace {

// "MIN-MAX": a node that says it is of another release, for tests of clusters of several.
constexpr const char* kVersionsForTest = "SABIR_TEST_NODE_PROTOCOL";

node_link::LocalNode self(const Logger& logger) {
  node_link::LocalNode node;
  node.release = kVersion;
  if (const char* given = std::getenv(kVersionsForTest)) {
    char* dash = nullptr;
    auto min = std::strtoul(given, &dash, 10);
    auto max = *dash == '-' ? std::strtoul(dash + 1, nullptr, 10) : min;
    logger.warning(kVersionsForTest, " is set: this node says that it speaks versions ", min, " to ", max);
    node.min_version = static_cast<uint32_t>(min);
    node.max_version = static_cast<uint32_t>(max);
  }
  return node;
}

}  // namespace

int run_gateway(const Options& options) {
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGTERM, SIG_IGN);  // it ends with sabird
  ::signal(SIGINT, SIG_IGN);
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  loop::EventLoop loop;
  Result<std::unique_ptr<BoundedLog>> log = BoundedLog::open(loop, options.session_dir + "/logs/gateway.log");
  Logger logger(log.ok() ? (*log)->fd() : 2, options.log_level, "gateway");
  UniqueFd channel(node::kChannelFd);
  ::fcntl(channel.get(), F_SETFD, FD_CLOEXEC);
  auto gateway = std::make_unique<gateway::Gateway>(loop, logger, options.session_dir, std::move(channel), self(logger),
                                                    [&](const std::string& why) {
                                                      logger.info("ending: ", why);
                                                      loop.stop();
                                                    });
  loop.run();
  // What it carries is lost with its node; nothing is left that an orderly end would save.
  ::_exit(0);
}

}  // namespace sabir::daemon
