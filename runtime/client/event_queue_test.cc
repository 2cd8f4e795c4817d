#include "runtime/client/event_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "runtime/abi/sabir.h"

namespace sabir::client {
namespace {

bool readable(const EventQueue& queue) {
  pollfd descriptor = {queue.fd(), POLLIN, 0};
  return ::poll(&descriptor, 1, 0) == 1;
}

rpc::LogLines lines(size_t bytes) {
  rpc::LogLines log;
  log.text.assign(bytes - 1, 'x');
  log.text += '\n';
  return log;
}

TEST(EventQueueTest, TheDescriptorIsReadableWhileEventsWait) {
  auto queue = *EventQueue::create();
  EXPECT_FALSE(readable(*queue));
  queue->push({.kind = SABIR_EVENT_READY, .tag = 1});
  queue->push({.kind = SABIR_EVENT_READY, .tag = 2});
  EXPECT_TRUE(readable(*queue));
  QueuedEvent event;
  EXPECT_EQ(queue->take(&event, 1), 1u);
  EXPECT_EQ(event.tag, 1u);
  EXPECT_TRUE(readable(*queue));
  EXPECT_EQ(queue->take(&event, 1), 1u);
  EXPECT_EQ(event.tag, 2u);
  EXPECT_FALSE(readable(*queue));
  EXPECT_EQ(queue->take(&event, 1), 0u);
}

TEST(EventQueueTest, OneOfAKindIsEnough) {
  auto queue = *EventQueue::create();
  queue->push_once(SABIR_EVENT_COLLECT);
  queue->push({.kind = SABIR_EVENT_READY, .tag = 1});
  queue->push_once(SABIR_EVENT_COLLECT);
  QueuedEvent events[4];
  EXPECT_EQ(queue->take(events, 4), 2u);
  queue->push_once(SABIR_EVENT_COLLECT);
  EXPECT_TRUE(readable(*queue));
  EXPECT_EQ(queue->take(events, 4), 1u);
}

// Nobody reads: memory stays bounded, and the next line that is kept says how many were not.
TEST(EventQueueTest, SlowReadersLoseLinesAndHearOfIt) {
  auto queue = *EventQueue::create();
  constexpr size_t kLine = 1 << 20;
  int kept = 0;
  int dropped = 0;
  for (int i = 0; i < 10; ++i) {
    Buffer buffer;
    buffer.lines = lines(kLine);
    queue->push_buffer(SABIR_EVENT_LOG, std::move(buffer)) ? ++kept : ++dropped;
  }
  EXPECT_LE(kept * kLine, EventQueue::kMaxBufferedBytes);
  EXPECT_GT(dropped, 0);
  QueuedEvent event;
  ASSERT_EQ(queue->take(&event, 1), 1u);
  delete event.buffer;
  Buffer buffer;
  buffer.lines = lines(10);
  ASSERT_TRUE(queue->push_buffer(SABIR_EVENT_LOG, std::move(buffer)));
  uint64_t told = 0;
  while (queue->take(&event, 1) == 1) {
    told += event.buffer->lines.dropped_lines;
    delete event.buffer;
  }
  EXPECT_EQ(told, static_cast<uint64_t>(dropped));
}

}  // namespace
}  // namespace sabir::client
