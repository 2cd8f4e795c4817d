#include "runtime/shm/death_log.h"

#include <gtest/gtest.h>

#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

using Outcome = DeathLogReader::Outcome;

class DeathLogTest : public ::testing::Test {
 protected:
  uint64_t die(SlotIndex slot, uint32_t incarnation = 1) {
    return append_death(segments_.node_segment(), {slot, incarnation, 9, DeathReason::kKilledByNode});
  }
  uint64_t count() { return segments_.node().header().death_count.load(); }

  testing::TestSegments segments_;
  ProcessPage& page_ = segments_.calls().page(1);
};

// D3.
TEST_F(DeathLogTest, AProcessReadsWhatDiedSinceItCame) {
  die(7);
  prepare_slot(segments_.calls(), 1, count(), 0);
  DeathLogReader reader(segments_.node(), page_);
  EXPECT_FALSE(reader.moved());
  Death death;
  EXPECT_EQ(reader.next(death), Outcome::kNone);
  die(8, 3);
  EXPECT_TRUE(reader.moved());
  ASSERT_EQ(reader.next(death), Outcome::kDeath);
  EXPECT_EQ(death.slot, 8);
  EXPECT_EQ(death.incarnation, 3u);
  EXPECT_EQ(death.wait_status, 9);
  EXPECT_EQ(death.reason, DeathReason::kKilledByNode);
  EXPECT_EQ(page_.deaths_acknowledged.load(), 1u) << "read is not repaired";
  reader.acknowledge();
  EXPECT_EQ(page_.deaths_acknowledged.load(), 2u);
}

// Who pushed into its inbox and died before the process came that far is not forgotten.
TEST_F(DeathLogTest, AProcessReadsWhatDiedSinceItGotItsSlot) {
  prepare_slot(segments_.calls(), 1, count(), 0);
  die(7);
  DeathLogReader reader(segments_.node(), page_);
  EXPECT_TRUE(reader.moved());
  EXPECT_EQ(page_.deaths_acknowledged.load(), 0u);
}

TEST_F(DeathLogTest, GoesRoundAndTellsWhoIsTooLate) {
  DeathLogReader reader(segments_.node(), page_);
  Death death;
  for (uint32_t i = 0; i < 2 * kDeathLogEntries; ++i) {
    die(static_cast<SlotIndex>(i % 100));
    ASSERT_EQ(reader.next(death), Outcome::kDeath);
    ASSERT_EQ(death.slot, i % 100);
  }
  for (uint32_t i = 0; i < kDeathLogEntries; ++i) {
    die(1);
  }
  EXPECT_EQ(reader.next(death), Outcome::kOverrun);
}

// D4.
TEST_F(DeathLogTest, WhatIsAcknowledgedByAllIsTheLeast) {
  DeathAcks acks;
  UntrustedCalls eyes(segments_.calls());
  EXPECT_EQ(acks.acknowledged(0), 0u);
  acks.add(1, 0);
  acks.add(2, 0);
  DeathLogReader first(segments_.node(), segments_.calls().page(1));
  DeathLogReader second(segments_.node(), segments_.calls().page(2));
  uint64_t position = die(3);
  Death death;
  first.next(death);
  first.acknowledge();
  acks.update_all(eyes, count());
  EXPECT_LE(acks.acknowledged(count()), position);
  EXPECT_EQ(acks.laggard(position), SlotIndex{2});
  second.next(death);
  second.acknowledge();
  acks.update_all(eyes, count());
  EXPECT_GT(acks.acknowledged(count()), position);
  EXPECT_EQ(acks.laggard(position), std::nullopt);
}

TEST_F(DeathLogTest, TheDeadAndTheNewAreNotWaitedFor) {
  DeathAcks acks;
  acks.add(1, 0);
  acks.add(2, 0);
  uint64_t position = die(1);
  acks.died(1, position);
  EXPECT_EQ(acks.laggard(position), SlotIndex{2});
  acks.died(2, die(2));
  EXPECT_EQ(acks.acknowledged(count()), count());
  acks.add(5, count());
  EXPECT_EQ(acks.acknowledged(count()), count());
}

// An unsettled one's cells may name blocks of every process it ever knew, whoever died first.
TEST_F(DeathLogTest, MemoryIsReusedWhenAllWhoKnewItAreSettled) {
  for (SlotIndex earlier : {1, 2}) {
    auto later = static_cast<SlotIndex>(3 - earlier);
    DeathAcks acks;
    acks.add(1, count());
    acks.add(2, count());
    acks.died(earlier, die(earlier));
    EXPECT_FALSE(acks.reusable(earlier)) << "its own heir comes first";
    acks.settled(earlier);
    EXPECT_TRUE(acks.reusable(earlier)) << "the living have acknowledged";
    acks.died(later, die(later));
    EXPECT_FALSE(acks.reusable(earlier));
    acks.settled(later);
    EXPECT_TRUE(acks.reusable(earlier));
    EXPECT_TRUE(acks.reusable(later));
    acks.remove(later);
    EXPECT_FALSE(acks.reusable(later));
    EXPECT_TRUE(acks.reusable(earlier));
  }
}

TEST_F(DeathLogTest, WhoCameLaterHoldsNothingUp) {
  DeathAcks acks;
  acks.add(1, count());
  acks.died(1, die(1));
  acks.settled(1);
  acks.add(2, count());
  acks.died(2, die(2));
  EXPECT_TRUE(acks.reusable(1));
}

// T3: nobody acknowledges the future, and nobody takes a word back.
TEST_F(DeathLogTest, LiesAboutAcknowledgementsChangeNothing) {
  DeathAcks acks;
  acks.add(1, 4);
  acks.update(1, Untrusted<uint64_t>(~uint64_t{0}), 10);
  EXPECT_EQ(acks.acknowledged(10), 4u);
  acks.update(1, Untrusted<uint64_t>(7), 10);
  acks.update(1, Untrusted<uint64_t>(5), 10);
  EXPECT_EQ(acks.acknowledged(10), 7u);
}

}  // namespace
}  // namespace sabir::shm
