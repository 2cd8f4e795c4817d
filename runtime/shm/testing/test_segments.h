// Segments for unit tests, mapped once per process: a test takes cells, slots and queues of its own.
#pragma once

#include "runtime/shm/process_slot.h"
#include "runtime/shm/segment.h"

namespace sabir::shm::testing {

struct TestSegments {
  TestSegments() : all(SessionSegments::create(options()).value()) {}

  static SegmentOptions options() {
    SegmentOptions options;
    options.session_id = IdBits::random();
    options.store_bytes = kHugePageBytes;
    options.cpu_count = 2;
    options.spin_allowance = 2;
    return options;
  }

  const CallsView& calls() { return all.calls; }
  const NodeView& node() { return all.node.view(); }
  NodeSegment& node_segment() { return all.node.segment(); }

  SessionSegments all;
};

}  // namespace sabir::shm::testing
