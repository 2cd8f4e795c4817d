// Two bulk machines and a perfect connection between them, for tests.
#pragma once

#include <gtest/gtest.h>
#include <string.h>

#include <deque>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/rpc/node_link/bulk_machine.h"

namespace sabir::node_link {

inline constexpr uint64_t kMiB = 1 << 20;

// A machine, and the frames that it has sent and nobody has read yet.
class BulkNode {
 public:
  BulkNode(const Clock& clock, BulkOptions options) : machine(clock, options) {}

  // The next frame goes on its way; false: there is none.
  bool write() {
    auto frame = machine.next_frame();
    if (!frame) {
      return false;
    }
    out.push_back({decode_bulk_header(frame->header).value(), {frame->payload.begin(), frame->payload.end()}});
    machine.on_written();
    run();
    return true;
  }
  // One frame of the other arrives.
  Result<void> read(BulkNode& from) {
    auto [header, payload] = std::move(from.out.front());
    from.out.pop_front();
    SABIR_ASSIGN_OR_RETURN(auto incoming, machine.on_header(header));
    if (incoming.size_bytes > 0) {
      if (!incoming.destination.empty()) {
        EXPECT_EQ(incoming.destination.size(), payload.size());
        memcpy(incoming.destination.data(), payload.data(), payload.size());
      }
      machine.on_payload_end();
    }
    run();
    return {};
  }
  void run() {
    for (auto& call : machine.take_calls()) {
      call();
    }
  }

  BulkMachine machine;
  std::deque<std::pair<BulkHeader, std::vector<uint8_t>>> out;
};

// The memory of both sides, and how it ended on each.
struct Transfer {
  explicit Transfer(uint64_t size_bytes, uint32_t seed = 1) : source(size_bytes), destination(size_bytes, 0xee) {
    for (uint32_t i = 0; i < source.size(); ++i) {
      source[i] = static_cast<uint8_t>((i + seed) * 2654435761u >> 24);
    }
  }
  std::vector<uint8_t> source, destination;
  std::vector<Result<void>> sent, received;
};

}  // namespace sabir::node_link
