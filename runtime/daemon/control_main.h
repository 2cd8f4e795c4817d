// sabird --control: the process beside the head's sabird that keeps what the cluster must not forget.
#pragma once

#include "runtime/daemon/options.h"

namespace sabir::daemon {

// Until sabird is gone. Returns the exit code.
int run_control(const Options& options);

}  // namespace sabir::daemon
