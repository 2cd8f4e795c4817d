// sabird --gateway: the process beside sabird that has the node's port.
#pragma once

#include "runtime/daemon/options.h"

namespace sabir::daemon {

// Until sabird is gone. Returns the exit code.
int run_gateway(const Options& options);

}  // namespace sabir::daemon
