// cell_pool.h, block_pool.h, result_blocks.h.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>

#include "runtime/shm/cell_pool.h"
#include "runtime/shm/result_blocks.h"
#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

constexpr SlotIndex kSelf = 2;
constexpr uint32_t kUnitsPerChunk = kBlockChunkBytes / kBlockUnitBytes;

class PoolTest : public ::testing::Test {
 protected:
  testing::TestSegments segments_;
  BlockPool blocks_{segments_.calls(), return_stack(segments_.calls(), kSelf)};
};

TEST_F(PoolTest, CellsComeFromTheChunksLastFreedFirst) {
  CellPool pool(segments_.calls());
  EXPECT_EQ(pool.take(), kNoCell);
  pool.add_chunk(3);
  pool.add_chunk(1);
  EXPECT_EQ(pool.free_count(), 2 * kCellsPerChunk);
  CellIndex first = pool.take();
  EXPECT_EQ(first, 1 * kCellsPerChunk);
  CellIndex second = pool.take();
  pool.give_back(first);
  EXPECT_EQ(pool.take(), first);
  std::set<CellIndex> all = {first, second};
  while (pool.free_count() > 0) {
    all.insert(pool.take());
  }
  EXPECT_EQ(all.size(), 2 * kCellsPerChunk);
  EXPECT_EQ(*all.rbegin(), 4 * kCellsPerChunk - 1);
}

TEST_F(PoolTest, BlocksOfAClassFillAChunk) {
  EXPECT_EQ(blocks_.allocate(1), kNoBlock);
  blocks_.add_chunk(5);
  std::set<uint32_t> units;
  for (uint32_t unit; (unit = blocks_.allocate(kMaxBlockBytes)) != kNoBlock;) {
    EXPECT_EQ(unit % (kMaxBlockBytes / kBlockUnitBytes), 0u);
    EXPECT_EQ(unit / kUnitsPerChunk, 5u);
    units.insert(unit);
  }
  EXPECT_EQ(units.size(), kBlockChunkBytes / kMaxBlockBytes);
}

TEST_F(PoolTest, UnitZeroIsNoBlock) {
  blocks_.add_chunk(0);
  uint32_t count = 0;
  while (blocks_.allocate(BlockPool::kMinBlockBytes) != kNoBlock) {
    ++count;
  }
  EXPECT_EQ(count, kBlockChunkBytes / BlockPool::kMinBlockBytes - 1);
}

TEST_F(PoolTest, AnEmptyChunkChangesItsClass) {
  blocks_.add_chunk(5);
  uint32_t small = blocks_.allocate(256);
  uint32_t second = blocks_.allocate(256);
  EXPECT_EQ(blocks_.allocate(5000), kNoBlock);
  blocks_.free(small);
  blocks_.free(second);
  uint32_t large = blocks_.allocate(5000);
  EXPECT_NE(large, kNoBlock);
  EXPECT_EQ(blocks_.allocate(256), kNoBlock);
  blocks_.free(large);
  EXPECT_NE(blocks_.allocate(256), kNoBlock);
}

// T1: what others leave on the return stack may be anything.
TEST_F(PoolTest, OnlyOwnBlocksInUseAreFreed) {
  blocks_.add_chunk(5);
  uint32_t unit = blocks_.allocate(1000);
  for (uint32_t wrong : {uint32_t{0}, unit + 1, unit + 16, 6 * kUnitsPerChunk, ~0u}) {
    EXPECT_FALSE(blocks_.free(wrong)) << wrong;
  }
  EXPECT_TRUE(blocks_.free(unit));
  EXPECT_FALSE(blocks_.free(unit)) << "twice";
}

TEST_F(PoolTest, OnlyWhatIsOutIsTakenBack) {
  blocks_.add_chunk(5);
  ResultBlocks out(segments_.calls(), blocks_, kSelf);
  uint32_t first = blocks_.allocate(kMaxBlockBytes), second = blocks_.allocate(kMaxBlockBytes);
  BlockStack returns = return_stack(segments_.calls(), kSelf);
  out.hand_out(first, {0, 1}, 9);
  returns.push(first);
  EXPECT_EQ(out.reclaim(), 1u);
  EXPECT_EQ(blocks_.stray_count(), 0u);
  EXPECT_EQ(out.reclaim(), 0u);
  out.hand_out(blocks_.allocate(kMaxBlockBytes), {0, 1}, 9);
  returns.push(second);
  EXPECT_EQ(out.reclaim(), 0u) << "in use, but not out";
  EXPECT_EQ(blocks_.stray_count(), 1u);
  EXPECT_EQ(blocks_.used_count(), 2u);
}

TEST_F(PoolTest, RandomUseNeverOverlaps) {
  for (uint32_t chunk = 0; chunk < 12; ++chunk) {
    blocks_.add_chunk(chunk);
  }
  std::mt19937 random(7);
  std::map<uint32_t, size_t> held;  // unit -> bytes
  for (int i = 0; i < 20000; ++i) {
    if (held.size() < 60 && random() % 2 == 0) {
      size_t bytes = 1 + random() % (size_t{256} << (random() % 10));
      uint32_t unit = blocks_.allocate(bytes);
      if (unit == kNoBlock) {
        continue;
      }
      auto next = held.lower_bound(unit);
      uint32_t units = static_cast<uint32_t>((bytes + kBlockUnitBytes - 1) / kBlockUnitBytes);
      ASSERT_TRUE(next == held.end() || unit + units <= next->first);
      if (next != held.begin()) {
        --next;
        ASSERT_LE(next->first + (next->second + kBlockUnitBytes - 1) / kBlockUnitBytes, unit);
      }
      held[unit] = bytes;
    } else if (!held.empty()) {
      auto victim = std::next(held.begin(), random() % held.size());
      ASSERT_TRUE(blocks_.free(victim->first));
      held.erase(victim);
    }
  }
  EXPECT_EQ(blocks_.used_count(), held.size());
}

// R1 of a claimer: the submitter died between freeing the cell and giving the block back.
TEST_F(PoolTest, BlocksOfConsumedCallsOfTheDeadComeBack) {
  constexpr SlotIndex kDead = 9, kLive = 8;
  blocks_.add_chunk(5);
  ResultBlocks out(segments_.calls(), blocks_, kSelf);
  auto finished = [&](CellIndex index, SlotIndex submitter) {
    Cell& cell = segments_.calls().cell(index);
    CellRef ref = publish_cell(cell, index);
    claim_cell(cell, ref.generation, kSelf);
    uint32_t unit = blocks_.allocate(300);
    out.hand_out(unit, ref, submitter);
    finish_cell(cell, ref.generation, kSelf);
    return unit;
  };
  uint32_t pushed = finished(0, kDead);  // consumed and pushed
  finished(1, kDead);                    // consumed, not pushed
  uint32_t unread = finished(2, kDead);  // still DONE: its heir will push it
  finished(3, kLive);                    // consumed, about to be pushed by a live process
  for (CellIndex cell : {0u, 1u, 3u}) {
    free_cell(segments_.calls().cell(cell));
  }
  BlockStack returns = return_stack(segments_.calls(), kSelf);
  returns.push(pushed);
  EXPECT_EQ(out.repair(kDead), 2u);
  EXPECT_EQ(blocks_.used_count(), 2u);
  returns.push(unread);
  EXPECT_EQ(out.reclaim(), 1u);
  EXPECT_EQ(out.out_count(), 1u);
}

}  // namespace
}  // namespace sabir::shm
