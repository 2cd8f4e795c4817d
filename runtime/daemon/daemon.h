// One sabird: makes the session, serves it until it is told to end, and leaves nothing behind.
#pragma once

#include "runtime/daemon/options.h"

namespace sabir::daemon {

// The exit code. Errors before the session stands go to standard error.
int run(const Options& options);

}  // namespace sabir::daemon
