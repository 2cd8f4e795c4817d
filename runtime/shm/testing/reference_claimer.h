// A worker (claims from work queues) or an actor (owns an inbox): claims, checks the arguments, writes a result,
// finishes.
#pragma once

#include <map>

#include "runtime/shm/stack.h"
#include "runtime/shm/testing/reference_peer.h"
#include "runtime/shm/work_queue.h"

namespace sabir::shm::testing {

class Claimer : public Peer {
 public:
  Claimer(const NodeView& node, const CallsView& calls, Scoreboard& board, const PeerConfig& config);

  // Until Scoreboard::all_stopped. An actor's life or a worker's.
  void run_worker();
  void run_actor();

 private:
  // R1 of a claimer and D3. An actor has drained its inbox before.
  void acknowledge_deaths();
  std::optional<CellRef> claim_from_queues();
  bool work_waits();
  void take_inbox();
  void execute(CellRef ref);
  void answer(CellRef ref);
  void check_order(CellRef ref, uint64_t sequence);
  void leave();

  struct LastCall {
    uint32_t incarnation = 0;
    uint64_t sequence = 0;
  };

  ResultBlocks result_blocks_;
  LeaseReader lease_;
  std::map<QueueIndex, QueueClaimer> claimers_;
  std::map<SlotIndex, LastCall> last_calls_;
  std::vector<uint32_t> batch_;
};

}  // namespace sabir::shm::testing
