// Which values of other nodes may come into this node's store now: decisions only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "runtime/base/clock.h"

namespace sabir::gateway {

// How long what was admitted waits for room in the store. In slices, in turns: who wants to leave waits for one of
// them, and with it all that comes from the peer.
inline constexpr int64_t kRoomTimeoutNs = 60 * kSecondNs;
inline constexpr int64_t kRoomSliceNs = kSecondNs;

// What one call, or one result, needs comes as a whole or waits as a whole: two that each have half of what they need
// could wait for each other's room for ever. Of each priority at most `budget_bytes` are on their way together, but one
// always is, however large. One thread at a time.
class Admission {
 public:
  // What is more urgent never waits for the rest: what lets go of the room that arguments wait for may be behind it.
  enum class Priority : uint8_t {
    kWaited,    // somebody here may be blocked until it comes: results, and what was promised
    kArguments  // of a call that has not begun: in the order of the calls
  };
  using Begin = std::function<void(bool admitted)>;

  explicit Admission(uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  // `begin` comes out of take() when its turn has come, and is called with true; whoever it is for says leave() with
  // the same size when all has come or failed.
  void enter(const void* owner, uint64_t size_bytes, Priority priority, Begin begin);
  void leave(uint64_t size_bytes, Priority priority);
  // What may begin now, the most urgent first; to be called without a lock.
  std::vector<Begin> take();
  // What of this owner still waits: to be called with false, and never to leave.
  std::vector<Begin> remove(const void* owner);
  bool is_waiting() const;

 private:
  struct Waiting {
    const void* owner = nullptr;
    uint64_t size_bytes = 0;
    Begin begin;
  };

  struct Lane {
    uint64_t under_way_bytes = 0;
    uint64_t under_way = 0;
    std::deque<Waiting> waiting;  // bounded by the calls under way
  };
  Lane& lane(Priority priority) { return lanes_[static_cast<size_t>(priority)]; }

  const uint64_t budget_bytes_;
  std::array<Lane, 2> lanes_;
};

}  // namespace sabir::gateway
