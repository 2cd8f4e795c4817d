// The segments of a node (T2): made by sabird, mapped by everybody else after checks. What a process maps it
// keeps; nothing here grows or moves.
#pragma once

#include <cstdint>

#include "runtime/base/ids.h"
#include "runtime/shm/layout_hash.h"
#include "runtime/shm/mapping.h"

namespace sabir::shm {

struct SegmentOptions {
  IdBits session_id;
  uint64_t store_bytes = 0;    // what users are told the store holds
  uint64_t objects_bytes = 0;  // size of the `objects` segment, at least store_bytes; rounded up to 2 MiB
  uint32_t sabird_pid = 0;
  uint32_t cpu_count = 1;
  uint32_t spin_allowance = 1;
};

// The `node` segment as everybody but sabird sees it. Movable, not copyable; references stay good as long as it lives.
class NodeView {
 public:
  // Of a descriptor that sabird sent. kInvalid: not such a segment, or damaged. kUnsupported: of another version.
  static Result<NodeView> map(int fd);

  const NodeSegment& segment() const { return *segment_; }
  const NodeHeader& header() const { return segment_->header; }

  // Indices that come out of shared words: a null pointer says that there is no such record.
  const ClassRecord* find_class(uint32_t index) const {
    return index < kMaxClasses ? &segment_->classes[index] : nullptr;
  }
  const QueueRecord* find_queue(uint32_t index) const {
    return index < kMaxQueues ? &segment_->queues[index] : nullptr;
  }
  const ActorRecord* find_actor(uint32_t index) const {
    return index < kMaxActors ? &segment_->actors[index] : nullptr;
  }
  const ProcessRecord* find_process(uint32_t slot) const {
    return slot < kMaxProcesses ? &segment_->processes[slot] : nullptr;
  }
  // The submitter a cell belongs to (T3), the claimer a block belongs to; 0: nobody.
  SlotIndex cell_owner(CellIndex cell) const {
    return cell < kMaxCells ? owner_of(segment_->cell_chunk_owner[cell / kCellsPerChunk]) : SlotIndex{0};
  }
  SlotIndex block_owner(uint32_t unit) const {
    uint32_t chunk = unit / (kBlockChunkBytes / kBlockUnitBytes);
    return chunk < kMaxBlockChunks ? owner_of(segment_->block_chunk_owner[chunk]) : SlotIndex{0};
  }
  SlotIndex entry_owner(EntryIndex entry) const {
    return entry < kMaxEntries ? owner_of(segment_->entry_batch_owner[entry / kEntriesPerBatch]) : SlotIndex{0};
  }

 private:
  friend class NodeWriter;
  explicit NodeView(Mapping mapping)
      : mapping_(std::move(mapping)), segment_(static_cast<const NodeSegment*>(mapping_.address())) {}
  static SlotIndex owner_of(const Atomic32& word) {
    uint32_t slot = word.load(std::memory_order_acquire);
    return static_cast<SlotIndex>(slot < kMaxProcesses ? slot : 0);
  }

  Mapping mapping_;
  const NodeSegment* segment_;
};

// The same segment in sabird, the only one who writes it.
class NodeWriter {
 public:
  NodeSegment& segment() const { return *segment_; }
  NodeHeader& header() const { return segment_->header; }
  // The same memory for code that is written for readers.
  const NodeView& view() const { return view_; }

 private:
  friend struct SessionSegments;
  explicit NodeWriter(Mapping mapping)
      : view_(std::move(mapping)), segment_(static_cast<NodeSegment*>(view_.mapping_.address())) {}

  NodeView view_;
  NodeSegment* segment_;
};

// The `calls` segment, writable. find_x takes what comes out of shared words and answers null when there is no such
// thing; x takes an index of our own and checks it as an invariant.
class CallsView {
 public:
  // As NodeView::map.
  static Result<CallsView> map(int fd);

  CallsSegment& segment() const { return *segment_; }
  CallsHeader& header() const { return segment_->header; }

  Cell* find_cell(uint32_t index) const { return index < kMaxCells ? &segment_->cells[index] : nullptr; }
  WorkQueue* find_queue(uint32_t index) const { return index < kMaxQueues ? &segment_->queues[index] : nullptr; }
  ProcessPage* find_page(uint32_t slot) const { return slot < kMaxProcesses ? &segment_->pages[slot] : nullptr; }
  ObjectEntry* find_entry(uint32_t index) const { return index < kMaxEntries ? &segment_->entries[index] : nullptr; }
  // size_bytes readable bytes from a block unit on, or null when they would leave the segment or the largest block.
  uint8_t* find_block(uint32_t unit, uint64_t size_bytes) const {
    constexpr uint64_t kTotalBytes = uint64_t{kMaxBlockChunks} * kBlockChunkBytes;
    uint64_t offset = uint64_t{unit} * kBlockUnitBytes;
    return size_bytes <= kMaxBlockBytes && offset < kTotalBytes && size_bytes <= kTotalBytes - offset
               ? &segment_->blocks[offset]
               : nullptr;
  }

  Cell& cell(CellIndex index) const {
    SABIR_CHECK(index < kMaxCells, "cell=", index);
    return segment_->cells[index];
  }
  WorkQueue& queue(QueueIndex index) const {
    SABIR_CHECK(index < kMaxQueues, "queue=", index);
    return segment_->queues[index];
  }
  ProcessPage& page(SlotIndex slot) const {
    SABIR_CHECK(slot < kMaxProcesses, "slot=", slot);
    return segment_->pages[slot];
  }
  ProcessRing& ring(SlotIndex slot) const {
    SABIR_CHECK(slot < kMaxProcesses, "slot=", slot);
    return segment_->rings[slot];
  }
  ObjectEntry& entry(EntryIndex index) const {
    SABIR_CHECK(index < kMaxEntries, "entry=", index);
    return segment_->entries[index];
  }

 private:
  friend struct SessionSegments;
  explicit CallsView(Mapping mapping)
      : mapping_(std::move(mapping)), segment_(static_cast<CallsSegment*>(mapping_.address())) {}

  Mapping mapping_;
  CallsSegment* segment_;
};

// What sabird makes at its start: all three, at their full sparse size, sealed. The descriptors are sent to each
// process; node_fd cannot be mapped writable by anybody.
struct SessionSegments {
  static Result<SessionSegments> create(const SegmentOptions& options);

  NodeWriter node;
  CallsView calls;
  UniqueFd node_fd;
  UniqueFd calls_fd;
  UniqueFd objects_fd;
  uint64_t objects_bytes;
};

}  // namespace sabir::shm
