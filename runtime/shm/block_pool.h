// The blocks of a process (Q1): bytes of arguments and results that do not fit into a cell. A private allocator over
// the 1 MiB chunks that sabird lent: powers of two from 256 bytes to 128 KiB, last freed first used within a chunk. All
// its state is private: nothing that another process writes can confuse it. Not for several threads at once.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "runtime/shm/segment.h"
#include "runtime/shm/stack.h"

namespace sabir::shm {

// Unit 0 is never a block: Cell::args_block uses 0 for "none".
inline constexpr uint32_t kNoBlock = 0;

class BlockPool {
 public:
  static constexpr size_t kMinBlockBytes = 256;

  // `return_stack`: this process's own, where others leave its blocks when they have read them.
  BlockPool(const CallsView& calls, BlockStack return_stack) : calls_(calls), return_stack_(return_stack) {}

  // A chunk from sabird (LendKind blocks).
  void add_chunk(uint32_t chunk);

  // The unit of a block of at least size_bytes (1 .. kMaxBlockBytes), or kNoBlock: reclaim, then ask sabird for a
  // chunk.
  uint32_t allocate(size_t size_bytes);
  // False: this is no block in use of this pool. A number that came from another process may be anything; nothing
  // happened.
  bool free(uint32_t unit);

  // Takes back what lies on the return stack; how many blocks that was. expected(unit) says whether the block is out at
  // all; what is not, or is damage (T1), is counted and left alone.
  template <typename Expected>
  uint32_t reclaim(Expected&& expected) {
    returned_.clear();
    stray_count_ += return_stack_.take_all(returned_, used_count_).damaged ? 1 : 0;
    uint32_t count = 0;
    for (uint32_t unit : returned_) {
      bool back = expected(unit) && free(unit);
      count += back ? 1 : 0;
      stray_count_ += back ? 0 : 1;
    }
    return count;
  }
  // For a pool whose every block may be on its way back.
  uint32_t reclaim() {
    return reclaim([](uint32_t) { return true; });
  }
  // How often something came back that was not out: somebody broke the rules, or wrote where he should not.
  uint64_t stray_count() const { return stray_count_; }

  uint8_t* data(uint32_t unit) const { return &calls_.segment().blocks[size_t{unit} * kBlockUnitBytes]; }
  uint32_t used_count() const { return used_count_; }
  uint32_t chunk_count() const { return static_cast<uint32_t>(chunks_.size()); }

 private:
  static constexpr uint32_t kClasses = 10;  // 256 << 0 .. 256 << 9
  static_assert(kMinBlockBytes << (kClasses - 1) == kMaxBlockBytes);
  static constexpr uint32_t kUnitsPerChunk = kBlockChunkBytes / kBlockUnitBytes;

  // A chunk holds blocks of one class until the last of them is free; then it may change its class.
  struct Chunk {
    uint32_t index = 0;
    uint32_t size_class = 0;
    uint32_t used_count = 0;
    uint32_t fresh = 0;          // blocks from here on were never used since the last change of class
    std::vector<uint16_t> free;  // below `fresh`, free again
    std::vector<bool> used;
    bool listed = false;  // in with_room_[size_class]
  };

  static uint32_t class_of(size_t size_bytes);
  static uint32_t blocks_in(uint32_t size_class) {
    return static_cast<uint32_t>(kBlockChunkBytes / (kMinBlockBytes << size_class));
  }
  void set_class(Chunk& chunk, uint32_t size_class);
  Chunk* chunk_with_room(uint32_t size_class);
  // One with nothing in use: any class may take it.
  Chunk* empty_chunk();
  uint32_t take_from(Chunk& chunk);

  const CallsView& calls_;
  BlockStack return_stack_;
  std::map<uint32_t, Chunk> chunks_;  // by index; their addresses stay
  std::array<std::vector<Chunk*>, kClasses> with_room_;
  std::vector<uint32_t> returned_;
  uint32_t used_count_ = 0;
  uint64_t stray_count_ = 0;
};

}  // namespace sabir::shm
