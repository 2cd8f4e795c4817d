// L2: a lease is a word in `node`: epoch, class, first queue. Epochs of a slot count up with each grant; the worker
// writes the epoch it has ended into its page, and only then are the resources free.
#pragma once

#include "runtime/shm/segment.h"

namespace sabir::shm {

// sabird. The words are its own (nobody else can write `node`), so it may read them back.
class LeaseWriter {
 public:
  explicit LeaseWriter(NodeSegment& node) : node_(node) {}

  // Epochs of a slot rise with each grant and are never 0 (next_epoch). Ring the worker's doorbell afterwards.
  // `first_queue`: kNoQueue for none.
  static constexpr uint32_t kNoQueue = ~uint32_t{0};
  void grant(SlotIndex slot, uint32_t epoch, ClassIndex class_index, uint32_t first_queue, uint64_t gpu_mask);
  uint32_t next_epoch(SlotIndex slot) const;
  // The same lease, another first queue (L4: depth first). No new epoch.
  void redirect(SlotIndex slot, uint32_t first_queue);
  // The word keeps the epoch and loses the class. The lease ends when the worker says so, or with its death.
  void withdraw(SlotIndex slot);

  LeaseWord word(SlotIndex slot) const { return LeaseWord::unpack(record(slot).word.load(std::memory_order_relaxed)); }

 private:
  LeaseRecord& record(SlotIndex slot) const {
    SABIR_CHECK(slot < kMaxProcesses, "slot=", slot);
    return node_.leases[slot];
  }

  NodeSegment& node_;
};

// The worker it is granted to; one thread at a time.
class LeaseReader {
 public:
  LeaseReader(const NodeView& node, ProcessPage& page, SlotIndex self)
      : record_(node.segment().leases[self]),
        page_(page),
        done_(page.lease_epoch_done.load(std::memory_order_relaxed)) {}

  // Before each claim, and in a sleeper's second look.
  LeaseWord current() const { return LeaseWord::unpack(record_.word.load(std::memory_order_seq_cst)); }
  // Granted, and not one that this worker has ended by itself (L4).
  bool usable(LeaseWord word) const { return word.granted() && word.epoch != done_; }
  // Withdrawn, perhaps before this worker ever saw it granted, and sabird still waits for the answer: finish(word).
  bool owes_answer(LeaseWord word) const { return !word.granted() && word.epoch != done_; }
  // Between two records, when current() is withdrawn, or `held` is void after a blocked get (L4): from here on nothing
  // is claimed under this epoch. Ring sabird afterwards.
  void finish(LeaseWord held) {
    done_ = held.epoch;
    page_.lease_epoch_done.store(done_, std::memory_order_seq_cst);
  }
  // Of the current lease.
  uint64_t gpu_mask() const { return record_.gpu_mask.load(std::memory_order_acquire); }

 private:
  const LeaseRecord& record_;
  ProcessPage& page_;
  uint32_t done_;
};

}  // namespace sabir::shm
