#include "runtime/rpc/node_link/bulk_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "runtime/rpc/node_link/testing/bulk_nodes.h"

namespace sabir::node_link {
namespace {

using testing::HasSubstr;

class BulkMachineTest : public testing::Test {
 protected:
  void receive(Transfer& transfer, uint64_t id) {
    b_.machine.receive({.transfer_id = id, .destination = transfer.destination, .on_end = [&transfer](Result<void> r) {
                          transfer.received.push_back(std::move(r));
                        }});
    b_.run();
  }
  void send(Transfer& transfer, uint64_t id) {
    a_.machine.send({.transfer_id = id, .source = transfer.source, .on_end = [&transfer](Result<void> r) {
                       transfer.sent.push_back(std::move(r));
                     }});
    a_.run();
  }
  // Until nothing moves.
  void settle() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (auto [one, other] : {std::pair{&a_, &b_}, std::pair{&b_, &a_}}) {
        while (one->write()) {
          moved = true;
        }
        while (!one->out.empty()) {
          auto read = other->read(*one);
          ASSERT_TRUE(read.ok()) << read.error().message();
          moved = true;
        }
      }
    }
  }
  static void expect_complete(const Transfer& transfer) {
    ASSERT_EQ(transfer.sent.size(), 1u);
    ASSERT_EQ(transfer.received.size(), 1u);
    EXPECT_TRUE(transfer.sent[0].ok());
    EXPECT_TRUE(transfer.received[0].ok());
    EXPECT_TRUE(transfer.source == transfer.destination);
  }
  static ErrorKind kind_of(const std::vector<Result<void>>& results) {
    EXPECT_EQ(results.size(), 1u);
    EXPECT_FALSE(results.at(0).ok());
    return results.at(0).error().kind();
  }

  ManualClock clock_;
  BulkOptions options_{.window_bytes = 4 * kMiB, .progress_timeout_ns = 30 * kSecondNs, .checksum = true};
  BulkNode a_{clock_, options_};  // sends
  BulkNode b_{clock_, options_};  // receives
};

TEST_F(BulkMachineTest, TransfersOfAllSizesInEitherOrder) {
  for (uint64_t size_bytes : {uint64_t{0}, uint64_t{1}, kMiB - 1, kMiB, kMiB + 1, 4 * kMiB, 13 * kMiB + 5}) {
    for (bool receiver_first : {true, false}) {
      Transfer transfer(size_bytes);
      uint64_t id = 2 * size_bytes + (receiver_first ? 1 : 0);
      if (receiver_first) {
        receive(transfer, id);
        settle();
        send(transfer, id);
      } else {
        send(transfer, id);
        settle();
        EXPECT_TRUE(transfer.sent.empty()) << "nothing goes without a credit";
        receive(transfer, id);
      }
      settle();
      expect_complete(transfer);
    }
  }
  EXPECT_EQ(a_.machine.entry_count(), 0u);
  EXPECT_EQ(b_.machine.entry_count(), 0u);
}

TEST_F(BulkMachineTest, NeverMoreThanTheWindowIsUnderWay) {
  Transfer transfer(20 * kMiB);
  receive(transfer, 1);
  send(transfer, 1);
  while (b_.write()) {
  }
  ASSERT_TRUE(a_.read(b_).ok());
  uint64_t ahead_bytes = 0;
  while (a_.write()) {
    ahead_bytes += kMiB;
  }
  EXPECT_EQ(ahead_bytes, 4 * kMiB);
  settle();
  expect_complete(transfer);
}

TEST_F(BulkMachineTest, TransfersTakeTurns) {
  Transfer large(8 * kMiB), small(kMiB / 2, 2);
  receive(large, 1);
  receive(small, 2);
  send(large, 1);
  send(small, 2);
  while (b_.write()) {
  }
  while (!b_.out.empty()) {
    ASSERT_TRUE(a_.read(b_).ok());
  }
  a_.write();
  a_.write();
  EXPECT_EQ(a_.out[0].first.transfer_id, 1u);
  EXPECT_EQ(a_.out[1].first.transfer_id, 2u) << "the small one does not wait for the large one";
  settle();
  expect_complete(large);
  expect_complete(small);
}

TEST_F(BulkMachineTest, ProgressIsTold) {
  Transfer transfer(3 * kMiB);
  std::vector<uint64_t> progress;
  b_.machine.receive({.transfer_id = 1,
                      .destination = transfer.destination,
                      .on_end = [&](Result<void> r) { transfer.received.push_back(r); },
                      .on_progress = [&](uint64_t bytes) { progress.push_back(bytes); }});
  send(transfer, 1);
  settle();
  expect_complete(transfer);
  EXPECT_EQ(progress, (std::vector<uint64_t>{kMiB, 2 * kMiB, 3 * kMiB}));
}

TEST_F(BulkMachineTest, AReceiverCancelsAndNothingIsWrittenAfterwards) {
  Transfer transfer(20 * kMiB);
  receive(transfer, 1);
  send(transfer, 1);
  b_.write();
  ASSERT_TRUE(a_.read(b_).ok());
  while (a_.write()) {
  }
  ASSERT_TRUE(b_.read(a_).ok());
  b_.machine.cancel_receive(1);
  b_.run();
  EXPECT_EQ(kind_of(transfer.received), ErrorKind::kCancelled);
  std::fill(transfer.destination.begin(), transfer.destination.end(), 0xee);
  settle();
  EXPECT_EQ(std::count(transfer.destination.begin(), transfer.destination.end(), 0xee), 20 * std::ptrdiff_t{kMiB});
  EXPECT_EQ(kind_of(transfer.sent), ErrorKind::kCancelled);
  EXPECT_EQ(b_.machine.entry_count(), 0u);
  EXPECT_EQ(a_.machine.entry_count(), 0u);
}

TEST_F(BulkMachineTest, ACancelThatMeetsTheLastDataIsHarmless) {
  Transfer transfer(kMiB);
  receive(transfer, 1);
  send(transfer, 1);
  b_.write();
  ASSERT_TRUE(a_.read(b_).ok());
  a_.write();
  b_.machine.cancel_receive(1);
  b_.run();
  settle();
  EXPECT_EQ(kind_of(transfer.received), ErrorKind::kCancelled);
  EXPECT_TRUE(transfer.sent.at(0).ok());
  EXPECT_EQ(b_.machine.entry_count() + a_.machine.entry_count(), 0u);
}

TEST_F(BulkMachineTest, ASenderCancelsAndTheReceiverHearsWhy) {
  Transfer transfer(20 * kMiB);
  receive(transfer, 1);
  send(transfer, 1);
  b_.write();
  ASSERT_TRUE(a_.read(b_).ok());
  (void)a_.machine.next_frame();  // under way: its source is still read
  a_.machine.cancel_send(1, Error(ErrorKind::kObjectLost, "gone"));
  a_.run();
  EXPECT_TRUE(transfer.sent.empty());
  settle();
  EXPECT_EQ(kind_of(transfer.sent), ErrorKind::kObjectLost);
  EXPECT_EQ(kind_of(transfer.received), ErrorKind::kObjectLost);
  EXPECT_EQ(b_.machine.entry_count() + a_.machine.entry_count(), 0u);
}

TEST_F(BulkMachineTest, ASenderThatCancelsWaitsForTheLastFrameOnly) {
  for (bool is_last : {false, true}) {
    Transfer transfer(is_last ? 1000 : 20 * kMiB);
    receive(transfer, 1);
    send(transfer, 1);
    b_.write();
    ASSERT_TRUE(a_.read(b_).ok());
    (void)a_.machine.next_frame();
    bool done = false;
    a_.machine.cancel_send(1, Error(ErrorKind::kObjectLost, "gone"), [&] { done = true; });
    a_.run();
    EXPECT_EQ(done, !is_last) << "its receiver will take it for whole";
    settle();
    EXPECT_TRUE(done);
    EXPECT_EQ(transfer.received.at(0).ok(), is_last);
    EXPECT_EQ(b_.machine.entry_count() + a_.machine.entry_count(), 0u);
  }
}

TEST_F(BulkMachineTest, WhatIsNotToBeSentIsRefusedBeforeAndAfterItsStart) {
  Transfer before(kMiB), after(kMiB);
  a_.machine.refuse(1, Error(ErrorKind::kObjectLost, "gone"));
  settle();
  receive(before, 1);
  settle();
  EXPECT_EQ(kind_of(before.received), ErrorKind::kObjectLost);
  receive(after, 2);
  settle();
  a_.machine.refuse(2, Error(ErrorKind::kObjectLost, "gone"));
  settle();
  EXPECT_EQ(kind_of(after.received), ErrorKind::kObjectLost);
  EXPECT_EQ(a_.machine.entry_count() + b_.machine.entry_count(), 0u);
}

TEST_F(BulkMachineTest, ATransferThatWasCancelledBeforeItWasSentIsNotSent) {
  Transfer transfer(kMiB);
  receive(transfer, 1);
  b_.machine.cancel_receive(1);
  b_.run();
  settle();
  EXPECT_EQ(b_.machine.entry_count(), 0u);
  send(transfer, 1);
  settle();
  EXPECT_EQ(kind_of(transfer.sent), ErrorKind::kCancelled);
  EXPECT_EQ(a_.machine.entry_count(), 0u);
}

TEST_F(BulkMachineTest, SizesThatDifferAreAnErrorOnBothSides) {
  for (int more : {-1, 1, 9 * static_cast<int>(kMiB)}) {
    Transfer transfer(3 * kMiB);
    transfer.source.resize(transfer.source.size() + static_cast<size_t>(more));
    receive(transfer, 1);
    send(transfer, 1);
    settle();
    EXPECT_EQ(kind_of(transfer.received), ErrorKind::kInvalid);
    EXPECT_EQ(transfer.sent.size(), 1u);
    EXPECT_EQ(a_.machine.entry_count() + b_.machine.entry_count(), 0u);
  }
}

TEST_F(BulkMachineTest, AChecksumThatDiffersFailsTheTransfer) {
  Transfer transfer(3 * kMiB);
  receive(transfer, 1);
  send(transfer, 1);
  b_.write();
  ASSERT_TRUE(a_.read(b_).ok());
  while (a_.write()) {
  }
  a_.out[1].second[77] ^= 1;
  settle();
  EXPECT_EQ(kind_of(transfer.received), ErrorKind::kDisconnected);
  EXPECT_THAT(transfer.received[0].error().message(), HasSubstr("checksum"));
  EXPECT_EQ(a_.machine.entry_count() + b_.machine.entry_count(), 0u);
}

TEST_F(BulkMachineTest, IdsAreUsedOnceAtATimeAndNumbersAreBounded) {
  Transfer first(1), second(1), third(1);
  receive(first, 1);
  receive(second, 1);
  EXPECT_EQ(kind_of(second.received), ErrorKind::kAlreadyExists);
  send(first, 1);
  send(second, 1);
  EXPECT_EQ(kind_of(second.sent), ErrorKind::kAlreadyExists);
  settle();
  expect_complete(first);

  BulkNode few(clock_, {.max_transfers = 1});
  for (uint64_t id : {1, 2}) {
    few.machine.receive({.transfer_id = id, .destination = third.destination, .on_end = [&](Result<void> r) {
                           third.received.push_back(std::move(r));
                         }});
    few.machine.send({.transfer_id = id, .source = third.source, .on_end = [&](Result<void> r) {
                        third.sent.push_back(std::move(r));
                      }});
  }
  few.run();
  EXPECT_EQ(kind_of(third.received), ErrorKind::kExhausted);
  EXPECT_EQ(kind_of(third.sent), ErrorKind::kExhausted);
}

TEST_F(BulkMachineTest, WithoutProgressATransferFailsOnBothSides) {
  Transfer never_sent(kMiB), never_received(kMiB, 2), stuck(20 * kMiB, 3);
  receive(never_sent, 1);
  send(never_received, 2);
  receive(stuck, 3);
  settle();
  send(stuck, 3);
  a_.write();
  ASSERT_TRUE(b_.read(a_).ok());
  clock_.advance_ns(29 * kSecondNs);
  a_.machine.expire();
  b_.machine.expire();
  a_.write();
  ASSERT_TRUE(b_.read(a_).ok());  // of stuck
  clock_.advance_ns(kSecondNs);
  a_.machine.expire();
  b_.machine.expire();
  a_.run();
  b_.run();
  EXPECT_EQ(kind_of(never_sent.received), ErrorKind::kTimeout);
  EXPECT_EQ(kind_of(never_received.sent), ErrorKind::kTimeout);
  EXPECT_TRUE(stuck.received.empty()) << "it moved";
  settle();
  expect_complete(stuck);
  Transfer late(kMiB);
  receive(late, 2);
  settle();
  EXPECT_EQ(kind_of(late.received), ErrorKind::kTimeout) << "what its sender gave up";
}

TEST_F(BulkMachineTest, ClosingEndsAll) {
  Transfer in(kMiB), out(kMiB);
  receive(in, 1);
  b_.machine.send({.transfer_id = 9, .source = out.source, .on_end = [&](Result<void> r) { out.sent.push_back(r); }});
  b_.machine.close(closed_error("bye"));
  b_.run();
  EXPECT_EQ(kind_of(in.received), ErrorKind::kClosed);
  EXPECT_EQ(kind_of(out.sent), ErrorKind::kClosed);
  EXPECT_EQ(b_.machine.entry_count(), 0u);
  EXPECT_FALSE(b_.machine.next_frame());
}

TEST_F(BulkMachineTest, WhoBreaksTheRulesIsFound) {
  Transfer transfer(20 * kMiB);
  receive(transfer, 1);
  BulkHeader data{.type = BulkType::kData, .size_bytes = kMiB, .transfer_id = 1, .total_bytes = 20 * kMiB};
  auto wrong = [this](BulkHeader header) {
    auto result = b_.machine.on_header(header);
    return !result.ok() && result.error().kind() == ErrorKind::kInvalid;
  };
  BulkHeader bad = data;
  bad.transfer_id = 2;
  EXPECT_TRUE(wrong(bad)) << "of no transfer";
  bad = data;
  bad.offset = 1;
  EXPECT_TRUE(wrong(bad)) << "a gap";
  for (uint64_t offset = 0; offset < 4 * kMiB; offset += kMiB) {
    bad = data;
    bad.offset = offset;
    EXPECT_FALSE(wrong(bad));
    b_.machine.on_payload_end();
    b_.machine.take_calls();
    // Without the peer's reading of further credits: what counts is what was granted.
  }
  bad = data;
  bad.offset = 0;
  EXPECT_TRUE(wrong(bad)) << "again";
  EXPECT_TRUE(wrong({.type = BulkType::kFail, .code = 1, .transfer_id = 5}));

  Transfer out(20 * kMiB);
  b_.machine.send({.transfer_id = 4, .source = out.source, .on_end = [](Result<void>) {}});
  EXPECT_TRUE(wrong({.type = BulkType::kCredit, .transfer_id = 4, .offset = 1})) << "no first";
  EXPECT_FALSE(wrong({.type = BulkType::kCredit, .first = true, .transfer_id = 4, .offset = 10}));
  EXPECT_TRUE(wrong({.type = BulkType::kCredit, .first = true, .transfer_id = 4, .offset = 11})) << "two firsts";
  EXPECT_TRUE(wrong({.type = BulkType::kCredit, .transfer_id = 4, .offset = 9})) << "less";
  EXPECT_FALSE(wrong({.type = BulkType::kCredit, .transfer_id = 77, .offset = 9})) << "of one that is over";
  EXPECT_FALSE(wrong({.type = BulkType::kCancel, .transfer_id = 77}));
}

TEST_F(BulkMachineTest, WhatAPeerStartsAndNobodySendsIsBounded) {
  BulkNode few(clock_, {.max_transfers = 10});
  bool broken = false;
  for (uint64_t id = 1; id < 5000 && !broken; ++id) {
    broken = !few.machine.on_header({.type = BulkType::kCredit, .first = true, .transfer_id = id}).ok();
    EXPECT_LE(few.machine.entry_count(), 10u + 1024u);
  }
  EXPECT_TRUE(broken);
  for (uint64_t id = 10000; id < 20000; ++id) {
    few.machine.refuse(id, cancelled_error(""));
  }
  EXPECT_LE(few.machine.entry_count(), 10u + 2 * 1024u);
}

TEST_F(BulkMachineTest, BeyondTheCreditNothingIsTaken) {
  Transfer transfer(20 * kMiB);
  b_.machine.receive({.transfer_id = 1, .destination = transfer.destination, .on_end = [](Result<void>) {}});
  b_.machine.cancel_receive(1);  // so that no further credit is given
  BulkHeader data{.type = BulkType::kData, .size_bytes = kMiB, .transfer_id = 1, .total_bytes = 20 * kMiB};
  for (int i = 0; i < 4; ++i, data.offset += kMiB) {
    ASSERT_TRUE(b_.machine.on_header(data).ok());
    b_.machine.on_payload_end();
  }
  EXPECT_FALSE(b_.machine.on_header(data).ok());
}

}  // namespace
}  // namespace sabir::node_link
