// O6: escaped calls, their values, and who waits for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/store/ownership.h"
#include "runtime/store/store_fixture.h"

namespace sabir::store {
namespace {

using shm::CellRef;
using shm::EntryRef;
using shm::EntryState;
using Message = shm::RingMessage;

constexpr ProcessId kAlice = {1, 1};  // submits, and lets results escape
constexpr ProcessId kBob = {2, 1};    // waits for them
constexpr ProcessId kCarol = {3, 1};  // runs calls
constexpr CellRef kCell = {7, 300};

class DeliveriesTest : public testing::Test {
 protected:
  DeliveriesTest() : alice_(store_.lend_batch(kAlice)), carol_(store_.lend_batch(kCarol)) { store_.out.clear(); }
  ~DeliveriesTest() override { EXPECT_EQ(own().check_invariants(), ""); }

  Ownership& own() { return store_.own; }
  EntryRef escape(uint32_t i, CellRef cell = kCell) {
    EntryRef entry = {1, alice_ + i};
    store_.round(kAlice, {Message::escape(entry, cell, 0)});
    return entry;
  }
  uint64_t used_bytes() { return store_.loans.usage().used_bytes; }

  Store store_;
  shm::EntryIndex alice_;
  shm::EntryIndex carol_;
};

TEST_F(DeliveriesTest, ASmallValueIsCopiedBeforeAnybodyIsTold) {
  EntryRef entry = escape(0);
  store_.round(kBob, {Message::hold(entry), Message::subscribe(entry), Message::subscribe(entry)});
  store_.out.clear();
  store_.round(kAlice, {Message::deliver_block(entry, 160, 1000)});
  ASSERT_EQ(store_.out.size(), 3U);
  const auto& copy = std::get<CopyBlock>(store_.out[0]);
  EXPECT_EQ(copy.process, kAlice);
  EXPECT_EQ(copy.block, 160U);
  EXPECT_EQ(copy.size_bytes, 1000U);
  const auto& write = std::get<WriteEntry>(store_.out[1]);
  EXPECT_EQ(write.word.pack(), (shm::EntryWord{1, EntryState::kResident, 0}).pack());
  EXPECT_EQ(write.offset, copy.offset);
  EXPECT_EQ(write.size_bytes, 1000U);
  EXPECT_EQ(std::get<RingProcess>(store_.out[2]).process, kBob);

  store_.round(kAlice, {Message::release(entry)});
  store_.settle();
  EXPECT_EQ(own().object_bytes(), 1000U);
  store_.round(kBob, {Message::release(entry)});
  store_.settle();
  EXPECT_EQ(used_bytes(), 0U);
}

TEST_F(DeliveriesTest, NullAndLostNeedNoBytes) {
  EntryRef null = escape(0);
  EntryRef lost = escape(1, {8, 300});
  store_.round(kAlice, {Message::deliver_null(null), Message::deliver_lost(lost)});
  EXPECT_EQ(store_.state(null), EntryState::kResident);
  EXPECT_EQ(store_.state(lost), EntryState::kLost);
  EXPECT_EQ(used_bytes(), 0U);
}

TEST_F(DeliveriesTest, OnlyTheSubmitterDeliversAndOnlyOnce) {
  EntryRef entry = escape(0);
  store_.round(kBob, {Message::deliver_null(entry)});
  EXPECT_EQ(store_.take<Violation>().size(), 1U);
  EXPECT_EQ(store_.state(entry), EntryState::kPending);
  store_.round(kAlice, {Message::deliver_null(entry), Message::deliver_block(entry, 160, 10)});
  EXPECT_TRUE(store_.take<Violation>().empty());
  EXPECT_EQ(used_bytes(), 0U);
}

TEST_F(DeliveriesTest, ADeliverForAFreedEntryIsIgnored) {
  EntryRef entry = escape(0);
  store_.round(kAlice, {Message::release(entry)});
  store_.settle();
  EXPECT_EQ(store_.state(entry), EntryState::kFree);
  store_.out.clear();
  store_.round(kAlice, {Message::deliver_block(entry, 160, 1000), Message::bind(entry, kCell)});
  EXPECT_TRUE(store_.out.empty());
  EXPECT_EQ(used_bytes(), 0U);
}

TEST_F(DeliveriesTest, BlocksOfOthersAreAViolation) {
  Ownership::Options options;
  options.owns_block_chunk = [](ProcessId process, uint32_t chunk) { return process == kAlice && chunk == 2; };
  Store store(16 * kMiB, options);
  constexpr uint32_t kUnits = shm::kBlockChunkBytes / shm::kBlockUnitBytes;
  EntryRef entry = {1, store.lend_batch(kAlice)};
  store.out.clear();
  store.round(kAlice, {Message::escape(entry, kCell, 0), Message::deliver_block(entry, 3 * kUnits - 1, 65)});
  EXPECT_EQ(store.take<Violation>().size(), 1U) << "reaches into the next chunk";
  EXPECT_EQ(store.state(entry), EntryState::kLost);
  EntryRef next = {1, entry.entry + 1};
  store.round(kAlice, {Message::escape(next, kCell, 0), Message::deliver_block(next, 3 * kUnits - 1, 64)});
  EXPECT_TRUE(store.take<Violation>().empty());
  EXPECT_EQ(store.state(next), EntryState::kResident);
}

TEST_F(DeliveriesTest, ALargeResultIsTheObjectItself) {
  EntryRef entry = escape(0);
  EntryRef object = store_.announce(kCarol, {1, carol_}, kMiB);
  store_.round(kCarol, {Message::hold_cell(object, kCell), Message::release(object)});
  store_.round(kAlice, {Message::deliver_object(entry, object), Message::drop_cell(kCell), Message::release(entry)});
  store_.round(kBob, {Message::hold(entry)});
  store_.settle();
  EXPECT_EQ(own().look_up(entry)->offset, own().look_up(object)->offset);
  EXPECT_EQ(own().look_up(entry)->size_bytes, kMiB);
  EXPECT_EQ(own().objects(), 1U);
  store_.round(kBob, {Message::release(entry)});
  store_.settle();
  EXPECT_EQ(own().objects(), 0U);
}

TEST_F(DeliveriesTest, TheObjectsAnnounceMayBeReadAfterTheDelivery) {
  EntryRef entry = escape(0);
  EntryRef object = {1, carol_};
  GrantLoan loan = store_.lend(kCarol, kMiB);
  store_.round(kBob, {Message::subscribe(entry)});
  store_.round(kAlice, {Message::deliver_object(entry, object)});
  EXPECT_EQ(store_.state(entry), EntryState::kPending);
  store_.out.clear();
  store_.round(kCarol, {Message::announce(object, loan.offset, kMiB, true), Message::release(object)});
  EXPECT_EQ(store_.state(entry), EntryState::kResident);
  EXPECT_EQ(store_.take<RingProcess>().size(), 1U);
  store_.settle();
  EXPECT_EQ(own().objects(), 1U);
}

TEST_F(DeliveriesTest, AnObjectThatNeverCameIsLostToItsAlias) {
  EntryRef entry = escape(0);
  store_.round(kAlice, {Message::deliver_object(entry, {1, carol_})});
  own().process_dead(kCarol, store_.out);
  EXPECT_EQ(store_.state(entry), EntryState::kLost);
}

TEST_F(DeliveriesTest, AnAliasIsNeverOfAnotherPendingCall) {
  EntryRef first = escape(0);
  EntryRef second = escape(1, {8, 300});
  store_.round(kAlice, {Message::deliver_object(first, second), Message::deliver_object(second, first)});
  EXPECT_EQ(store_.state(first), EntryState::kLost);
  EXPECT_EQ(store_.state(second), EntryState::kLost);
  store_.round(kAlice, {Message::release(first), Message::release(second)});
  store_.settle();
  EXPECT_EQ(store_.state(first), EntryState::kFree);
}

TEST_F(DeliveriesTest, AFullStoreLosesTheValueAndNotTheNode) {
  Store store(4 * kMiB);
  EntryRef entry = {1, store.lend_batch(kAlice)};
  store.round(kAlice, {Message::escape(entry, kCell, 0)});
  while (store.loans.place(64 << 10).ok()) {
  }
  store.out.clear();
  store.own.begin_round();
  store.tell(kAlice, Message::deliver_block(entry, 160, 128 << 10));
  store.own.end_round(store.out);
  EXPECT_EQ(store.state(entry), EntryState::kLost);
  EXPECT_TRUE(store.take<CopyBlock>().empty());
}

// --- waiting ---------------------------------------------------------------------------------------------------------

TEST_F(DeliveriesTest, WhoAsksLateIsToldAtOnce) {
  EntryRef entry = escape(0);
  store_.round(kAlice, {Message::deliver_null(entry)});
  store_.out.clear();
  store_.round(kBob, {Message::subscribe(entry)});
  EXPECT_EQ(store_.take<RingProcess>().size(), 1U);
  store_.round(kAlice, {Message::release(entry)});
  store_.settle();
  store_.out.clear();
  store_.round(kBob, {Message::subscribe(entry)});
  EXPECT_EQ(store_.take<RingProcess>().size(), 1U) << "gone";
}

TEST_F(DeliveriesTest, UnknownIsSaidOnlyAfterAFullRoundThatBeganLater) {
  EntryRef entry = {1, alice_};
  store_.round(kBob, {Message::subscribe(entry)});
  EXPECT_TRUE(store_.take<RingProcess>().empty());
  EXPECT_TRUE(own().needs_round());
  store_.round();
  EXPECT_EQ(store_.take<RingProcess>().size(), 1U);
  EXPECT_FALSE(own().needs_round());

  // The ESCAPE was in a ring that the first round had passed: it waits.
  store_.round(kBob, {Message::subscribe(entry)});
  store_.round(kAlice, {Message::escape(entry, kCell, 0)});
  EXPECT_TRUE(store_.take<RingProcess>().empty());
  store_.round(kAlice, {Message::deliver_null(entry)});
  EXPECT_EQ(store_.take<RingProcess>().size(), 1U);
}

// --- the heir (D5) ---------------------------------------------------------------------------------------------------

TEST_F(DeliveriesTest, TheHeirFindsEscapesByCellAndByProcess) {
  EntryRef entry = {1, alice_};
  EntryRef second = {1, alice_ + 1};
  EntryRef parked = {1, alice_ + 2};
  store_.round(kAlice,
               {Message::escape(entry, kCell, 0), Message::escape(second, kCell, 1), Message::escape(parked, {}, 0)});
  auto of_cell = own().escapes_of_cell(kCell);
  ASSERT_EQ(of_cell.size(), 2U);
  EXPECT_EQ(of_cell[1].return_index, 1U);
  EXPECT_TRUE(own().escapes_of_cell({kCell.generation + 1, kCell.cell}).empty());
  CellRef retry = {kCell.generation + 1, kCell.cell};
  store_.round(kAlice, {Message::bind(entry, retry), Message::bind(parked, {1, 1})});
  EXPECT_EQ(own().escapes_of_cell(kCell).size(), 1U);
  EXPECT_EQ(own().escapes_of_cell(retry).size(), 1U);
  EXPECT_EQ(own().escapes_of(kAlice).size(), 3U);
  store_.round(kAlice, {Message::deliver_null(entry)});
  EXPECT_TRUE(own().escapes_of_cell(retry).empty());
  EXPECT_EQ(own().escapes_of(kAlice).size(), 2U);
}

TEST_F(DeliveriesTest, TheHeirDeliversWhatItFoundInTheCell) {
  EntryRef entry = escape(0);
  EntryRef inside = store_.announce(kCarol, {1, carol_}, kMiB);
  store_.round(kCarol, {Message::hold_cell(inside, kCell), Message::release(inside)});
  store_.round(kBob, {Message::hold(entry), Message::subscribe(entry)});
  own().process_dead(kAlice, store_.out);
  EXPECT_EQ(store_.state(entry), EntryState::kPending);

  own().keep_cell_refs(kCell, entry);
  uint64_t offset = own().place_value(entry, 300, store_.out).value();
  store_.out.clear();
  own().finish_value(entry, store_.out);
  ASSERT_EQ(store_.out.size(), 2U);
  EXPECT_EQ(std::get<WriteEntry>(store_.out[0]).offset, offset);
  own().drop_cells(256, 256);
  own().release_holds(kAlice);
  store_.settle();
  EXPECT_EQ(own().objects(), 2U) << "the value and what it refers to";
  store_.round(kBob, {Message::release(entry)});
  store_.settle();
  EXPECT_EQ(own().objects(), 0U);
}

TEST_F(DeliveriesTest, WhatNobodyWillDeliverIsLost) {
  EntryRef entry = escape(0);
  store_.round(kBob, {Message::hold(entry), Message::subscribe(entry)});
  own().process_dead(kAlice, store_.out);
  store_.out.clear();
  own().lose_escapes(kAlice, store_.out);
  own().release_holds(kAlice);
  EXPECT_EQ(store_.state(entry), EntryState::kLost);
  EXPECT_EQ(store_.take<RingProcess>().size(), 1U);
  store_.round(kBob, {Message::release(entry)});
  store_.settle();
  EXPECT_EQ(store_.state(entry), EntryState::kFree);
}

}  // namespace
}  // namespace sabir::store
