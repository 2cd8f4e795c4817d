// The words of borrowing between nodes: names, messages, instructions (N1-N9 in docs/protocol.md). The events have the
// same names in tests/models/borrow.pml.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/control/node_log.h"
#include "runtime/shm/word.h"

namespace sabir::node {

using control::Incarnation;
using control::LogPosition;

// N1: an object, between nodes. Never names two objects: entries have generations within an incarnation.
struct ObjectName {
  Incarnation owner = 0;
  shm::Generation generation = 0;
  shm::EntryIndex entry = 0;

  shm::EntryRef ref() const { return {generation, entry}; }
  auto operator<=>(const ObjectName&) const = default;
};

// N2: a message that brings references (a call, the answer to one), or a container that was opened. The number is
// the lender's, never used twice by it.
struct CarrierId {
  Incarnation lender = 0;
  uint64_t number = 0;

  auto operator<=>(const CarrierId&) const = default;
};

// --- messages; each names the incarnations it goes from and to

// N4: rising from 1, per borrower and owner.
using RequestId = uint64_t;
// So many ids, counted from the lowest open one, may be open.
inline constexpr RequestId kRequestWindow = 1024;

// Borrower to owner. Sent again with the same id until it is answered; lowest_open is then that of the day.
struct BorrowRequest {
  enum class Kind : uint8_t { kRegister = 1, kRelease = 2 };

  Incarnation from = 0;
  Incarnation to = 0;
  RequestId id = 0;
  RequestId lowest_open = 0;  // all lower ones have been answered
  Kind kind = Kind::kRegister;
  ObjectName object;
  uint32_t count = 0;  // kRelease: how many answered registrations it takes back

  bool operator==(const BorrowRequest&) const = default;
};

// Owner to borrower. The same for each copy of a request.
struct BorrowAnswer {
  // kHeld: the borrower counts once more, or, after a release, so much less. kGone: the object does not exist (any
  // more), and never will again.
  enum class Outcome : uint8_t { kHeld = 1, kGone = 2 };

  Incarnation from = 0;
  Incarnation to = 0;
  RequestId id = 0;
  Outcome outcome = Outcome::kHeld;

  bool operator==(const BorrowAnswer&) const = default;
};

// --- instructions: carried out in their order, before the next event

// May be lost: what has to arrive is sent again.
struct SendRequest {
  BorrowRequest request;
};
struct SendAnswer {
  BorrowAnswer answer;
};
// Tell the lender that the carrier is finished (the call is completed, the result taken): it may let go (N2, N3).
// `lost` are references of it that have no object behind them; the local side gets a typed error for them.
struct CarrierDone {
  CarrierId carrier;
  std::vector<ObjectName> lost;
};
// N9: whoever waits for this object, or will, gets kObjectLost.
enum class LossReason : uint8_t { kOwnerDied, kUnknownToOwner };
struct ObjectLost {
  ObjectName object;
  LossReason reason = LossReason::kOwnerDied;
};
// The cluster as a whole holds an object of this node from now on, or no more: one holder in store::Ownership.
struct HoldForCluster {
  shm::EntryRef object;
};
struct UnholdForCluster {
  shm::EntryRef object;
};
// N8: to the control store; also whenever a connection to it stands anew.
struct AcknowledgeLog {
  LogPosition position = 0;
};

using BorrowInstruction =
    std::variant<SendRequest, SendAnswer, CarrierDone, ObjectLost, HoldForCluster, UnholdForCluster, AcknowledgeLog>;
using BorrowInstructions = std::vector<BorrowInstruction>;

}  // namespace sabir::node

template <>
struct std::hash<sabir::node::ObjectName> {
  size_t operator()(const sabir::node::ObjectName& name) const noexcept {
    // The finalizer of splitmix64 over what differs.
    uint64_t word = name.owner * 0x9e3779b97f4a7c15 + name.generation * 0xbf58476d1ce4e5b9 + name.entry;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
  }
};
