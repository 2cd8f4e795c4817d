// Q5, Q6: Treiber stacks: inboxes and reply stacks of cells, return stacks of blocks. Many push, one takes all.
// Push-only plus take-all has no ABA; a death at any step loses at most the pusher's own element, which R1 finds.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "runtime/shm/fault_points.h"
#include "runtime/shm/segment.h"

namespace sabir::shm {

// How a walk ended.
struct TakeResult {
  uint32_t count = 0;
  // A link led out of range, or the chain is longer than all it can hold: the rest of the batch is dropped (Q5).
  // Submitters: do a consistency scan (R3).
  bool damaged = false;
};

// Links: where the link of an element is. load and store are called only with indices below Links::kLimit.
template <typename Links>
class LinkStack {
 public:
  LinkStack(Atomic64& head, Links links) : head_(head), links_(links) {}

  // Anybody. False: closed, the element stays the caller's. The CAS on the head is sequentially consistent: a doorbell
  // may be rung after it without another fence (Doorbell::ring_after_rmw).
  bool push(uint32_t index) {
    uint64_t head = head_.load(std::memory_order_relaxed);
    do {
      if (head == kStackClosed) {
        return false;
      }
      links_.store(index, static_cast<uint32_t>(head));
      SABIR_SHM_FAULT(kPushAfterLink);
    } while (
        !head_.compare_exchange_weak(head, uint64_t{index} + 1, std::memory_order_seq_cst, std::memory_order_relaxed));
    SABIR_SHM_FAULT(kPushAfterHead);
    return true;
  }

  // The stack's one owner (its heir when it is dead). Takes everything and appends the indices to `out`, first pushed
  // first. The links are not used after it returns, so the first element may be given away (Q6). `bound`: more elements
  // than that cannot be in it; keeps a walk over a damaged chain finite. A CLOSED stack is never walked and stays
  // closed.
  TakeResult take_all(std::vector<uint32_t>& out, uint32_t bound) {
    uint64_t head = head_.load(std::memory_order_relaxed);
    // Not an exchange: that would reopen a stack that sabird just closed.
    do {
      if (head == kStackEmpty || head == kStackClosed) {
        return {};
      }
    } while (!head_.compare_exchange_weak(head, kStackEmpty, std::memory_order_acq_rel, std::memory_order_relaxed));
    SABIR_SHM_FAULT(kTakeAfterHead);
    TakeResult result;
    size_t first = out.size();
    while (head != kStackEmpty) {
      uint64_t index = head - 1;
      if (index >= Links::kLimit || result.count == bound) {
        result.damaged = true;
        break;
      }
      out.push_back(static_cast<uint32_t>(index));
      ++result.count;
      head = links_.load(static_cast<uint32_t>(index));
    }
    std::reverse(out.begin() + static_cast<ptrdiff_t>(first), out.end());
    return result;
  }

  // A look without taking: for a sleeper's second look at its sources.
  bool empty() const {
    uint64_t head = head_.load(std::memory_order_seq_cst);
    return head == kStackEmpty || head == kStackClosed;
  }
  bool closed() const { return head_.load(std::memory_order_acquire) == kStackClosed; }

  // D2 (1). sabird. What is inside is not lost: the submitters recall it (R1).
  void close() { head_.exchange(kStackClosed, std::memory_order_seq_cst); }
  // sabird, before the directory names the new owner.
  void open() { head_.store(kStackEmpty, std::memory_order_release); }

 private:
  Atomic64& head_;
  Links links_;
};

struct CellLinks {
  static constexpr uint32_t kLimit = kMaxCells;
  CallsSegment* calls;

  uint32_t load(uint32_t cell) const { return calls->cells[cell].next_plus_one.load(std::memory_order_relaxed); }
  void store(uint32_t cell, uint32_t next_plus_one) const {
    calls->cells[cell].next_plus_one.store(next_plus_one, std::memory_order_relaxed);
  }
};

// Indices are block units; the link is the first word of the block.
struct BlockLinks {
  static constexpr uint32_t kLimit = kMaxBlockChunks * (kBlockChunkBytes / kBlockUnitBytes);
  CallsSegment* calls;

  uint32_t load(uint32_t unit) const { return __atomic_load_n(at(unit), __ATOMIC_RELAXED); }
  void store(uint32_t unit, uint32_t next_plus_one) const {
    __atomic_store_n(at(unit), next_plus_one, __ATOMIC_RELAXED);
  }

 private:
  uint32_t* at(uint32_t unit) const {
    return reinterpret_cast<uint32_t*>(&calls->blocks[size_t{unit} * kBlockUnitBytes]);
  }
};

using CellStack = LinkStack<CellLinks>;
using BlockStack = LinkStack<BlockLinks>;

// An inbox can hold no more than Q4 lets into it.
inline constexpr uint32_t kInboxBound = kMaxProcesses * kActorCallsInFlight;

inline CellStack reply_stack(const CallsView& calls, SlotIndex slot) {
  return {calls.page(slot).reply_stack, {&calls.segment()}};
}
inline CellStack inbox(const CallsView& calls, SlotIndex slot) { return {calls.page(slot).inbox, {&calls.segment()}}; }
inline BlockStack return_stack(const CallsView& calls, SlotIndex slot) {
  return {calls.page(slot).return_stack, {&calls.segment()}};
}

}  // namespace sabir::shm
