#include "runtime/shm/process_slot.h"

#include <gtest/gtest.h>

#include "runtime/shm/process_ring.h"
#include "runtime/shm/stack.h"
#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

TEST(ProcessSlotTest, ANewProcessFindsNothingOfTheLast) {
  testing::TestSegments segments;
  const CallsView& calls = segments.calls();
  ProcessPage& page = calls.page(4);
  page.doorbell.store(7);
  reply_stack(calls, 4).push(3);
  inbox(calls, 4).push(3);
  page.blocked.store(1);
  RingProducer(calls.ring(4)).try_push(RingMessage::hold({1, 1}));

  prepare_slot(calls, 4, 12, 3);
  EXPECT_EQ(page.doorbell.load(), 8u) << "no word of a doorbell comes again (RingMemo)";
  EXPECT_TRUE(reply_stack(calls, 4).empty());
  EXPECT_TRUE(inbox(calls, 4).closed()) << "until an actor moves in";
  EXPECT_EQ(page.blocked.load(), 0u);
  EXPECT_EQ(page.deaths_acknowledged.load(), 12u);
  EXPECT_EQ(page.lease_epoch_done.load(), 3u);
  EXPECT_EQ(RingConsumer(calls.ring(4)).begin_round().end, 0u);
}

// D2 (2).
TEST(ProcessSlotTest, TokensOfTheDeadAreTaken) {
  testing::TestSegments segments;
  CallsHeader& header = segments.calls().header();
  header.spin_tokens[0].store(4);
  header.spin_tokens[1].store(5);
  header.spin_tokens[9].store(4);
  sweep_spin_tokens(header, 4);
  EXPECT_EQ(header.spin_tokens[0].load(), 0u);
  EXPECT_EQ(header.spin_tokens[1].load(), 5u);
  EXPECT_EQ(header.spin_tokens[9].load(), 0u);
}

}  // namespace
}  // namespace sabir::shm
