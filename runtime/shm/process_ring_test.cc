#include "runtime/shm/process_ring.h"

#include <gtest/gtest.h>

#include <random>

#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

constexpr EntryRef kEntry{5, 9};

class ProcessRingTest : public ::testing::Test {
 protected:
  testing::TestSegments segments_;
  ProcessRing& ring_ = segments_.calls().ring(4);
  RingProducer producer_{ring_};
  RingConsumer consumer_{ring_};
};

TEST_F(ProcessRingTest, EveryOperationArrivesAsItWasMeant) {
  const RingMessage messages[] = {
      RingMessage::announce(kEntry, 4096, 100, true),
      RingMessage::announce(kEntry, 0, 0, false),
      RingMessage::escape(kEntry, {3, 7}, 2),
      RingMessage::bind(kEntry, {3, 7}),
      RingMessage::deliver_block(kEntry, 77, 1000),
      RingMessage::deliver_object(kEntry, {8, 1}),
      RingMessage::deliver_null(kEntry),
      RingMessage::deliver_lost(kEntry),
      RingMessage::hold(kEntry),
      RingMessage::release(kEntry),
      RingMessage::hold_cell(kEntry, {kGenerationMask, kMaxCells - 1}),
      RingMessage::drop_cell({1, 2}),
      RingMessage::hold_nested(kEntry, {6, 2}),
      RingMessage::subscribe(kEntry),
      RingMessage::pin(kEntry),
      RingMessage::unpin(kEntry),
      RingMessage::close_loan(1 << 20),
  };
  for (const RingMessage& message : messages) {
    ASSERT_TRUE(producer_.try_push(message));
  }
  RingConsumer::Round round = consumer_.begin_round();
  EXPECT_FALSE(round.violation);
  RingRecord record;
  for (const RingMessage& message : messages) {
    ASSERT_TRUE(consumer_.next(round, record));
    EXPECT_EQ(decode(record), message) << "op " << int{record.op};
  }
  EXPECT_FALSE(consumer_.next(round, record));
}

TEST_F(ProcessRingTest, IsBoundedAndSaysWhatWasRead) {
  for (uint32_t i = 0; i < kProcessRingEntries; ++i) {
    ASSERT_TRUE(producer_.try_push(RingMessage::hold({i, 1})));
  }
  EXPECT_FALSE(producer_.try_push(RingMessage::hold(kEntry)));
  uint64_t position = producer_.position();
  RingConsumer::Round round = consumer_.begin_round();
  RingRecord record;
  ASSERT_TRUE(consumer_.next(round, record));
  EXPECT_FALSE(producer_.try_push(RingMessage::hold(kEntry))) << "not before publish_head";
  consumer_.publish_head();
  EXPECT_TRUE(producer_.try_push(RingMessage::hold(kEntry)));
  EXPECT_FALSE(producer_.passed(position));
  while (consumer_.next(round, record)) {
  }
  consumer_.publish_head();
  EXPECT_TRUE(producer_.passed(position));
  EXPECT_FALSE(producer_.passed(position + 1)) << "H1: the round ended where it began";
}

TEST_F(ProcessRingTest, ABatchIsAllOrNothing) {
  std::vector<RingRecord> records(kProcessRingEntries, encode(RingMessage::hold(kEntry)));
  ASSERT_TRUE(producer_.try_push(RingMessage::hold(kEntry)));
  EXPECT_FALSE(producer_.try_push_all(records));
  EXPECT_EQ(consumer_.begin_round().end, 1u);
  records.pop_back();
  EXPECT_TRUE(producer_.try_push_all(records));
  EXPECT_EQ(consumer_.begin_round().end, kProcessRingEntries);
}

// T3, T4.
TEST_F(ProcessRingTest, AnImpossibleTailIsAViolation) {
  for (uint64_t tail : {uint64_t{kProcessRingEntries} + 1, ~uint64_t{0}, uint64_t{1} << 63}) {
    ring_.tail.store(tail);
    RingConsumer::Round round = consumer_.begin_round();
    EXPECT_TRUE(round.violation);
    RingRecord record;
    EXPECT_FALSE(consumer_.next(round, record));
  }
}

TEST_F(ProcessRingTest, FieldsOutOfRangeAreViolations) {
  auto bad = [](auto change, RingMessage message) {
    RingRecord record = encode(message);
    change(record);
    return !decode(record).has_value();
  };
  RingMessage hold = RingMessage::hold(kEntry);
  EXPECT_TRUE(bad([](RingRecord& r) { r.op = 0; }, hold));
  EXPECT_TRUE(bad([](RingRecord& r) { r.op = 15; }, hold));
  EXPECT_TRUE(bad([](RingRecord& r) { r.op = 255; }, hold));
  EXPECT_TRUE(bad([](RingRecord& r) { r.entry = kMaxEntries; }, hold));
  EXPECT_TRUE(bad([](RingRecord& r) { r.generation = kGenerationMask + 1; }, hold));
  EXPECT_TRUE(bad([](RingRecord& r) { r.b = ~uint64_t{0}; }, RingMessage::announce(kEntry, 1, 1, 0)));
  EXPECT_TRUE(bad([](RingRecord& r) { r.a = kMaxCells; }, RingMessage::drop_cell({0, 1})));
  EXPECT_TRUE(bad([](RingRecord& r) { r.a = kMaxEntries; }, RingMessage::hold_nested(kEntry, kEntry)));
  EXPECT_TRUE(bad([](RingRecord& r) { r.flag = 4; }, RingMessage::deliver_null(kEntry)));
  RingMessage block = RingMessage::deliver_block(kEntry, 1, 1);
  EXPECT_TRUE(bad([](RingRecord& r) { r.b = kMaxBlockBytes + 1; }, block));
  EXPECT_TRUE(bad([](RingRecord& r) { r.a = uint64_t{1} << 32 | 1; }, block));
  constexpr uint64_t kUnits = uint64_t{kMaxBlockChunks} * kBlockChunkBytes / kBlockUnitBytes;
  EXPECT_TRUE(bad([](RingRecord& r) { r.a = kUnits - 1, r.b = kBlockUnitBytes + 1; }, block));
}

TEST_F(ProcessRingTest, RandomRecordsNeverDecodeOutOfRange) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    RingRecord record;
    record.op = static_cast<uint8_t>(random() % 16);
    record.flag = static_cast<uint8_t>(random() % 8);
    record.spare = static_cast<uint16_t>(random());
    record.entry = static_cast<uint32_t>(random() % (2 * kMaxEntries));
    record.generation = random() >> (random() % 64);
    record.a = random() >> (random() % 64);
    record.b = random() >> (random() % 64);
    if (std::optional<RingMessage> message = decode(record)) {
      ASSERT_LT(message->entry.entry, kMaxEntries);
      ASSERT_LT(message->object.entry, kMaxEntries);
      ASSERT_LT(message->cell.cell, kMaxCells);
      if (message->op == RingOp::kDeliver && message->place == DeliverPlace::kBlock) {
        ASSERT_NE(segments_.calls().find_block(message->block_unit, message->size_bytes), nullptr);
      }
    }
  }
}

}  // namespace
}  // namespace sabir::shm
