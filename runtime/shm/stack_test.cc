#include "runtime/shm/stack.h"

#include <gtest/gtest.h>

#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

class StackTest : public ::testing::Test {
 protected:
  TakeResult take(uint32_t bound = 100) {
    taken_.clear();
    return stack_.take_all(taken_, bound);
  }

  testing::TestSegments segments_;
  CellStack stack_ = reply_stack(segments_.calls(), 3);
  std::vector<uint32_t> taken_;
};

// Q5.
TEST_F(StackTest, GivesAllBackFirstPushedFirst) {
  EXPECT_TRUE(stack_.empty());
  for (uint32_t cell : {7u, 0u, 9u}) {
    EXPECT_TRUE(stack_.push(cell));
  }
  EXPECT_FALSE(stack_.empty());
  EXPECT_EQ(take().count, 3u);
  EXPECT_EQ(taken_, (std::vector<uint32_t>{7, 0, 9}));
  EXPECT_TRUE(stack_.empty());
  EXPECT_EQ(take().count, 0u);
}

TEST_F(StackTest, AppendsToWhatTheCallerHas) {
  taken_ = {1, 2};
  stack_.push(5);
  stack_.push(6);
  stack_.take_all(taken_, 100);
  EXPECT_EQ(taken_, (std::vector<uint32_t>{1, 2, 5, 6}));
}

// Q6: a closed inbox takes nothing, is never walked, and stays closed whoever looks.
TEST_F(StackTest, ClosedIsClosed) {
  stack_.push(5);
  stack_.close();
  EXPECT_FALSE(stack_.push(6));
  EXPECT_EQ(take().count, 0u);
  EXPECT_TRUE(stack_.closed());
  EXPECT_TRUE(stack_.empty()) << "there is nothing to wake up for";
  stack_.open();
  EXPECT_TRUE(stack_.push(6));
  EXPECT_EQ(take().count, 1u);
}

TEST_F(StackTest, ABadLinkEndsTheWalk) {
  stack_.push(5);
  stack_.push(6);
  segments_.calls().cell(6).next_plus_one.store(kMaxCells + 1);
  TakeResult result = take();
  EXPECT_TRUE(result.damaged);
  EXPECT_EQ(taken_, (std::vector<uint32_t>{6}));
  segments_.calls().page(3).reply_stack.store(uint64_t{1} << 40);
  EXPECT_TRUE(take().damaged);
  EXPECT_TRUE(taken_.empty());
}

TEST_F(StackTest, ACircleEndsAtTheBound) {
  stack_.push(5);
  stack_.push(6);
  segments_.calls().cell(5).next_plus_one.store(6 + 1);
  TakeResult result = take(10);
  EXPECT_TRUE(result.damaged);
  EXPECT_EQ(result.count, 10u);
}

TEST_F(StackTest, BlocksAreLinkedThroughThemselves) {
  BlockStack blocks = return_stack(segments_.calls(), 3);
  constexpr uint32_t kLast = kMaxBlockChunks * (kBlockChunkBytes / kBlockUnitBytes) - 1;
  EXPECT_TRUE(blocks.push(4));
  EXPECT_TRUE(blocks.push(kLast));
  EXPECT_EQ(blocks.take_all(taken_, 100).count, 2u);
  EXPECT_EQ(taken_, (std::vector<uint32_t>{4, kLast}));
}

}  // namespace
}  // namespace sabir::shm
