// O4: the ring in which a process tells sabird about objects. One producer (under the process's own lock), sabird
// reads. Adds are written before the word that publishes what they protect; see protocol rules H1, H2, O5, O6.
#pragma once

#include <optional>
#include <span>

#include "runtime/shm/fault_points.h"
#include "runtime/shm/segment.h"
#include "runtime/shm/untrusted.h"

namespace sabir::shm {

// Where a delivered value lies (RingOp::kDeliver): RingRecord::flag.
enum class DeliverPlace : uint8_t {
  kBlock = 0,   // a block of this process, which it may reuse once sabird's read position has passed
  kObject = 1,  // the bytes of a store object
  kNull = 2,    // the null value
  kLost = 3,    // there will be no value: nothing to read
};
inline constexpr uint8_t kAnnounceClosesLoan = 1;  // RingRecord::flag of kAnnounce
inline constexpr uint8_t kEscapeIsElsewhere = 1;   // RingRecord::flag of kEscape

// One operation with its fields told apart. Which are used, by operation:
//   kAnnounce    entry, offset, size_bytes, closes_loan   a sealed object at its place; counts as a hold of the process
//   kEscape      entry, cell (0/0: not yet in a cell), return_index   a pending call got an entry; counts as a hold
//   kEscape      entry, is_elsewhere, size_bytes   a value on another node that the process fetches when it is wanted
//   kBind        entry, cell                    an escaped call has entered this cell
//   kDeliver     entry, place, and for kBlock block_unit, size_bytes; for kObject object
//   kHold, kRelease, kSubscribe, kPin, kUnpin   entry
//   kKeep        entry, return_index   its call is kept, and has it as that result
//   kHoldCell    entry, cell                    a reference inside that call's result
//   kDropCell    cell                           all holds of that use of the cell
//   kHoldNested  entry, object                  a reference inside the stored object `object`
//   kCloseLoan   offset                         nothing more will be announced in the loan around it (O3)
struct RingMessage {
  RingOp op = RingOp::kNone;
  EntryRef entry;
  CellRef cell;
  EntryRef object;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
  uint32_t block_unit = 0;
  uint16_t return_index = 0;
  bool closes_loan = false;
  bool is_elsewhere = false;
  DeliverPlace place = DeliverPlace::kBlock;

  bool operator==(const RingMessage&) const = default;

  static RingMessage announce(EntryRef entry, uint64_t offset, uint64_t size_bytes, bool closes_loan);
  static RingMessage escape(EntryRef entry, CellRef cell_or_none, uint16_t return_index);
  static RingMessage elsewhere(EntryRef entry, uint64_t size_bytes);
  static RingMessage bind(EntryRef entry, CellRef cell);
  static RingMessage deliver_block(EntryRef entry, uint32_t block_unit, uint64_t size_bytes);
  static RingMessage deliver_object(EntryRef entry, EntryRef object);
  static RingMessage deliver_null(EntryRef entry);
  static RingMessage deliver_lost(EntryRef entry);
  static RingMessage hold(EntryRef entry);
  static RingMessage release(EntryRef entry);
  static RingMessage hold_cell(EntryRef entry, CellRef cell);
  static RingMessage drop_cell(CellRef cell);
  static RingMessage hold_nested(EntryRef entry, EntryRef container);
  static RingMessage subscribe(EntryRef entry);
  static RingMessage pin(EntryRef entry);
  static RingMessage unpin(EntryRef entry);
  static RingMessage close_loan(uint64_t offset);
  static RingMessage keep(EntryRef entry, uint16_t return_index);
};

RingRecord encode(const RingMessage& message);
// Nothing if an operation is unknown or a field out of its range: a violation of the protocol (T4). Ranges only; that
// entry, cell and block are the author's, at that generation, is for sabird's tables to say (T3).
std::optional<RingMessage> decode(const RingRecord& record);

// The process's end. Not for several threads at once.
class RingProducer {
 public:
  explicit RingProducer(ProcessRing& ring)
      : ring_(ring),
        tail_(ring.tail.load(std::memory_order_relaxed)),
        head_(ring.head.load(std::memory_order_acquire)) {}

  // False: full, nothing was written; ring sabird and try again later (interruptibly). After true: DaemonBell::
  // ring_unless_watching.
  bool try_push(const RingRecord& record) { return try_push_all({&record, 1}); }
  bool try_push(const RingMessage& message) { return try_push(encode(message)); }
  // All or nothing, in this order, seen by sabird all at once. At most kProcessRingEntries.
  bool try_push_all(std::span<const RingRecord> records);

  uint32_t room();
  // How many records were ever pushed: passed(position()) later says that sabird has read what is there now.
  uint64_t position() const { return tail_; }
  // O6: sabird has read all records below `position`.
  bool passed(uint64_t position);

 private:
  ProcessRing& ring_;
  uint64_t tail_;
  uint64_t head_;  // as last seen
};

// sabird's end: its private head is the truth.
class RingConsumer {
 public:
  // For a slot after prepare_slot.
  explicit RingConsumer(ProcessRing& ring) : ring_(ring) {}

  // H1: the bounds of one round. A round reads what was there when it began, and no more: nobody can keep sabird in it.
  struct Round {
    uint64_t end = 0;
    bool violation = false;  // `tail` is nonsense (T4); the round is empty
  };
  Round begin_round() const;

  // A copy of the next record before the round's end; false: there is none. decode() it: what it cannot read is
  // a violation, and counts as read.
  bool next(const Round& round, RingRecord& out);

  // Tells the producer how far sabird is. After the effects of the messages: the producer reuses what they name.
  void publish_head() { ring_.head.store(head_, std::memory_order_release); }
  uint64_t head() const { return head_; }

 private:
  ProcessRing& ring_;
  uint64_t head_ = 0;
};

}  // namespace sabir::shm
