// The packed 64-bit words that processes agree on (Q2, L2, D2). Pure functions; no memory is touched here.
#pragma once

#include <cstdint>

namespace sabir::shm {

using SlotIndex = uint16_t;   // a process's place in the process table
using CellIndex = uint32_t;   // a cell's place in the calls segment, below kMaxCells
using EntryIndex = uint32_t;  // an object entry's place in the calls segment, below kMaxEntries
using QueueIndex = uint32_t;  // a work queue's place in the queue directory
using ClassIndex = uint32_t;  // a scheduling class's place in the class directory
using ActorIndex = uint32_t;  // an actor's place in the actor directory
using Generation = uint64_t;  // 40 bits, never restarts (Q1)

inline constexpr Generation kGenerationMask = (uint64_t{1} << 40) - 1;

// Q2: who may make which change is written in cell.h, beside the functions that make it.
enum class CellState : uint8_t { kFree = 0, kQueued = 1, kClaimed = 2, kCancelled = 3, kDone = 4 };

// Q2: generation 40 | state 4 | spare 4 | claimer slot 16.
struct CellWord {
  Generation generation = 0;
  CellState state = CellState::kFree;
  SlotIndex claimer = 0;

  constexpr uint64_t pack() const {
    return (generation << 24) | (uint64_t{static_cast<uint8_t>(state)} << 20) | claimer;
  }
  static constexpr CellWord unpack(uint64_t word) {
    return {word >> 24, static_cast<CellState>((word >> 20) & 0xf), static_cast<SlotIndex>(word & 0xffff)};
  }
  constexpr bool operator==(const CellWord&) const = default;
};

// Q2: generation 40 | cell 24. A reference to one use of a cell: what a ring slot holds, and how a call is named
// between processes (parent call, cancel word, holds of a cell).
struct CellRef {
  Generation generation = 0;
  CellIndex cell = 0;

  constexpr uint64_t pack() const { return (generation << 24) | cell; }
  static constexpr CellRef unpack(uint64_t word) { return {word >> 24, static_cast<CellIndex>(word & 0xffffff)}; }
  constexpr bool operator==(const CellRef&) const = default;
};

// L2: epoch 32 | class + 1 (0: no lease) 16 | first queue + 1 (0: none) 16.
struct LeaseWord {
  uint32_t epoch = 0;
  uint16_t class_plus_one = 0;
  uint16_t first_queue_plus_one = 0;

  constexpr bool granted() const { return class_plus_one != 0; }
  constexpr uint64_t pack() const {
    return (uint64_t{epoch} << 32) | (uint64_t{class_plus_one} << 16) | first_queue_plus_one;
  }
  static constexpr LeaseWord unpack(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), static_cast<uint16_t>(word >> 16), static_cast<uint16_t>(word)};
  }
};

enum class ActorState : uint8_t { kNone = 0, kPending = 1, kAlive = 2, kRestarting = 3, kDead = 4 };

// Actor directory: incarnation 32 | state 8 | spare 8 | slot of the process that hosts it 16.
struct ActorWord {
  uint32_t incarnation = 0;
  ActorState state = ActorState::kNone;
  SlotIndex slot = 0;

  constexpr uint64_t pack() const {
    return (uint64_t{incarnation} << 32) | (uint64_t{static_cast<uint8_t>(state)} << 24) | slot;
  }
  static constexpr ActorWord unpack(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), static_cast<ActorState>((word >> 24) & 0xff),
            static_cast<SlotIndex>(word & 0xffff)};
  }
};

// kFree: nobody's value. kPending: escaped (O6), its call has not delivered, or is elsewhere (O10). kResident: offset
// and size are set. kLost: it will never have a value (its node or its last copy is gone). The states of spilling are
// reserved (O5).
enum class EntryState : uint8_t { kFree = 0, kPending = 1, kResident = 2, kSpilling = 3, kSpilled = 4, kLost = 5 };

// Object entry: generation 40 | state 8 | flags 16.
struct EntryWord {
  Generation generation = 0;
  EntryState state = EntryState::kFree;
  uint16_t flags = 0;

  static constexpr uint16_t kIsActor = 1;      // an actor handle: lives and dies by holds like an object
  static constexpr uint16_t kIsElsewhere = 2;  // kPending, but the value is there: on another node (O10)

  constexpr bool is_elsewhere() const { return state == EntryState::kPending && (flags & kIsElsewhere) != 0; }
  constexpr bool was_elsewhere() const { return state == EntryState::kLost && (flags & kIsElsewhere) != 0; }
  constexpr uint64_t pack() const { return (generation << 24) | (uint64_t{static_cast<uint8_t>(state)} << 16) | flags; }
  static constexpr EntryWord unpack(uint64_t word) {
    return {word >> 24, static_cast<EntryState>((word >> 16) & 0xff), static_cast<uint16_t>(word)};
  }
};

// Names one use of an object entry between processes.
struct EntryRef {
  Generation generation = 0;
  EntryIndex entry = 0;

  constexpr bool operator==(const EntryRef&) const = default;
};

// Q8: sequence 31 | SLEEPING 1.
inline constexpr uint32_t kDoorbellSleeping = 1;
inline constexpr uint32_t kDoorbellStep = 2;

// Q5: head of a Treiber stack: 0 empty, kStackClosed closed, else index + 1.
inline constexpr uint64_t kStackEmpty = 0;
inline constexpr uint64_t kStackClosed = ~uint64_t{0};

}  // namespace sabir::shm
