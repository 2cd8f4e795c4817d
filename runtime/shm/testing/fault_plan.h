// At which step a process is to die, and where it stops for a while. With :shm_with_faults only; elsewhere arming a
// plan does nothing.
#pragma once

#include <cstdint>

#include "runtime/shm/fault_points.h"

namespace sabir::shm::testing {

struct FaultPlan {
  FaultStep step = FaultStep::kNone;  // kCount: at whatever step comes
  uint32_t countdown = 1;             // dies at the countdown-th time it comes by
  // One step in so many takes up to a millisecond: others overtake where they seldom would. 0: none.
  uint32_t stall_one_in = 0;
  uint64_t seed = 1;
};

// Of this whole process: SIGKILL at itself, so nothing of it runs any more.
void arm(const FaultPlan& plan);
// No more of it.
void disarm();

}  // namespace sabir::shm::testing
