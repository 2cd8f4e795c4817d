// A submitter of tasks and actor calls: appends, pushes, cancels, consumes, repairs (R1).
#pragma once

#include <deque>
#include <unordered_map>

#include "runtime/shm/cell_pool.h"
#include "runtime/shm/process_ring.h"
#include "runtime/shm/stack.h"
#include "runtime/shm/testing/reference_peer.h"
#include "runtime/shm/work_queue.h"

namespace sabir::shm::testing {

class Submitter : public Peer {
 public:
  // Appends to the queue whose index is the slot.
  Submitter(const NodeView& node, const CallsView& calls, Scoreboard& board, const PeerConfig& config);

  // Until Scoreboard::submitters_stopped; then finishes what is under way.
  void run();

 private:
  struct Call {
    uint64_t ticket = 0;
    uint64_t sequence = 0;  // per sender and actor
    CellRef ref;
    uint32_t args_block = kNoBlock;
    int32_t sender = -1;  // index in senders_, -1: a task
    SlotIndex callee = 0;
    bool cancelled = false;
  };
  // Q7: calls of this process to one actor that are in no inbox, in order. The first may have a cell already.
  struct Sender {
    ActorIndex actor = 0;
    std::deque<Call> waiting;
    uint32_t in_flight = 0;
    uint64_t next_sequence = 1;
    bool head_published = false;
  };

  bool submit_some();
  void write_cell(Call& call);
  void append_task(Call call);
  void ring_a_worker();
  bool push_waiting(Sender& sender);
  bool cancel_one();
  bool drain();
  void consume(uint32_t cell);
  void end_call(const Call& call);
  void handle_deaths();
  void repair_calls_of(SlotIndex dead);
  void tell_node(const RingMessage& message);
  bool can_push_any();

  CellPool cells_;
  QueueAppender queue_;
  RingProducer ring_;
  std::vector<Sender> senders_;
  std::unordered_map<CellIndex, Call> under_way_;
  std::vector<uint32_t> batch_;
  uint32_t in_flight_;
  bool cancels_;
};

}  // namespace sabir::shm::testing
