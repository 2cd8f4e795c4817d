#include "runtime/shm/untrusted.h"

#include <gtest/gtest.h>

#include "runtime/shm/cell.h"
#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

TEST(UntrustedTest, AnswersOnlyWithinBounds) {
  Untrusted<uint32_t> number(7);
  EXPECT_EQ(number.below(8), 7u);
  EXPECT_EQ(number.below(7), std::nullopt);
  EXPECT_EQ(number.within(7, 7), 7u);
  EXPECT_EQ(number.within(8, 9), std::nullopt);
  EXPECT_EQ(number.clamped(0, 5), 5u);
  EXPECT_TRUE(number == 7u);
}

TEST(UntrustedTest, CellsAreCopied) {
  testing::TestSegments segments;
  UntrustedCalls eyes(segments.calls());
  Cell& cell = segments.calls().cell(5);
  cell.function = 3;
  cell.call_id = 99;
  cell.args_bytes = 4;
  cell.payload[60] = 42;
  publish_cell(cell, 5);
  cell.result_block = ~0u;
  CellCopy copy = eyes.cell(5);
  cell.function = 4;
  EXPECT_EQ(copy.word, (CellWord{0, CellState::kQueued, 0}));
  EXPECT_EQ(copy.function, 3u);
  EXPECT_EQ(copy.call_id, 99u);
  EXPECT_TRUE(copy.args_bytes == 4u);
  EXPECT_EQ(copy.result_block.below(kMaxBlockChunks), std::nullopt);
  uint8_t byte = 0;
  EXPECT_TRUE(eyes.copy_payload(5, 60, &byte, 1));
  EXPECT_EQ(byte, 42);
}

TEST(UntrustedTest, NothingIsCopiedFromBeyond) {
  testing::TestSegments segments;
  UntrustedCalls eyes(segments.calls());
  uint8_t bytes[kCellInlineBytes + 1];
  EXPECT_TRUE(eyes.copy_payload(5, 0, bytes, kCellInlineBytes));
  EXPECT_FALSE(eyes.copy_payload(5, 1, bytes, kCellInlineBytes));
  EXPECT_FALSE(eyes.copy_payload(5, ~size_t{0}, bytes, 2));
  EXPECT_TRUE(eyes.copy_block(1, bytes, sizeof(bytes)));
  EXPECT_FALSE(eyes.copy_block(~0u, bytes, 1));
}

}  // namespace
}  // namespace sabir::shm
