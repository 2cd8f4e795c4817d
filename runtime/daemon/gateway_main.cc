#include "runtime/daemon/gateway_main.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>

#include "runtime/gateway/gateway.h"
#include "runtime/loop/event_loop.h"
#include "runtime/node/spawn.h"

namespace sabir::daemon {

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
  std::string log_path = options.session_dir + "/logs/gateway.log";
  UniqueFd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  Logger logger(log ? log.get() : 2, options.log_level, "gateway");
  UniqueFd channel(node::kChannelFd);
  ::fcntl(channel.get(), F_SETFD, FD_CLOEXEC);
  loop::EventLoop loop;
  auto gateway = std::make_unique<gateway::Gateway>(loop, logger, options.session_dir, std::move(channel),
                                                    [&](const std::string& why) {
                                                      logger.info("ending: ", why);
                                                      loop.stop();
                                                    });
  loop.run();
  // What it carries is lost with its node; nothing is left that an orderly end would save.
  ::_exit(0);
}

}  // namespace sabir::daemon
