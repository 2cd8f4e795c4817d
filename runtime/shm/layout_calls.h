// The `calls` segment (T2): writable by every process of the node. Nothing in it is trusted by sabird (T3).
#pragma once

#include "runtime/shm/layout_node.h"

namespace sabir::shm {

// What the bytes of a call mean.
enum class CallKind : uint8_t { kTask = 0, kActorCall = 1 };

// Where a result lies. kNone: the null value, no bytes at all.
enum class ResultPlace : uint8_t { kNone = 0, kInline = 1, kBlock = 2 };

// Q1, Q2. The first line holds everything a claim needs; the second holds small arguments and, after them (rounded
// up to 8), a small result. Arguments stay intact until the record is consumed. Room for later: cancel, attempt,
// parent call (R4), num_returns and the reserved word (streaming results).
struct alignas(kCacheLineBytes) Cell {
  Atomic64 word;           // CellWord
  Atomic32 next_plus_one;  // link of the stack the cell is in (Q5)
  uint32_t function;       // index in the session's function table; for an actor call: of the method's name
  uint64_t call_id;        // counts up in the submitter: with its process id the task id
  uint64_t parent;         // CellRef of the call that submitted this one, 0 from a driver
  Atomic64 cancel;         // CellRef of the call to cancel, 0 none (R4)
  uint32_t args_bytes;
  uint32_t args_block;  // in kBlockUnitBytes; 0: arguments are inline
  uint32_t result_bytes;
  uint32_t result_block;  // in kBlockUnitBytes; of the claimer's memory
  uint8_t kind;           // CallKind
  uint8_t result_place;   // ResultPlace
  uint8_t result_is_error;
  uint8_t result_has_refs;  // HOLD-CELL entries were written for this result (H2)
  uint16_t num_returns;
  uint16_t attempt;
  alignas(kCacheLineBytes) uint8_t payload[kCellInlineBytes];
};
static_assert(sizeof(Cell) == kCellBytes && offsetof(Cell, payload) == 64, "Q1, T7");

// Q3. Ring slots hold a packed CellRef. head and tail lie on lines of their own: workers poll tail.
struct WorkQueue {
  alignas(kCacheLineBytes) Atomic64 head;
  alignas(kCacheLineBytes) Atomic64 tail;
  Atomic32 overflow;  // Q4: length of the submitter's private FIFO behind this ring
  alignas(kCacheLineBytes) Atomic64 slots[kWorkQueueSlots];
};
static_assert(sizeof(WorkQueue) == 128 + 8 * kWorkQueueSlots, "T7");

// O4. What a process tells sabird about objects. Entries of one process are read in order; see process_ring.h for
// what each operation means and which fields it uses.
enum class RingOp : uint8_t {
  kNone = 0,
  kAnnounce = 1,  // entry, generation, a = offset, b = bytes: sealed object, counts as a hold of the process
  kEscape = 2,    // entry, generation, a = CellRef or 0: pending call got an entry, counts as a hold. Or, by its flag:
                  // b = bytes of a value that is on another node (O10)
  kBind = 3,      // entry, generation, a = CellRef: an escaped call has entered this cell
  kDeliver = 4,   // entry, generation, a = block unit or object EntryIndex, b = bytes or object generation, flag
  kHold = 5,      // entry, generation: add
  kRelease = 6,   // entry, generation: remove
  kHoldCell = 7,  // entry, generation, a = CellRef: add, a reference inside that call's result
  kDropCell = 8,  // a = CellRef: remove all of that cell's holds
  kHoldNested = 9,  // entry, generation, a = EntryIndex of the container, b = its generation: add
  kSubscribe = 10,  // entry, generation: ring me when it is no longer pending
  kPin = 11,        // entry, generation
  kUnpin = 12,      // entry, generation
  kCloseLoan = 13,  // a = offset inside a loan: nothing more will be announced in it (O3)
  kKeep = 14,  // entry, generation, spare = which result it is: this process can make its value again, should it be
               // lost (O11)
};

struct RingRecord {
  uint8_t op;  // RingOp
  uint8_t flag;
  uint16_t spare;
  uint32_t entry;
  uint64_t generation;
  uint64_t a;
  uint64_t b;
};
static_assert(sizeof(RingRecord) == 32, "T7");

struct ProcessRing {
  alignas(kCacheLineBytes) Atomic64 head;  // a copy for the producer; sabird's private count is the truth
  alignas(kCacheLineBytes) Atomic64 tail;
  alignas(kCacheLineBytes) RingRecord records[kProcessRingEntries];
};

// One per slot. Each word names its writers.
struct alignas(kPageBytes) ProcessPage {
  alignas(kCacheLineBytes) Atomic32 doorbell;      // Q8
  alignas(kCacheLineBytes) Atomic64 reply_stack;   // completed calls of this process come back here (Q5)
  alignas(kCacheLineBytes) Atomic64 inbox;         // calls of the actor that lives here; closed when none does
  alignas(kCacheLineBytes) Atomic64 return_stack;  // blocks that others give back: block unit + 1, link in the block
  // From here on written by the process itself.
  alignas(kCacheLineBytes) Atomic64 deaths_acknowledged;  // D3: length of the log it has dealt with
  Atomic32 lease_epoch_done;                              // L2: the last epoch whose end it has acknowledged
  Atomic32 blocked;                                       // L4: odd while blocked in get or wait
  Atomic32 function_plus_one;                             // what runs now, for logs and status; 0 idle
  Atomic32 cpu;                     // where it last waited, plus one; 0 unknown (the spin policy's hint)
  Atomic32 spin_state;              // 1 while it spins for work
  Atomic64 executed;                // calls it has finished, for status
  Atomic32 last_function_plus_one;  // what ran last: its output may be read when it has ended
  Atomic32 under_way;               // of a worker that relays: calls it has claimed and not ended
};
static_assert(sizeof(ProcessPage) == kPageBytes, "T7");

// Type-stable (O3). A hint for readers: check range and generation, sabird's private table is the truth.
struct alignas(kCacheLineBytes) ObjectEntry {
  Atomic64 word;    // EntryWord
  Atomic64 offset;  // in the objects segment; for an actor: its ActorIndex
  Atomic64 size_bytes;
  Atomic64 id[2];  // for people: lists and logs
  uint64_t reserved[3];
};
static_assert(sizeof(ObjectEntry) == 64, "T7");

struct CallsHeader {
  uint64_t magic;
  uint64_t layout_hash;
  alignas(kCacheLineBytes) Atomic32 spin_tokens[kMaxSpinTokens];  // L5: slot of the holder, 0 free
  alignas(kCacheLineBytes) Atomic64 yields_off_until_ns;          // spin policy (L5): a yield was expensive
};

struct CallsSegment {
  CallsHeader header;
  alignas(kPageBytes) ProcessPage pages[kMaxProcesses];
  alignas(kPageBytes) ProcessRing rings[kMaxProcesses];
  alignas(kPageBytes) WorkQueue queues[kMaxQueues];
  alignas(kPageBytes) ObjectEntry entries[kMaxEntries];
  alignas(kPageBytes) Cell cells[kMaxCells];
  alignas(kPageBytes) uint8_t blocks[kMaxBlockChunks * kBlockChunkBytes];
};
static_assert(std::is_standard_layout_v<CallsSegment>, "T7");
static_assert(kMaxBlockChunks * (kBlockChunkBytes / kBlockUnitBytes) < (uint64_t{1} << 32), "block offsets fit");

}  // namespace sabir::shm
