#include "runtime/shm/work_queue.h"

#include <gtest/gtest.h>

#include "runtime/shm/testing/test_segments.h"
#include "runtime/shm/untrusted.h"

namespace sabir::shm {
namespace {

constexpr QueueIndex kQueue = 2;
constexpr SlotIndex kWorker = 9;

class WorkQueueTest : public ::testing::Test {
 protected:
  WorkQueueTest() { recycle_work_queue(queue_); }

  CellRef publish(CellIndex cell) { return publish_cell(segments_.calls().cell(cell), cell); }
  QueueClaimer claimer(SlotIndex self = kWorker) { return {queue_, segments_.calls(), self}; }

  testing::TestSegments segments_;
  WorkQueue& queue_ = segments_.calls().queue(kQueue);
};

TEST_F(WorkQueueTest, ClaimsInTheOrderOfAppends) {
  QueueAppender appender(queue_, segments_.calls());
  QueueClaimer first = claimer(), second = claimer(10);
  EXPECT_FALSE(first.claim());
  for (CellIndex cell = 0; cell < 4; ++cell) {
    EXPECT_TRUE(appender.try_append(publish(cell)));
  }
  EXPECT_EQ(work_queue_length(queue_), 4u);
  EXPECT_EQ(first.claim()->cell, 0u);
  EXPECT_EQ(second.claim()->cell, 1u);
  EXPECT_EQ(second.claim()->cell, 2u);
  EXPECT_EQ(first.claim()->cell, 3u);
  EXPECT_FALSE(second.claim());
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(load_cell_word(segments_.calls().cell(1)).claimer, 10);
}

TEST_F(WorkQueueTest, IsBoundedAndGoesRound) {
  QueueAppender appender(queue_, segments_.calls());
  QueueClaimer worker = claimer();
  for (CellIndex cell = 0; cell < kWorkQueueSlots; ++cell) {
    EXPECT_TRUE(appender.try_append(publish(cell)));
  }
  CellRef late = publish(kWorkQueueSlots);
  EXPECT_FALSE(appender.try_append(late));
  EXPECT_EQ(appender.room(), 0u);
  EXPECT_EQ(worker.claim()->cell, 0u);
  EXPECT_TRUE(appender.try_append(late));
  for (CellIndex cell = 1; cell <= kWorkQueueSlots; ++cell) {
    EXPECT_EQ(worker.claim()->cell, cell);
  }
  EXPECT_FALSE(worker.claim());
}

// Q3: a worker died after its claim and before it helped.
TEST_F(WorkQueueTest, WorkersAndSubmitterHelpHeadPastWhatIsTaken) {
  QueueAppender appender(queue_, segments_.calls());
  for (CellIndex cell = 0; cell < 3; ++cell) {
    appender.try_append(publish(cell));
  }
  claim_cell(segments_.calls().cell(0), 0, 77);
  EXPECT_EQ(claimer().claim()->cell, 1u);
  claim_cell(segments_.calls().cell(2), 0, 77);
  EXPECT_EQ(work_queue_length(queue_), 1u);
  appender.skip_stale();
  EXPECT_EQ(work_queue_length(queue_), 0u);
}

TEST_F(WorkQueueTest, SkipStaleStopsAtWhatIsQueued) {
  QueueAppender appender(queue_, segments_.calls());
  for (CellIndex cell = 0; cell < 3; ++cell) {
    appender.try_append(publish(cell));
  }
  cancel_cell(segments_.calls().cell(0), 0);
  free_cell(segments_.calls().cell(0));
  appender.skip_stale();
  EXPECT_EQ(appender.length(), 2u);
  EXPECT_EQ(claimer().claim()->cell, 1u);
}

TEST_F(WorkQueueTest, ACellUsedAgainIsNotTakenByItsOldSlot) {
  QueueAppender appender(queue_, segments_.calls());
  appender.try_append(publish(0));
  cancel_cell(segments_.calls().cell(0), 0);
  free_cell(segments_.calls().cell(0));
  appender.try_append(publish(0));
  QueueClaimer worker = claimer();
  EXPECT_EQ(worker.claim()->generation, 1u);
  EXPECT_FALSE(worker.claim());
}

// Q4.
TEST_F(WorkQueueTest, ARefillIsWantedUnderAQuarter) {
  QueueAppender appender(queue_, segments_.calls());
  for (CellIndex cell = 0; cell <= kWorkQueueQuarter; ++cell) {
    appender.try_append(publish(cell));
  }
  QueueClaimer worker = claimer();
  worker.claim();
  EXPECT_FALSE(worker.wants_refill()) << "nothing waits behind it";
  appender.publish_overflow(5);
  EXPECT_FALSE(worker.wants_refill());
  worker.claim();
  EXPECT_TRUE(worker.wants_refill());
}

// A worker may keep its claimer while the ring changes hands.
TEST_F(WorkQueueTest, PositionsNeverComeAgain) {
  QueueAppender appender(queue_, segments_.calls());
  QueueClaimer worker = claimer();
  for (CellIndex cell = 0; cell < 5; ++cell) {
    appender.try_append(publish(cell));
  }
  worker.claim();
  uint64_t old_tail = queue_.tail.load();
  recycle_work_queue(queue_);
  EXPECT_GT(queue_.head.load(), old_tail);
  EXPECT_FALSE(worker.claim());
  QueueAppender next_owner(queue_, segments_.calls());
  next_owner.try_append(publish(100));
  EXPECT_EQ(worker.claim()->cell, 100u);
}

TEST_F(WorkQueueTest, NonsenseInTheWordsHurtsNobody) {
  UntrustedCalls eyes(segments_.calls());
  QueueClaimer worker = claimer();
  const uint64_t words[] = {0, 1, kWorkQueueSlots + 1, uint64_t{1} << 63, ~uint64_t{0}};
  for (uint64_t head : words) {
    for (uint64_t tail : words) {
      for (Atomic64& slot : queue_.slots) {
        slot.store(head * 31 + tail);
      }
      queue_.head.store(head);
      queue_.tail.store(tail);
      EXPECT_LE(eyes.queue_length(kQueue), kWorkQueueSlots);
      worker.claim();
      claimer().claim();
      QueueAppender appender(queue_, segments_.calls());
      appender.room();
      appender.skip_stale();
      recycle_work_queue(queue_);
      EXPECT_EQ(eyes.queue_length(kQueue), 0u);
    }
  }
}

}  // namespace
}  // namespace sabir::shm
