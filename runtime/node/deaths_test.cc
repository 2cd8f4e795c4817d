#include "runtime/node/deaths.h"

#include <cstring>

#include "runtime/client/error_value.h"
#include "runtime/client/value_format.h"
#include "runtime/node/node_parts_for_test.h"

namespace sabir::node {
namespace {

class DeathsTest : public ::testing::Test {
 protected:
  // An entry of this process that stands for the result of its call (O6).
  shm::EntryRef escape(Process& process, shm::CellRef cell, uint16_t return_index = 0) {
    uint32_t batch = parts_.objects->lend_entries(process).value();
    shm::EntryIndex index = batch * shm::kEntriesPerBatch;  // a batch for each: simple
    shm::EntryRef entry{shm::EntryWord::unpack(parts_.segments.calls.entry(index).word.load()).generation, index};
    shm::RingProducer ring(parts_.segments.calls.ring(process.key.slot));
    EXPECT_TRUE(ring.try_push(shm::RingMessage::escape(entry, cell, return_index)));
    return entry;
  }
  // Somebody who holds the entry, so that its value has a reason to live.
  void hold(Process& process, shm::EntryRef entry) {
    shm::RingProducer ring(parts_.segments.calls.ring(process.key.slot));
    EXPECT_TRUE(ring.try_push(shm::RingMessage::hold(entry)));
  }
  shm::EntryWord entry_word(shm::EntryRef entry) {
    return shm::EntryWord::unpack(parts_.segments.calls.entry(entry.entry).word.load());
  }
  // As a worker: claims and ends a call with these bytes inline, and pushes it back.
  void run(Process& worker, shm::CellRef ref, std::string_view result) {
    shm::Cell& cell = parts_.segments.calls.cell(ref.cell);
    ASSERT_TRUE(shm::claim_cell(cell, ref.generation, worker.key.slot));
    finish(worker, ref, result);
  }
  void finish(Process& worker, shm::CellRef ref, std::string_view result) {
    shm::Cell& cell = parts_.segments.calls.cell(ref.cell);
    std::memcpy(cell.payload, result.data(), result.size());
    cell.result_bytes = static_cast<uint32_t>(result.size());
    cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kInline);
    cell.result_is_error = 0;
    shm::finish_cell(cell, ref.generation, worker.key.slot);
    shm::SlotIndex owner = parts_.segments.node.view().cell_owner(ref.cell);
    shm::reply_stack(parts_.segments.calls, owner).push(ref.cell);
  }
  std::string value_of(shm::EntryRef entry) {
    shm::ObjectEntry& shared = parts_.segments.calls.entry(entry.entry);
    std::span<const uint8_t> bytes(parts_.objects->at(shared.offset.load()), shared.size_bytes.load());
    auto value = client::parse_value(bytes, client::kStoreAlignment);
    return value ? std::string(value->data.begin(), value->data.end()) : "no value";
  }
  client::ErrorSummary error_of(shm::EntryRef entry) {
    EXPECT_EQ(entry_word(entry).state, shm::EntryState::kResident);
    std::string map = value_of(entry);
    return client::read_error_map({reinterpret_cast<const uint8_t*>(map.data()), map.size()});
  }
  static std::string small_value(std::string_view data) {
    client::ValueHeader header;
    header.encoding = static_cast<uint8_t>(client::Encoding::kNative);
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
    bytes += data;
    return bytes;
  }

  NodeParts parts_;
};

TEST_F(DeathsTest, D2InItsOrder) {
  Process& dead = parts_.add();
  parts_.add();
  shm::SlotIndex slot = dead.key.slot;
  shm::inbox(parts_.segments.calls, slot).open();
  parts_.directory.grant({slot, 5, 0, std::nullopt, 0});
  parts_.segments.calls.header().spin_tokens[0] = slot;
  shm::CellRef call = parts_.queue_call(dead);
  bool decided = false;
  parts_.deaths->publish({slot, 9, shm::DeathReason::kExited, false}, [&] {
    decided = true;
    EXPECT_TRUE(shm::inbox(parts_.segments.calls, slot).closed()) << "(1)";
    EXPECT_EQ(parts_.segments.calls.header().spin_tokens[0].load(), 0u) << "(2)";
    EXPECT_FALSE(shm::LeaseWriter(parts_.segments.node.segment()).word(slot).granted()) << "(2)";
    EXPECT_EQ(parts_.word(call).state, shm::CellState::kCancelled) << "before (3): D5";
    EXPECT_EQ(parts_.segments.node.header().death_count.load(), 1u) << "(3)";
    EXPECT_EQ(parts_.processes.at(slot), nullptr);
  });
  EXPECT_TRUE(decided);
}

TEST_F(DeathsTest, NothingIsReusedBeforeAllKnow) {
  Process& dead = parts_.add();
  Process& first = parts_.add();
  Process& second = parts_.add();
  shm::SlotIndex slot = dead.key.slot;
  parts_.queue_call(dead);
  uint32_t chunk = dead.cell_chunks[0];
  shm::QueueIndex queue = dead.queues[0];
  parts_.die(dead);
  parts_.acknowledge(first);
  parts_.deaths->look();
  EXPECT_TRUE(parts_.deaths->busy());
  EXPECT_NE(parts_.add().key.slot, slot);
  EXPECT_NE(parts_.lends.lend_cells(first).value(), chunk);
  parts_.acknowledge(second);
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
  EXPECT_EQ(parts_.closed_queues, std::vector<shm::QueueIndex>{queue});
  Process& next = parts_.add();
  EXPECT_EQ(next.key.slot, slot);
  EXPECT_EQ(next.key.incarnation, 2u);
  EXPECT_EQ(parts_.lends.lend_cells(first).value(), chunk);
  EXPECT_EQ(parts_.word({0, chunk * shm::kCellsPerChunk}).state, shm::CellState::kFree);
}

// A worker may have read the ring's head just before its last call was claimed by another one, and stall there: what
// the ring's next owner appends would look like what it was about to claim.
TEST_F(DeathsTest, AQueuesIndexWaitsForALaterDeath) {
  Process& worker = parts_.add();
  Process& dead = parts_.add();
  Process& second = parts_.add();
  parts_.queue_call(dead);
  shm::QueueIndex queue = dead.queues[0];
  parts_.die(dead, true);
  parts_.acknowledge(worker);
  parts_.acknowledge(second);
  parts_.deaths->look();
  ASSERT_EQ(parts_.closed_queues, std::vector<shm::QueueIndex>{queue});
  EXPECT_NE(parts_.directory.open_queue(worker, 5).value().index, queue);
  parts_.die(second, true);
  parts_.deaths->look();
  EXPECT_NE(parts_.directory.open_queue(worker, 6).value().index, queue) << "not acknowledged yet";
  parts_.acknowledge(worker);
  parts_.deaths->look();
  EXPECT_EQ(parts_.directory.open_queue(worker, 7).value().index, queue);
}

TEST_F(DeathsTest, WhatTheLivingRunIsWaitedFor) {
  Process& dead = parts_.add();
  Process& worker = parts_.add();
  shm::CellRef call = parts_.queue_call(dead);
  ASSERT_TRUE(shm::claim_cell(parts_.segments.calls.cell(call.cell), call.generation, worker.key.slot));
  parts_.die(dead);
  parts_.deaths->look();
  EXPECT_EQ(parts_.word(call).state, shm::CellState::kClaimed);
  finish(worker, call, small_value("late"));
  parts_.deaths->look();
  EXPECT_TRUE(parts_.deaths->busy()) << "its claimer has not acknowledged";
  EXPECT_EQ(parts_.word(call).state, shm::CellState::kDone) << "not freed before D4";
  parts_.acknowledge(worker);
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, AnEscapedResultIsKept) {
  Process& dead = parts_.add();
  Process& worker = parts_.add();
  shm::CellRef call = parts_.queue_call(dead);
  shm::EntryRef entry = escape(dead, call);
  hold(worker, entry);
  parts_.die(dead);
  EXPECT_EQ(parts_.word(call).state, shm::CellState::kQueued) << "it runs on";
  parts_.acknowledge(worker);
  parts_.deaths->look();
  EXPECT_TRUE(parts_.deaths->busy());
  EXPECT_NE(entry_word(entry).state, shm::EntryState::kResident);
  run(worker, call, small_value("the value"));
  parts_.deaths->look();
  EXPECT_EQ(entry_word(entry).state, shm::EntryState::kResident);
  EXPECT_EQ(value_of(entry), "the value");
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, ACellThatRunsOnMustComeBackBeforeItIsReused) {
  Process& dead = parts_.add();
  Process& worker = parts_.add();
  shm::CellRef call = parts_.queue_call(dead);
  shm::EntryRef entry = escape(dead, call);
  hold(worker, entry);
  parts_.die(dead);
  parts_.acknowledge(worker);
  shm::Cell& cell = parts_.segments.calls.cell(call.cell);
  ASSERT_TRUE(shm::claim_cell(cell, call.generation, worker.key.slot));
  cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kNone);
  shm::finish_cell(cell, call.generation, worker.key.slot);  // and is stopped before its push
  parts_.deaths->look();
  EXPECT_EQ(entry_word(entry).state, shm::EntryState::kResident);
  EXPECT_TRUE(parts_.deaths->busy()) << "the push is still to come";
  ASSERT_TRUE(shm::reply_stack(parts_.segments.calls, dead.key.slot).push(call.cell));
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, AnEscapedCallWhoseClaimerDiesEndsInAnError) {
  Process& dead = parts_.add();
  Process& worker = parts_.add();
  Process& holder = parts_.add();
  shm::CellRef call = parts_.queue_call(dead);
  shm::EntryRef entry = escape(dead, call);
  hold(holder, entry);
  ASSERT_TRUE(shm::claim_cell(parts_.segments.calls.cell(call.cell), call.generation, worker.key.slot));
  parts_.die(dead);
  parts_.deaths->look();
  EXPECT_NE(entry_word(entry).state, shm::EntryState::kResident);
  parts_.die(worker);
  parts_.deaths->look();
  EXPECT_EQ(error_of(entry).kind, ErrorKind::kWorkerCrashed);
  parts_.acknowledge(holder);
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, WhenTheJobIsOverNothingRunsOn) {
  Process& driver = parts_.add(shm::ProcessKind::kDriver);
  Process& other = parts_.add();
  shm::CellRef call = parts_.queue_call(driver);
  shm::EntryRef entry = escape(driver, call);
  hold(other, entry);
  parts_.die(driver, true);
  EXPECT_EQ(parts_.word(call).state, shm::CellState::kCancelled);
  parts_.acknowledge(other);
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
  EXPECT_NE(entry_word(entry).state, shm::EntryState::kPending) << "nobody waits for ever";
}

// A worker dies and leaves an escaped call in its ring; then its driver goes, and with it all who could run the call.
TEST_F(DeathsTest, WhatWasLeftQueuedEndsWithItsJob) {
  Process& worker = parts_.add();
  Process& other = parts_.add();
  shm::CellRef call = parts_.queue_call(worker);
  shm::EntryRef entry = escape(worker, call);
  hold(other, entry);
  parts_.die(worker);
  parts_.acknowledge(other);
  parts_.deaths->look();
  ASSERT_EQ(parts_.word(call).state, shm::CellState::kQueued);
  parts_.deaths->job_ended(2);
  parts_.deaths->look();
  ASSERT_EQ(parts_.word(call).state, shm::CellState::kQueued) << "another job";
  parts_.deaths->job_ended(1);
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
  EXPECT_EQ(parts_.word(call).state, shm::CellState::kFree);
  EXPECT_EQ(error_of(entry).kind, ErrorKind::kCancelled);
}

// Killed between the word and the ring's slot, or a call to an actor that died before it took it: nobody finds it.
TEST_F(DeathsTest, WhatIsQueuedAndNowhereIsCancelled) {
  Process& dead = parts_.add();
  Process& other = parts_.add();
  shm::CellRef in_ring = parts_.queue_call(dead);
  shm::CellRef nowhere = parts_.publish_call(dead);
  shm::EntryRef waiting = escape(dead, in_ring);
  shm::EntryRef lost = escape(dead, nowhere);
  hold(other, waiting);
  hold(other, lost);
  parts_.die(dead);
  parts_.deaths->look();
  EXPECT_EQ(parts_.word(nowhere).state, shm::CellState::kQueued) << "an actor may have it in its inbox";
  parts_.acknowledge(other);
  parts_.deaths->look();
  EXPECT_EQ(error_of(lost).kind, ErrorKind::kCancelled);
  EXPECT_EQ(parts_.word(in_ring).state, shm::CellState::kQueued) << "it runs on";
  run(other, in_ring, small_value("late"));
  parts_.deaths->look();
  EXPECT_EQ(value_of(waiting), "late");
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, WhoseValueNobodyHoldsIsCancelledBeforeItsArgumentsGo) {
  Process& dead = parts_.add();
  Process& other = parts_.add();
  shm::CellRef call = parts_.queue_call(dead);
  shm::EntryRef entry = escape(dead, call);
  shm::RingProducer ring(parts_.segments.calls.ring(dead.key.slot));
  ASSERT_TRUE(ring.try_push(shm::RingMessage::release(entry)));
  hold(other, entry);
  parts_.die(dead);
  parts_.acknowledge(other);
  parts_.deaths->look();
  ASSERT_EQ(parts_.word(call).state, shm::CellState::kQueued);
  shm::RingProducer holder(parts_.segments.calls.ring(other.key.slot));
  ASSERT_TRUE(holder.try_push(shm::RingMessage::release(entry)));
  parts_.objects->rounds();
  parts_.deaths->look();
  EXPECT_FALSE(shm::claim_cell(parts_.segments.calls.cell(call.cell), call.generation, other.key.slot));
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, WhatRunsOnKeepsItsArguments) {
  Process& dead = parts_.add();
  Process& other = parts_.add();
  shm::CellRef call = parts_.queue_call(dead);
  shm::EntryRef entry = escape(dead, call);
  escape(dead, {});  // another object that it holds: say, an argument
  shm::RingProducer ring(parts_.segments.calls.ring(dead.key.slot));
  ASSERT_TRUE(ring.try_push(shm::RingMessage::release(entry)));
  hold(other, entry);
  store::Holder holder = store::Holder::process(dead.id());
  parts_.die(dead);
  parts_.acknowledge(other);
  ASSERT_TRUE(shm::claim_cell(parts_.segments.calls.cell(call.cell), call.generation, other.key.slot));
  shm::RingProducer releases(parts_.segments.calls.ring(other.key.slot));
  ASSERT_TRUE(releases.try_push(shm::RingMessage::release(entry)));
  parts_.objects->rounds();
  parts_.deaths->look();
  parts_.objects->rounds();
  EXPECT_EQ(parts_.objects->ownership().held_by(holder), 1u) << "the argument";
  finish(other, call, small_value("unwanted"));
  for (int i = 0; i < 3; ++i) {
    parts_.objects->rounds();
    parts_.deaths->look();
  }
  EXPECT_EQ(parts_.objects->ownership().held_by(holder), 0u);
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, ResultBlocksGoBackToTheLiving) {
  Process& dead = parts_.add();
  Process& worker = parts_.add();
  shm::CellRef call = parts_.queue_call(dead);
  uint32_t unit = parts_.lends.lend_blocks(worker).value() * (shm::kBlockChunkBytes / shm::kBlockUnitBytes) + 4;
  shm::Cell& cell = parts_.segments.calls.cell(call.cell);
  ASSERT_TRUE(shm::claim_cell(cell, call.generation, worker.key.slot));
  cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kBlock);
  cell.result_block = unit;
  cell.result_bytes = 100;
  shm::finish_cell(cell, call.generation, worker.key.slot);
  parts_.die(dead);
  parts_.acknowledge(worker);
  parts_.deaths->look();
  std::vector<uint32_t> returned;
  shm::return_stack(parts_.segments.calls, worker.key.slot).take_all(returned, 10);
  EXPECT_EQ(returned, std::vector<uint32_t>{unit});
}

TEST_F(DeathsTest, AClaimersMemoryWaitsForTheHeirsOfWhoKnewIt) {
  Process& submitter = parts_.add();
  Process& worker = parts_.add();
  Process& other = parts_.add();
  shm::CellRef call = parts_.queue_call(submitter);
  uint32_t chunk = parts_.lends.lend_blocks(worker).value();
  shm::Cell& cell = parts_.segments.calls.cell(call.cell);
  ASSERT_TRUE(shm::claim_cell(cell, call.generation, worker.key.slot));
  cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kBlock);
  cell.result_block = chunk * (shm::kBlockChunkBytes / shm::kBlockUnitBytes) + 4;
  shm::finish_cell(cell, call.generation, worker.key.slot);
  shm::SlotIndex worker_slot = worker.key.slot;
  parts_.die(worker);
  parts_.acknowledge(other);  // the submitter never does: it dies
  parts_.die(submitter);
  parts_.deaths->look();
  EXPECT_TRUE(parts_.deaths->busy());
  EXPECT_NE(parts_.lends.lend_blocks(other).value(), chunk) << "a cell of the submitter still names a block in it";
  EXPECT_NE(parts_.add().key.slot, worker_slot);
  parts_.acknowledge(other);
  parts_.processes.for_each([&](Process& process) { parts_.acknowledge(process); });
  parts_.deaths->look();
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST_F(DeathsTest, BadWordsInCellsAreSurvived) {
  Process& dead = parts_.add();
  Process& other = parts_.add();
  for (uint32_t i = 0; i < 64; ++i) {
    shm::CellRef call = parts_.queue_call(dead);
    shm::EntryRef entry = i % 2 == 0 ? escape(dead, call) : shm::EntryRef{};
    if (i % 2 == 0) {
      hold(other, entry);
    }
    shm::Cell& cell = parts_.segments.calls.cell(call.cell);
    cell.args_bytes = 0xffffffff - i;
    cell.args_block = i % 3;
    cell.result_bytes = i * 0x01234567;
    cell.result_block = 0xffffffff - i * 77;
    cell.result_place = static_cast<uint8_t>(i % 5);
    cell.num_returns = static_cast<uint16_t>(i * 1777);
    cell.word.store((call.generation << 24) | (uint64_t{i % 16} << 20) | (i * 997 % 65536));
  }
  parts_.die(dead);
  parts_.acknowledge(other);
  for (int i = 0; i < 3; ++i) {
    parts_.deaths->look();
  }
  parts_.die(other);
  parts_.deaths->look();
  EXPECT_FALSE(parts_.deaths->busy());
}

TEST(DeathsLimitTest, WhoHoldsEverybodyUpIsNamed) {
  NodeParts parts(Deaths::Options{.max_unacknowledged = 3, .min_free_slots = 0});
  Process& slow = parts.add();
  Process& quick = parts.add();
  for (int i = 0; i < 3; ++i) {
    parts.die(parts.add());
    parts.acknowledge(quick);
    parts.deaths->look();
  }
  EXPECT_TRUE(parts.unresponsive.empty());
  parts.die(parts.add());
  parts.acknowledge(quick);
  parts.deaths->look();
  EXPECT_EQ(parts.unresponsive, std::vector<shm::SlotIndex>{slow.key.slot});
}

}  // namespace
}  // namespace sabir::node
