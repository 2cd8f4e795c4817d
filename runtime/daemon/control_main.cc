#include "runtime/daemon/control_main.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <memory>

#include "runtime/daemon/bounded_log.h"
#include "runtime/head/control_shell.h"
#include "runtime/loop/event_loop.h"
#include "runtime/node/spawn.h"

namespace sabir::daemon {

int run_control(const Options& options) {
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file above `ulimit -f`: an error of the disk, which it knows what to do about
  ::signal(SIGTERM, SIG_IGN);  // it ends with sabird
  ::signal(SIGINT, SIG_IGN);
  loop::EventLoop loop;
  Result<std::unique_ptr<BoundedLog>> log = BoundedLog::open(loop, options.session_dir + "/logs/control.log");
  Logger logger(log.ok() ? (*log)->fd() : 2, options.log_level, "control");
  UniqueFd channel(node::kChannelFd);
  ::fcntl(channel.get(), F_SETFD, FD_CLOEXEC);
  auto shell = std::make_unique<head::ControlShell>(loop, logger, std::move(channel), [&](const std::string& why) {
    logger.info("ending: ", why);
    loop.stop();
  });
  loop.run();
  shell.reset();  // what was accepted is written
  return 0;
}

}  // namespace sabir::daemon
