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

// sabird. Returns the entry's position; it is acknowledged by all once DeathAcks::acknowledged() is larger. Afterwards:
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

  // Starts at the log's end, and publishes that in the page.
  DeathLogReader(const NodeView& node, ProcessPage& page)
      : node_(node.segment()), page_(page), position_(node_.header.death_count.load(std::memory_order_acquire)) {
    acknowledge();
  }

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

// sabird's private account of who has acknowledged how much (D4). Slots that are not live do not count.
class DeathAcks {
 public:
  // A process got the slot: what is in the log already is none of its business.
  void add(SlotIndex slot, uint64_t death_count);
  void remove(SlotIndex slot);
  // What the process says now. It can neither go back nor acknowledge the future.
  void update(SlotIndex slot, Untrusted<uint64_t> claimed, uint64_t death_count);
  // Reads all live pages.
  void update_all(const UntrustedCalls& calls, uint64_t death_count);

  // Entries below this position are acknowledged by every live process; `death_count` when there is none.
  uint64_t acknowledged(uint64_t death_count) const;
  // The live process that is furthest behind, if any has not acknowledged `position`: who to kill when it takes too
  // long.
  std::optional<SlotIndex> laggard(uint64_t position) const;

 private:
  static constexpr uint64_t kAbsent = ~uint64_t{0};

  std::array<uint64_t, kMaxProcesses> position_ = make_absent();
  // Slots at and above this were never added: keeps the sweep short.
  uint32_t slots_used_ = 0;

  static constexpr std::array<uint64_t, kMaxProcesses> make_absent() {
    std::array<uint64_t, kMaxProcesses> absent = {};
    absent.fill(kAbsent);
    return absent;
  }
};

}  // namespace sabir::shm
