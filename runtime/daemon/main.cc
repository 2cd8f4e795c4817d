// sabird: the one daemon of a node.
#include <cstdio>

#include "runtime/daemon/control_main.h"
#include "runtime/daemon/daemon.h"
#include "runtime/daemon/gateway_main.h"

int main(int argc, char** argv) {
  sabir::daemon::Options options = sabir::daemon::parse_options(argc, argv);
  if (!options.message.empty()) {
    std::fputs(options.message.c_str(), options.exit_code == 0 ? stdout : stderr);
    return options.exit_code;
  }
  if (options.control) {
    return sabir::daemon::run_control(options);
  }
  return options.gateway ? sabir::daemon::run_gateway(options) : sabir::daemon::run(options);
}
