#include "runtime/shm/testing/fault_plan.h"

#include <unistd.h>

#include <csignal>

namespace sabir::shm::testing {

#if defined(SABIR_SHM_FAULTS)
namespace {

FaultPlan armed_plan;

// xorshift: the hook must cost little, else the processes never overlap.
uint64_t next_random() {
  uint64_t& state = armed_plan.seed;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

void follow_plan(FaultStep step) {
  if (armed_plan.stall_one_in != 0 && next_random() % armed_plan.stall_one_in == 0) {
    ::usleep(static_cast<useconds_t>(next_random() % 1000));
  }
  bool due = step == armed_plan.step || armed_plan.step == FaultStep::kCount;
  if (due && --armed_plan.countdown == 0) {
    ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace

void arm(const FaultPlan& plan) {
  armed_plan = plan;
  armed_plan.seed |= 1;
  fault_hook = follow_plan;
}

void disarm() { fault_hook = nullptr; }
#else
void arm(const FaultPlan&) {}
void disarm() {}
#endif

}  // namespace sabir::shm::testing
