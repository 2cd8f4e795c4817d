#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <utility>

#include "runtime/rpc/node_link/testing/bulk_nodes.h"

namespace sabir::node_link {
namespace {

// Transfers in both directions that start, end and are cancelled at random; every one ends once on each side, what
// ended well is right, and nothing stays.
TEST(BulkMachineRandomTest, EveryTransferEndsOnceAndRight) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    ManualClock clock;
    BulkOptions options{.window_bytes = 2 * kMiB, .checksum = random() % 2 == 0};
    BulkNode nodes[2] = {{clock, options}, {clock, options}};
    struct Moving {
      std::unique_ptr<Transfer> transfer;
      int from;
      bool sending = false, receiving = false;
    };
    std::map<uint64_t, Moving> all;
    for (uint64_t id = 1; id <= 12; ++id) {
      all[id] = {std::make_unique<Transfer>(random() % (4 * kMiB), static_cast<uint32_t>(id)),
                 static_cast<int>(random() % 2)};
    }
    auto step = [&](int node) {
      BulkNode& one = nodes[node];
      BulkNode& other = nodes[1 - node];
      if (random() % 2 == 0) {
        one.write();
      }
      if (!other.out.empty() && random() % 2 == 0) {
        auto read = one.read(other);
        ASSERT_TRUE(read.ok()) << read.error().message();
      }
    };
    for (int i = 0; i < 3000; ++i) {
      auto found = all.find(1 + random() % 12);
      Moving& moving = found->second;
      Transfer* transfer = moving.transfer.get();
      uint64_t id = found->first;
      switch (random() % 40) {
        case 0:
          if (!std::exchange(moving.sending, true)) {
            nodes[moving.from].machine.send({.transfer_id = id,
                                             .source = transfer->source,
                                             .on_end = [transfer](Result<void> r) { transfer->sent.push_back(r); }});
          }
          break;
        case 1:
          if (!std::exchange(moving.receiving, true)) {
            nodes[1 - moving.from].machine.receive(
                {.transfer_id = id, .destination = transfer->destination, .on_end = [transfer](Result<void> r) {
                   transfer->received.push_back(r);
                 }});
          }
          break;
        case 2:
          if (moving.receiving && random() % 8 == 0) {
            nodes[1 - moving.from].machine.cancel_receive(id);
          }
          break;
        case 3:
          if (moving.sending && random() % 8 == 0 && transfer->sent.empty()) {
            nodes[moving.from].machine.cancel_send(id, cancelled_error("random"));
          }
          break;
        default:
          step(static_cast<int>(random() % 2));
      }
    }
    for (auto& [id, moving] : all) {
      Transfer* transfer = moving.transfer.get();
      if (!moving.sending) {
        nodes[moving.from].machine.send({.transfer_id = id,
                                         .source = transfer->source,
                                         .on_end = [transfer](Result<void> r) { transfer->sent.push_back(r); }});
      }
      if (!moving.receiving) {
        nodes[1 - moving.from].machine.receive(
            {.transfer_id = id, .destination = transfer->destination, .on_end = [transfer](Result<void> r) {
               transfer->received.push_back(r);
             }});
      }
    }
    for (int i = 0; i < 2000; ++i) {
      step(i % 2);
      nodes[i % 2].run();
    }
    for (auto& [id, moving] : all) {
      const Transfer& transfer = *moving.transfer;
      ASSERT_EQ(transfer.sent.size(), 1u) << id;
      ASSERT_EQ(transfer.received.size(), 1u) << id;
      if (transfer.received[0].ok()) {
        EXPECT_TRUE(transfer.source == transfer.destination) << id;
      }
    }
    EXPECT_EQ(nodes[0].machine.entry_count() + nodes[1].machine.entry_count(), 0u);
  }
}

}  // namespace
}  // namespace sabir::node_link
