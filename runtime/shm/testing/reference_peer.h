// The smallest processes that keep all rules of sections 2 to 4: what runtime/client does, without values, threads and
// leases' finer points. Stress and kill tests run them as threads and as processes.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/shm/block_pool.h"
#include "runtime/shm/death_log.h"
#include "runtime/shm/doorbell.h"
#include "runtime/shm/lease.h"
#include "runtime/shm/result_blocks.h"
#include "runtime/shm/testing/scoreboard.h"

namespace sabir::shm::testing {

// What a peer gets at its birth.
struct PeerConfig {
  SlotIndex slot = 0;
  uint32_t incarnation = 0;
  uint64_t seed = 0;
  int event_fd = -1;
  std::vector<uint32_t> cell_chunks;
  std::vector<uint32_t> block_chunks;
  std::vector<ActorIndex> actors;  // whom a submitter calls
  uint32_t in_flight = 32;         // calls a submitter keeps under way
  bool cancels = true;
};

// What submitters and claimers have in common: doorbell, death log, blocks, the ring to the node.
class Peer {
 public:
  Peer(const NodeView& node, const CallsView& calls, Scoreboard& board, const PeerConfig& config);

 protected:
  // Rings another process after a push.
  void ring_after_push(SlotIndex slot) {
    if (slot < kMaxProcesses) {
      Doorbell(calls_.page(slot).doorbell).ring_after_rmw(memos_[slot]);
    }
  }
  void ring_after_store(SlotIndex slot) { Doorbell(calls_.page(slot).doorbell).ring(memos_[slot]); }
  uint32_t random_below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }

  // Spins a little, then sleeps until rung. Who times out with something to do was not rung: a broken promise.
  template <typename Ready>
  void wait(Ready&& ready) {
    for (uint32_t i = 0; i < 64; ++i) {
      if (ready()) {
        return;
      }
      cpu_relax();
    }
    Doorbell bell(calls_.page(self_).doorbell);
    uint32_t value = bell.prepare_sleep();
    SleepOutcome outcome = SleepOutcome::kRung;
    if (!ready()) {
      outcome = bell.sleep(value, clock_.now_ns() + 2 * kSecondNs);
    }
    bell.end_sleep();
    if (outcome == SleepOutcome::kTimeout) {
      board_.require(!ready(), "nobody slept through something to do");
    }
  }

  const NodeView& node_;
  const CallsView& calls_;
  Scoreboard& board_;
  SlotIndex self_;
  SteadyClock clock_;
  std::mt19937_64 random_;
  DaemonBell daemon_;
  DeathLogReader deaths_;
  BlockPool blocks_;
  std::array<RingMemo, kMaxProcesses> memos_ = {};
};

// The bytes of a call are a function of its ticket, and the result a function of the bytes.
uint32_t args_bytes_of(uint64_t ticket);
uint32_t result_bytes_of(uint64_t ticket);
void fill_bytes(uint8_t* out, uint32_t size_bytes, uint64_t seed);
bool check_bytes(const uint8_t* data, uint32_t size_bytes, uint64_t seed);
inline uint64_t result_seed_of(uint64_t ticket) { return ticket * 31 + 7; }

}  // namespace sabir::shm::testing
