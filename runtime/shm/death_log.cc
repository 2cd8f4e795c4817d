#include "runtime/shm/death_log.h"

#include <algorithm>

namespace sabir::shm {

uint64_t append_death(NodeSegment& node, const Death& death) {
  uint64_t position = node.header.death_count.load(std::memory_order_relaxed);
  DeathRecord& record = node.deaths[position % kDeathLogEntries];
  // A reader that is a whole log behind may see this half written; next() finds out by the count.
  record.slot.store(death.slot, std::memory_order_release);
  record.incarnation.store(death.incarnation, std::memory_order_release);
  record.wait_status.store(static_cast<uint32_t>(death.wait_status), std::memory_order_release);
  record.reason.store(static_cast<uint32_t>(death.reason), std::memory_order_release);
  node.header.death_count.store(position + 1, std::memory_order_seq_cst);
  return position;
}

DeathLogReader::Outcome DeathLogReader::next(Death& out) {
  uint64_t count = node_.header.death_count.load(std::memory_order_acquire);
  if (count == position_) {
    return Outcome::kNone;
  }
  const DeathRecord& record = node_.deaths[position_ % kDeathLogEntries];
  out.slot = static_cast<SlotIndex>(record.slot.load(std::memory_order_acquire));
  out.incarnation = record.incarnation.load(std::memory_order_acquire);
  out.wait_status = static_cast<int>(record.wait_status.load(std::memory_order_acquire));
  out.reason = static_cast<DeathReason>(record.reason.load(std::memory_order_acquire));
  // One entry less than the log holds: the writer may be filling the slot of the entry to come.
  count = node_.header.death_count.load(std::memory_order_acquire);
  if (count - position_ >= kDeathLogEntries) {
    return Outcome::kOverrun;
  }
  ++position_;
  return Outcome::kDeath;
}

DeathAcks::Process& DeathAcks::at(SlotIndex slot) {
  SABIR_CHECK(slot < kMaxProcesses, "slot=", slot);
  return processes_[slot];
}

void DeathAcks::add(SlotIndex slot, uint64_t death_count) {
  at(slot) = {State::kLive, death_count, death_count, 0};
  slots_used_ = std::max(slots_used_, uint32_t{slot} + 1);
}

void DeathAcks::died(SlotIndex slot, uint64_t position) {
  at(slot).state = State::kDead;
  at(slot).died_at = position;
}

void DeathAcks::settled(SlotIndex slot) { at(slot).state = State::kSettled; }

void DeathAcks::remove(SlotIndex slot) { at(slot) = {}; }

void DeathAcks::update(SlotIndex slot, Untrusted<uint64_t> claimed, uint64_t death_count) {
  Process& process = at(slot);
  if (process.state == State::kLive) {
    process.acknowledged = claimed.within(process.acknowledged, death_count).value_or(process.acknowledged);
  }
}

void DeathAcks::update_all(const UntrustedCalls& calls, uint64_t death_count) {
  for (uint32_t slot = 0; slot < slots_used_; ++slot) {
    if (processes_[slot].state == State::kLive && processes_[slot].acknowledged != death_count) {
      auto index = static_cast<SlotIndex>(slot);
      update(index, calls.deaths_acknowledged(index), death_count);
    }
  }
}

uint64_t DeathAcks::acknowledged(uint64_t death_count) const {
  uint64_t least = death_count;
  for (uint32_t slot = 0; slot < slots_used_; ++slot) {
    if (processes_[slot].state == State::kLive) {
      least = std::min(least, processes_[slot].acknowledged);
    }
  }
  return least;
}

bool DeathAcks::reusable(SlotIndex slot) const {
  const Process& dead = processes_[slot];
  return dead.state == State::kSettled &&
         std::none_of(processes_.begin(), processes_.begin() + slots_used_, [&dead](const Process& other) {
           return other.state == State::kDead && other.born_at <= dead.died_at;
         });
}

std::optional<SlotIndex> DeathAcks::laggard(uint64_t position) const {
  std::optional<SlotIndex> furthest;
  uint64_t least = position + 1;
  for (uint32_t slot = 0; slot < slots_used_; ++slot) {
    const Process& process = processes_[slot];
    if (process.state == State::kLive && process.acknowledged < least) {
      least = process.acknowledged;
      furthest = static_cast<SlotIndex>(slot);
    }
  }
  return furthest;
}

}  // namespace sabir::shm
