// D2 (3), D3, D4: sabird appends deaths, every process reads them and acknowledges; what a dead process had is given
// out again only when every live one has acknowledged.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "runtime/shm/segment.h"
#include "runtime/shm/untrusted.h"

namespace sabir::shm {

struct Death {
  SlotIndex slot = 0;
  uint32_t incarnation = 0;
  int wait_status = 0;
  DeathReason reason = DeathReason::kExited;
};

// sabird. Returns the entry's position; ask DeathAcks about it. Afterwards:
// Doorbell::ring_always on every doorbell (D2 (4)).
uint64_t append_death(NodeSegment& node, const Death& death);

// One per process; any thread that has the process's drain lock.
class DeathLogReader {
 public:
  enum class Outcome : uint8_t {
    kNone,
    kDeath,
    kOverrun,  // more deaths than the log holds: this process slept too long and must leave
  };

  // Starts where prepare_slot said: at the log's end when the process got its slot. Not at the end as it is now:
  // somebody may have pushed into this process's inbox since, and died.
  DeathLogReader(const NodeView& node, ProcessPage& page)
      : node_(node.segment()), page_(page), position_(page.deaths_acknowledged.load(std::memory_order_acquire)) {}

  // One load: at each wake-up and entry into the runtime. Also a source of a sleeper's second look.
  bool moved() const { return node_.header.death_count.load(std::memory_order_seq_cst) != position_; }
  // The next death, to be repaired (R1) before acknowledge().
  Outcome next(Death& out);
  // D3: everything that next() returned so far has been dealt with, as D3 says.
  void acknowledge() { page_.deaths_acknowledged.store(position_, std::memory_order_release); }

  uint64_t position() const { return position_; }

 private:
  const NodeSegment& node_;
  ProcessPage& page_;
  uint64_t position_;
};

// sabird's private account of who has acknowledged how much, and of what may be given out again (D4). Two steps:
//
// (1) When every live process has acknowledged a death, nobody but sabird touches the dead one's cells. The heir
// consumes
//     them now: it reads results, gives their blocks back to the claimers, and frees the cells. Then it is settled().
// (2) Its slot and memory are reusable() when, besides, every other dead process that may have known it is settled: the
// cells of
//     an unsettled one still name blocks in this one's memory, and its heir will read them and write links into them.
// (1) waits for the living alone, so two dead that name each other's blocks do not wait for each other.
class DeathAcks {
 public:
  // A process got the slot: what is in the log already is none of its business.
  void add(SlotIndex slot, uint64_t death_count);
  // Its death is in the log at `position`.
  void died(SlotIndex slot, uint64_t position);
  // Step (1) is done. For a slot that never named anybody's memory: at once.
  void settled(SlotIndex slot);
  // The slot can be added again.
  void remove(SlotIndex slot);

  // What a process says now. It can neither go back nor acknowledge the future.
  void update(SlotIndex slot, Untrusted<uint64_t> claimed, uint64_t death_count);
  // Reads the pages of all who live.
  void update_all(const UntrustedCalls& calls, uint64_t death_count);

  // Every live process has acknowledged the deaths below this position; `death_count` if nobody lives.
  uint64_t acknowledged(uint64_t death_count) const;
  // Of a process that died and was settled.
  bool reusable(SlotIndex slot) const;
  // The live process that is furthest behind, if any has not acknowledged `position`: who to kill when it takes too
  // long.
  std::optional<SlotIndex> laggard(uint64_t position) const;

 private:
  enum class State : uint8_t { kAbsent, kLive, kDead, kSettled };
  struct Process {
    State state = State::kAbsent;
    uint64_t born_at = 0;  // length of the log then
    uint64_t acknowledged = 0;
    uint64_t died_at = 0;
  };

  Process& at(SlotIndex slot);

  std::array<Process, kMaxProcesses> processes_ = {};
  // Slots at and above this were never added: keeps the sweeps short.
  uint32_t slots_used_ = 0;
};

}  // namespace sabir::shm
