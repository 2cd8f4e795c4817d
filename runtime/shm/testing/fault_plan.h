// Which step a process is to die at. With :shm_with_faults only; elsewhere arming a plan does nothing.
#pragma once

#include <cstdint>

#include "runtime/shm/fault_points.h"

namespace sabir::shm::testing {

struct FaultPlan {
  FaultStep step = FaultStep::kNone;  // kCount: at whatever step comes
  uint32_t countdown = 1;             // dies at the countdown-th time it comes by
};

// Of this whole process: SIGKILL at itself, so nothing of it runs any more.
void arm(FaultPlan plan);

}  // namespace sabir::shm::testing
