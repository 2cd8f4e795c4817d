#include "runtime/shm/testing/fault_plan.h"

#include <unistd.h>

#include <csignal>

namespace sabir::shm::testing {

#if defined(SABIR_SHM_FAULTS)
namespace {

FaultPlan armed_plan;

void die_by_plan(FaultStep step) {
  if (step != armed_plan.step && armed_plan.step != FaultStep::kCount) {
    return;
  }
  if (--armed_plan.countdown == 0) {
    ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace

void arm(FaultPlan plan) {
  armed_plan = plan;
  fault_hook = plan.step == FaultStep::kNone ? nullptr : die_by_plan;
}
#else
void arm(FaultPlan) {}
#endif

}  // namespace sabir::shm::testing
