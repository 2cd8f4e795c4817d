// The spin policy of rule L5: a waiter spins only within the node's budget, publishes the CPU it spins
// on, and gives that CPU away when the process it waits for wants to run on the very same one. The pitfall it avoids:
// the kernel likes to put a woken process on its waker's CPU, where the spinning waker then starves it.
#pragma once

#include <sched.h>

#include <cstdint>

#include "runtime/base/clock.h"
#include "runtime/shm/fence.h"
#include "runtime/shm/segment.h"

namespace sabir::shm {

struct SpinLimits {
  int64_t spin_ns = 20 * kMicrosecondNs;              // longer only burns CPU
  int64_t yield_expensive_ns = 200 * kMicrosecondNs;  // a yield this slow gave a slice to a stranger
  int64_t yields_off_ns = 100 * kMillisecondNs;       // ... and then nobody on the node yields for a while
  uint32_t free_rounds = 8;                           // this short a spin needs no token
};

enum class SpinOutcome : uint8_t {
  kReady,
  kSleep,  // the allowance is used up, there is no token, or the peer needs this CPU: sleep now
};

// One thread at a time.
class Spinner {
 public:
  static constexpr SlotIndex kNoPeer = 0xffff;

  Spinner(const Clock& clock, const NodeView& node, const CallsView& calls, SlotIndex self, SpinLimits limits = {})
      : clock_(clock), node_(node.header()), calls_(calls), page_(calls.page(self)), self_(self), limits_(limits) {}

  // Spins until ready() or a reason to sleep. `peer`: the process that will make it ready, as far as known (claimer of
  // the awaited call; submitter of the last claimed one), or kNoPeer. `rang`: the caller has just woken the peer.
  template <typename Ready>
  SpinOutcome spin(SlotIndex peer, bool rang, Ready&& ready) {
    if (ready()) {
      return SpinOutcome::kReady;
    }
    publish_cpu();
    if (rang && !yield_to_peer()) {
      return ready() ? SpinOutcome::kReady : SpinOutcome::kSleep;
    }
    for (uint32_t round = 0; round < limits_.free_rounds; ++round) {
      if (poll(ready)) {
        return SpinOutcome::kReady;
      }
    }
    if (!take_token()) {
      return SpinOutcome::kSleep;
    }
    SpinOutcome outcome = spin_with_token(peer, ready);
    give_token_back();
    return outcome;
  }

  // Where this thread runs, for others who spin. Also at once after a sleep: a wake-up may have moved it onto its
  // waker's CPU.
  void publish_cpu() {
    int cpu = ::sched_getcpu();
    cpu_plus_one_ = cpu < 0 ? 0 : static_cast<uint32_t>(cpu) + 1;
    if (page_.cpu.load(std::memory_order_relaxed) != cpu_plus_one_) {
      page_.cpu.store(cpu_plus_one_, std::memory_order_relaxed);
    }
  }

  // For waits for *work*: submitters that see it ring nobody else. Clear it before Doorbell::prepare_sleep.
  void show_spinning(bool spinning) { page_.spin_state.store(spinning ? 1 : 0, std::memory_order_seq_cst); }

 private:
  static constexpr uint32_t kPausesPerRound = 8;

  template <typename Ready>
  static bool poll(Ready& ready) {
    for (uint32_t i = 0; i < kPausesPerRound; ++i) {
      cpu_relax();
      if (ready()) {
        return true;
      }
    }
    return false;
  }

  template <typename Ready>
  SpinOutcome spin_with_token(SlotIndex peer, Ready& ready) {
    int64_t deadline_ns = clock_.now_ns() + limits_.spin_ns;
    do {
      if (poll(ready)) {
        return SpinOutcome::kReady;
      }
      if (shares_cpu_with(peer) && !yield_to_peer()) {
        break;
      }
    } while (clock_.now_ns() < deadline_ns);
    return ready() ? SpinOutcome::kReady : SpinOutcome::kSleep;
  }

  // The peer is awake and last ran where this thread runs.
  bool shares_cpu_with(SlotIndex peer);
  // One yield, timed. False: yields are switched off on this node, by this one perhaps.
  bool yield_to_peer();
  bool take_token();
  void give_token_back();

  const Clock& clock_;
  const NodeHeader& node_;
  const CallsView& calls_;
  ProcessPage& page_;
  SlotIndex self_;
  SpinLimits limits_;
  uint32_t token_ = 0;  // where it was found last
  uint32_t cpu_plus_one_ = 0;
};

}  // namespace sabir::shm
