// Who the object store speaks of: processes and holders. Plain values; nothing here does anything.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "runtime/shm/word.h"

namespace sabir::store {

// One life of one process at its node (D1). Slot 0 is sabird itself.
struct ProcessId {
  shm::SlotIndex slot = 0;
  uint32_t incarnation = 0;

  constexpr bool is_node() const { return slot == 0; }
  constexpr uint64_t pack() const { return (uint64_t{slot} << 32) | incarnation; }
  static constexpr ProcessId unpack(uint64_t word) {
    return {static_cast<shm::SlotIndex>(word >> 32), static_cast<uint32_t>(word)};
  }
  constexpr auto operator<=>(const ProcessId&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm
};

inline constexpr ProcessId kNodeItself = {};

// What keeps an object alive (O4). Each holder counts for itself; an object goes when all are at zero (H1).
struct Holder {
  enum class Kind : uint8_t {
    kProcess = 0,  // value: ProcessId
    kPin = 1,      // value: ProcessId. Keeps the address too (O5)
    kCell = 2,     // value: CellRef. References inside a call's result (H2)
    kStored = 3,   // value: EntryIndex. References inside a stored object, or what an escaped entry stands for
    kActor = 4,    // value: ActorIndex. What its constructor was given, as long as it may restart
    kJob = 5,      // value: job
    kNode = 6,     // value: 0
  };

  Kind kind = Kind::kNode;
  uint64_t value = 0;

  static constexpr Holder process(ProcessId id) { return {Kind::kProcess, id.pack()}; }
  static constexpr Holder pin(ProcessId id) { return {Kind::kPin, id.pack()}; }
  static constexpr Holder cell(shm::CellRef ref) { return {Kind::kCell, ref.pack()}; }
  static constexpr Holder stored(shm::EntryIndex container) { return {Kind::kStored, container}; }
  static constexpr Holder actor(shm::ActorIndex index) { return {Kind::kActor, index}; }
  static constexpr Holder job(uint32_t index) { return {Kind::kJob, index}; }
  static constexpr Holder node() { return {Kind::kNode, 0}; }

  constexpr bool operator==(const Holder&) const = default;
};

}  // namespace sabir::store

template <>
struct std::hash<sabir::store::ProcessId> {
  size_t operator()(const sabir::store::ProcessId& id) const noexcept { return std::hash<uint64_t>()(id.pack()); }
};
