#include "runtime/shm/lease.h"

#include <gtest/gtest.h>

#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

constexpr SlotIndex kSlot = 6;

class LeaseTest : public ::testing::Test {
 protected:
  testing::TestSegments segments_;
  ProcessPage& page_ = segments_.calls().page(kSlot);
  LeaseWriter writer_{segments_.node_segment()};
  LeaseReader reader_{segments_.node(), page_, kSlot};
};

// L2.
TEST_F(LeaseTest, GrantedWithdrawnAnswered) {
  EXPECT_FALSE(reader_.usable(reader_.current()));
  EXPECT_FALSE(reader_.owes_answer(reader_.current()));
  writer_.grant(kSlot, writer_.next_epoch(kSlot), 3, 11, 0b101);
  LeaseWord lease = reader_.current();
  EXPECT_TRUE(reader_.usable(lease));
  EXPECT_EQ(lease.class_plus_one, 4);
  EXPECT_EQ(lease.first_queue_plus_one, 12);
  EXPECT_EQ(reader_.gpu_mask(), 0b101u);

  writer_.withdraw(kSlot);
  lease = reader_.current();
  EXPECT_FALSE(reader_.usable(lease));
  EXPECT_TRUE(reader_.owes_answer(lease));
  reader_.finish(lease);
  EXPECT_FALSE(reader_.owes_answer(reader_.current()));
  EXPECT_EQ(page_.lease_epoch_done.load(), lease.epoch);
  writer_.grant(kSlot, writer_.next_epoch(kSlot), 3, LeaseWriter::kNoQueue, 0);
  EXPECT_TRUE(reader_.usable(reader_.current()));
  EXPECT_EQ(reader_.current().first_queue_plus_one, 0);
}

// L4: after a blocked get the lease is void, whatever the word says.
TEST_F(LeaseTest, AVoidLeaseIsNotUsedThoughTheWordStillGrantsIt) {
  writer_.grant(kSlot, writer_.next_epoch(kSlot), 0, LeaseWriter::kNoQueue, 0);
  LeaseWord held = reader_.current();
  reader_.finish(held);
  EXPECT_FALSE(reader_.usable(reader_.current()));
  writer_.withdraw(kSlot);
  EXPECT_FALSE(reader_.owes_answer(reader_.current())) << "it was given already";
}

TEST_F(LeaseTest, RedirectKeepsTheEpoch) {
  writer_.redirect(kSlot, 4);
  EXPECT_FALSE(reader_.current().granted());
  writer_.grant(kSlot, writer_.next_epoch(kSlot), 0, 1, 0);
  uint32_t epoch = reader_.current().epoch;
  writer_.redirect(kSlot, 4);
  EXPECT_EQ(reader_.current().epoch, epoch);
  EXPECT_EQ(reader_.current().first_queue_plus_one, 5);
}

TEST_F(LeaseTest, EpochsAreNeverZero) {
  writer_.grant(kSlot, ~0u, 0, LeaseWriter::kNoQueue, 0);
  EXPECT_EQ(writer_.next_epoch(kSlot), 1u);
}

// A new process in the slot owes nothing for the leases of the last.
TEST_F(LeaseTest, ANewProcessOwesNothing) {
  writer_.grant(kSlot, writer_.next_epoch(kSlot), 0, LeaseWriter::kNoQueue, 0);
  writer_.withdraw(kSlot);
  prepare_slot(segments_.calls(), kSlot, 0, writer_.word(kSlot).epoch);
  LeaseReader next(segments_.node(), page_, kSlot);
  EXPECT_FALSE(next.owes_answer(next.current()));
}

}  // namespace
}  // namespace sabir::shm
