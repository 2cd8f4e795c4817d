#include "runtime/shm/cell.h"

#include <gtest/gtest.h>

#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

class CellTest : public ::testing::Test {
 protected:
  testing::TestSegments segments_;
  Cell& cell_ = segments_.calls().cell(17);
};

// Q2: the life of a call that runs.
TEST_F(CellTest, QueuedClaimedDoneFree) {
  CellRef ref = publish_cell(cell_, 17);
  EXPECT_EQ(ref, (CellRef{0, 17}));
  EXPECT_EQ(load_cell_word(cell_), (CellWord{0, CellState::kQueued, 0}));
  EXPECT_TRUE(claim_cell(cell_, 0, 5));
  EXPECT_EQ(load_cell_word(cell_), (CellWord{0, CellState::kClaimed, 5}));
  finish_cell(cell_, 0, 5);
  EXPECT_EQ(load_cell_word(cell_), (CellWord{0, CellState::kDone, 5}));
  free_cell(cell_);
  EXPECT_EQ(load_cell_word(cell_), (CellWord{1, CellState::kFree, 0}));
}

TEST_F(CellTest, AClaimNeedsTheGenerationAndHappensOnce) {
  publish_cell(cell_, 17);
  EXPECT_FALSE(claim_cell(cell_, 1, 5));
  EXPECT_TRUE(claim_cell(cell_, 0, 5));
  EXPECT_FALSE(claim_cell(cell_, 0, 6));
  EXPECT_FALSE(cancel_cell(cell_, 0)) << "too late";
}

TEST_F(CellTest, ACancelledCallIsNotClaimed) {
  publish_cell(cell_, 17);
  EXPECT_TRUE(cancel_cell(cell_, 0));
  EXPECT_FALSE(claim_cell(cell_, 0, 5));
  free_cell(cell_);
  EXPECT_EQ(publish_cell(cell_, 17).generation, 1u);
}

// The generation never restarts (Q1); after the last it comes round in 40 bits without touching the state.
TEST_F(CellTest, GenerationsStayInTheirBits) {
  cell_.word.store(CellWord{kGenerationMask, CellState::kDone, 9}.pack());
  free_cell(cell_);
  EXPECT_EQ(load_cell_word(cell_), (CellWord{0, CellState::kFree, 0}));
}

TEST_F(CellTest, PublishingForgetsTheLastResult) {
  cell_.result_place = static_cast<uint8_t>(ResultPlace::kBlock);
  cell_.result_block = 44;
  cell_.result_is_error = 1;
  publish_cell(cell_, 17);
  EXPECT_EQ(cell_.result_place, static_cast<uint8_t>(ResultPlace::kNone));
  EXPECT_EQ(cell_.result_block, 0u);
  EXPECT_EQ(cell_.result_is_error, 0);
}

// Q6.
TEST_F(CellTest, AnInboxGivesCancelledCallsBackDone) {
  publish_cell(cell_, 17);
  EXPECT_EQ(claim_from_inbox(cell_, 5).outcome, InboxClaim::kClaimed);
  finish_cell(cell_, 0, 5);
  EXPECT_EQ(claim_from_inbox(cell_, 5).outcome, InboxClaim::kStray);
  free_cell(cell_);
  publish_cell(cell_, 17);
  cancel_cell(cell_, 1);
  InboxClaimResult claim = claim_from_inbox(cell_, 5);
  EXPECT_EQ(claim.outcome, InboxClaim::kCancelled);
  EXPECT_EQ(claim.generation, 1u);
  EXPECT_EQ(load_cell_word(cell_), (CellWord{1, CellState::kDone, 5}));
}

// R1.
TEST_F(CellTest, RepairTakesOnlyWhatItExpects) {
  publish_cell(cell_, 17);
  claim_cell(cell_, 0, 5);
  EXPECT_FALSE(repair_cell(cell_, {0, CellState::kClaimed, 6}));
  EXPECT_FALSE(repair_cell(cell_, {1, CellState::kClaimed, 5}));
  EXPECT_FALSE(repair_cell(cell_, {0, CellState::kDone, 5}));
  EXPECT_FALSE(recall_cell(cell_, 0)) << "it may have run";
  EXPECT_TRUE(repair_cell(cell_, {0, CellState::kClaimed, 5}));
  EXPECT_EQ(load_cell_word(cell_), (CellWord{1, CellState::kFree, 0}));
}

TEST_F(CellTest, RecallTakesQueuedAndCancelledCalls) {
  publish_cell(cell_, 17);
  EXPECT_FALSE(recall_cell(cell_, 3));
  EXPECT_TRUE(recall_cell(cell_, 0));
  publish_cell(cell_, 17);
  cancel_cell(cell_, 1);
  EXPECT_TRUE(recall_cell(cell_, 1));
  EXPECT_EQ(load_cell_word(cell_), (CellWord{2, CellState::kFree, 0}));
}

// R4: a cancel of an earlier use of the cell means nothing.
TEST_F(CellTest, CancelRequestsNameOneCall) {
  request_cancel(cell_, {4, 17});
  EXPECT_TRUE(cancel_requested(cell_, {4, 17}));
  EXPECT_FALSE(cancel_requested(cell_, {5, 17}));
}

}  // namespace
}  // namespace sabir::shm
