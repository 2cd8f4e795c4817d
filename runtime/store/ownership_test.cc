#include "runtime/store/ownership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/store/store_fixture.h"

namespace sabir::store {
namespace {

using shm::CellRef;
using shm::EntryRef;
using shm::EntryState;
using Message = shm::RingMessage;
using testing::HasSubstr;

constexpr ProcessId kAlice = {1, 1};
constexpr ProcessId kBob = {2, 1};
constexpr ProcessId kCarol = {3, 1};
constexpr CellRef kCell = {7, 300};

class OwnershipTest : public testing::Test {
 protected:
  OwnershipTest() : alice_(store_.lend_batch(kAlice)), bob_(store_.lend_batch(kBob)) { store_.out.clear(); }
  ~OwnershipTest() override { EXPECT_EQ(own().check_invariants(), ""); }

  Ownership& own() { return store_.own; }
  // Entry i of the process's batch, at its first generation.
  EntryRef of_alice(uint32_t i) const { return {1, alice_ + i}; }
  EntryRef of_bob(uint32_t i) const { return {1, bob_ + i}; }
  uint64_t objects() { return own().objects(); }
  void expect_violation(ProcessId process, const char* text) {
    auto violations = store_.take<Violation>();
    ASSERT_EQ(violations.size(), 1U) << text;
    EXPECT_EQ(violations[0].process, process);
    EXPECT_THAT(violations[0].text, HasSubstr(text));
  }

  Store store_;
  shm::EntryIndex alice_;
  shm::EntryIndex bob_;
};

// --- H1 --------------------------------------------------------------------------------------------------------------

TEST_F(OwnershipTest, AnObjectGoesOneFullRoundAfterItsLastRelease) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  EXPECT_EQ(own().object_bytes(), kMiB);
  store_.round(kAlice, {Message::release(object)});
  EXPECT_EQ(objects(), 1U) << "read in this round, counts after the next";
  EXPECT_TRUE(own().needs_round());
  store_.round();
  EXPECT_EQ(objects(), 0U);
  auto writes = store_.take<WriteEntry>();
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes[0].entry, object.entry);
  EXPECT_EQ(writes[0].word.pack(), (shm::EntryWord{2, EntryState::kFree, 0}).pack());
  EXPECT_FALSE(own().needs_round());
}

// The race that H1 is for: Bob's HOLD lies in a ring that was read before he wrote it; Alice, who saw his answer,
// released in a ring that is read after.
TEST_F(OwnershipTest, AHoldReadOneRoundAfterTheReleaseItAllowedStillSaves) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  store_.round(kAlice, {Message::release(object)});
  store_.round(kBob, {Message::hold(object)});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  store_.round(kBob, {Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(OwnershipTest, AHoldMayBeReadBeforeTheAnnounceItRestsOn) {
  GrantLoan loan = store_.lend(kAlice, kMiB);
  store_.round(kBob, {Message::hold(of_alice(0))});
  store_.round(kAlice, {Message::announce(of_alice(0), loan.offset, kMiB, true), Message::release(of_alice(0))});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  store_.round(kBob, {Message::release(of_alice(0))});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(OwnershipTest, HoldsOfOneProcessAreCounted) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  store_.round(kAlice, {Message::hold(object), Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  store_.round(kAlice, {Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(OwnershipTest, APinKeepsAnObjectToo) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  store_.round(kBob, {Message::pin(object)});
  store_.round(kAlice, {Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  store_.round(kBob, {Message::unpin(object)});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

// --- H3 --------------------------------------------------------------------------------------------------------------

TEST_F(OwnershipTest, NobodyReleasesWhatAnotherHolds) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  store_.round(kBob, {Message::release(object), Message::unpin(object), Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  EXPECT_EQ(own().counters().ignored_releases, 3U);
  EXPECT_TRUE(store_.take<Violation>().empty());
}

TEST(OwnershipStrictTest, InDebugBuildsItCostsTheAuthor) {
  Ownership::Options options;
  options.strict_releases = true;
  Store store(16 * kMiB, options);
  EntryRef object = store.announce(kAlice, {1, store.lend_batch(kAlice)}, kMiB);
  store.out.clear();
  store.round(kBob, {Message::release(object)});
  store.settle();
  auto violations = store.take<Violation>();
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].process, kBob);
}

TEST_F(OwnershipTest, AGenerationThatIsOverNamesNothing) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  store_.round(kAlice, {Message::release(object)});
  store_.settle();
  EXPECT_EQ(own().hold(Holder::process(kBob), object).error().kind(), ErrorKind::kNotFound);
  EntryRef next = {2, object.entry};
  store_.announce(kAlice, next, kMiB);
  store_.round(kBob, {Message::hold(object), Message::release(object)});
  store_.settle();
  EXPECT_EQ(own().look_up(next)->holders.size(), 1U);
}

// --- violations ------------------------------------------------------------------------------------------------------

TEST_F(OwnershipTest, AnnouncesMustBeInsideOnesOwnLoanAndBatch) {
  GrantLoan loan = store_.lend(kAlice, kMiB);
  store_.round(kBob, {Message::announce(of_bob(0), loan.offset, 64, false)});
  expect_violation(kBob, "no open loan");
  store_.round(kAlice, {Message::announce(of_bob(0), loan.offset, 64, false)});
  expect_violation(kAlice, "not of this process");
  store_.round(kAlice, {Message::announce({2, alice_}, loan.offset, 64, false)});
  expect_violation(kAlice, "another generation");
  store_.round(kAlice, {Message::announce({1, 100000}, loan.offset, 64, false)});
  expect_violation(kAlice, "not of this process");
  store_.round(kAlice, {Message::announce(of_alice(0), loan.offset, 64, false)});
  store_.round(kAlice, {Message::announce(of_alice(0), loan.offset + 64, 64, false)});
  expect_violation(kAlice, "in use");
  EXPECT_EQ(objects(), 1U);
}

TEST_F(OwnershipTest, UnreadableRecordsAreViolations) {
  shm::RingRecord record = {};
  record.op = 99;
  own().begin_round();
  own().apply(kAlice, record, store_.out);
  own().end_round(store_.out);
  expect_violation(kAlice, "operation 99");
}

TEST_F(OwnershipTest, OnlyTheSubmitterDropsACellsHolds) {
  Ownership::Options options;
  options.owns_cell = [](ProcessId process, shm::CellIndex cell) { return process == kAlice && cell == kCell.cell; };
  Store store(16 * kMiB, options);
  EntryRef object = store.announce(kBob, {1, store.lend_batch(kBob)}, kMiB);
  store.round(kBob, {Message::hold_cell(object, kCell), Message::release(object)});
  store.out.clear();
  store.round(kBob, {Message::drop_cell(kCell)});
  EXPECT_EQ(store.take<Violation>().size(), 1U);
  store.settle();
  EXPECT_EQ(store.own.objects(), 1U);
  store.round(kAlice, {Message::drop_cell(kCell)});
  store.settle();
  EXPECT_EQ(store.own.objects(), 0U);
}

TEST_F(OwnershipTest, ReferencesInsideThingsAreBoundedPerProcess) {
  Ownership::Options options;
  options.max_registered_per_process = 3;
  Store store(16 * kMiB, options);
  EntryRef object = store.announce(kAlice, {1, store.lend_batch(kAlice)}, kMiB);
  store.out.clear();
  for (uint32_t cell = 0; cell < 4; ++cell) {
    store.round(kBob, {Message::hold_cell(object, {1, cell})});
  }
  EXPECT_EQ(store.take<Violation>().size(), 1U);
  store.round(kAlice, {Message::drop_cell({1, 0})});
  store.settle();
  store.round(kBob, {Message::hold_cell(object, {1, 9})});
  EXPECT_TRUE(store.take<Violation>().empty());
}

// --- H2: results and objects that contain references -----------------------------------------------------------------

TEST_F(OwnershipTest, AResultsReferencesLiveUntilTheSubmitterHasItsOwn) {
  EntryRef object = store_.announce(kBob, of_bob(0), kMiB);
  store_.round(kBob, {Message::hold_cell(object, kCell), Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  store_.round(kAlice, {Message::hold(object), Message::drop_cell(kCell)});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  EXPECT_EQ(own().held_by(Holder::cell(kCell)), 0U);
  store_.round(kAlice, {Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(OwnershipTest, DroppingACellLeavesItsLaterUseAlone) {
  EntryRef object = store_.announce(kBob, of_bob(0), kMiB);
  CellRef later = {kCell.generation + 1, kCell.cell};
  store_.round(kBob, {Message::hold_cell(object, kCell), Message::hold_cell(object, later), Message::release(object)});
  store_.round(kAlice, {Message::drop_cell(kCell)});
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  store_.round(kAlice, {Message::drop_cell(later)});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(OwnershipTest, TheHeirDropsACellsHoldsOfEveryGeneration) {
  EntryRef object = store_.announce(kBob, of_bob(0), kMiB);
  store_.round(kBob, {Message::hold_cell(object, kCell), Message::hold_cell(object, {99, kCell.cell}),
                      Message::hold_cell(object, {1, kCell.cell + 300}), Message::release(object)});
  own().drop_cells(256, 256);
  store_.settle();
  EXPECT_EQ(own().look_up(object)->holders.size(), 1U);
  own().drop_cells(512, 256);
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(OwnershipTest, AContainerKeepsWhatIsInsideAndTakesItAlong) {
  EntryRef inner = store_.announce(kAlice, of_alice(0), kMiB);
  EntryRef outer = of_alice(1);
  store_.round(kAlice, {Message::hold_nested(inner, outer)});
  store_.announce(kAlice, outer, 2 * kMiB);
  store_.round(kAlice, {Message::release(inner)});
  store_.settle();
  EXPECT_EQ(objects(), 2U);
  store_.round(kAlice, {Message::release(outer)});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(OwnershipTest, OnlyItsCreatorPutsReferencesIntoAContainer) {
  EntryRef inner = store_.announce(kBob, of_bob(0), kMiB);
  store_.out.clear();
  store_.round(kBob, {Message::hold_nested(inner, of_alice(1))});
  expect_violation(kBob, "not of this process");
  store_.round(kBob, {Message::hold_nested(inner, inner), Message::release(inner)});
  store_.settle();
  EXPECT_EQ(objects(), 0U) << "what contains itself goes all the same";
}

// --- deaths ----------------------------------------------------------------------------------------------------------

TEST_F(OwnershipTest, DeathBetweenCreateAndSealLeavesNoBytes) {
  store_.lend(kAlice, 4 * kMiB);
  own().process_dead(kAlice, store_.out);
  own().release_holds(kAlice);
  store_.settle();
  EXPECT_EQ(store_.loans.usage().used_bytes, 0U);
}

TEST_F(OwnershipTest, TheHoldsOfTheDeadGoByRounds) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  store_.round(kAlice, {Message::hold(object), Message::pin(object)});
  own().process_dead(kAlice, store_.out);
  store_.settle();
  EXPECT_EQ(objects(), 1U) << "they stay until D5 says so";
  own().release_holds(kAlice);
  store_.round();
  EXPECT_EQ(objects(), 1U);
  store_.round(kBob, {Message::hold(object)});
  store_.settle();
  EXPECT_EQ(objects(), 1U) << "Bob's hold was written under Alice's";
  EXPECT_EQ(store_.loans.loan_bytes(kAlice), kMiB);
  store_.round(kBob, {Message::release(object)});
  store_.settle();
  EXPECT_EQ(store_.loans.usage().used_bytes, 0U);
}

TEST_F(OwnershipTest, WhatWasNeverAnnouncedIsLostToThoseWhoReferToIt) {
  EntryRef inner = store_.announce(kBob, of_bob(0), kMiB);
  store_.round(kBob, {Message::hold(of_alice(3))});
  store_.round(kAlice, {Message::hold_nested(inner, of_alice(4))});
  store_.round(kCarol, {Message::subscribe(of_alice(3))});
  store_.out.clear();
  own().process_dead(kAlice, store_.out);
  EXPECT_EQ(store_.state(of_alice(3)), EntryState::kLost);
  EXPECT_EQ(store_.take<RingProcess>().size(), 1U);
  store_.round(kBob, {Message::release(inner), Message::release(of_alice(3))});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
  EXPECT_EQ(store_.state(of_alice(3)), EntryState::kFree);
}

TEST_F(OwnershipTest, ABatchOfTheDeadIsLentAgainWhenEmptyAndAcknowledged) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  store_.round(kBob, {Message::hold(object)});
  own().process_dead(kAlice, store_.out);
  own().release_holds(kAlice);
  own().memory_reusable(kAlice);
  store_.settle();
  EXPECT_NE(store_.lend_batch(kCarol), alice_) << "in use";
  store_.round(kBob, {Message::release(object)});
  store_.settle();
  store_.out.clear();
  EXPECT_EQ(store_.lend_batch(kCarol), alice_);
  auto writes = store_.take<WriteEntry>();
  ASSERT_EQ(writes.size(), shm::kEntriesPerBatch);
  EXPECT_EQ(writes[0].word.generation, 3U) << "after the object's, and after what the dead may have written";
  EXPECT_EQ(writes[1].word.generation, 2U);
  store_.announce(kCarol, {3, alice_}, kMiB);
  EXPECT_EQ(objects(), 1U);
}

TEST_F(OwnershipTest, RecordsOfTheDeadThatComeLateAreIgnored) {
  EntryRef object = store_.announce(kBob, of_bob(0), kMiB);
  own().process_dead(kAlice, store_.out);
  store_.round(kAlice, {Message::hold(object), Message::subscribe(object)});
  store_.round(kBob, {Message::release(object)});
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

// --- actors and other holders ----------------------------------------------------------------------------------------

TEST_F(OwnershipTest, AnActorIsUnheldWhenItsLastHandleGoes) {
  EntryRef actor = own().create_actor(12, Holder::process(kAlice), store_.out).value();
  auto writes = store_.take<WriteEntry>();
  EXPECT_EQ(writes.back().word.pack(),
            (shm::EntryWord{actor.generation, EntryState::kResident, shm::EntryWord::kIsActor}).pack());
  EXPECT_EQ(writes.back().offset, 12U);
  store_.round(kBob, {Message::hold(actor)});
  store_.round(kAlice, {Message::release(actor)});
  store_.settle();
  EXPECT_TRUE(store_.take<ActorUnheld>().empty());
  store_.round(kBob, {Message::release(actor)});
  store_.settle();
  auto unheld = store_.take<ActorUnheld>();
  ASSERT_EQ(unheld.size(), 1U);
  EXPECT_EQ(unheld[0].actor, 12U);
  EntryRef next = own().create_actor(13, Holder::node(), store_.out).value();
  EXPECT_EQ(next.entry, actor.entry) << "the entry is used again, under another generation";
  EXPECT_EQ(next.generation, actor.generation + 1);
}

TEST_F(OwnershipTest, AnActorsArgumentsLiveAsLongAsItMayRestart) {
  EntryRef object = store_.announce(kAlice, of_alice(0), kMiB);
  ASSERT_TRUE(own().hold(Holder::actor(5), object).ok());
  ASSERT_TRUE(own().hold(Holder::actor(5), object).ok());
  ASSERT_TRUE(own().hold(Holder::job(5), object).ok());
  store_.round(kAlice, {Message::release(object)});
  store_.settle();
  own().drop_holder(Holder::actor(5));
  store_.settle();
  EXPECT_EQ(objects(), 1U);
  own().unhold(Holder::job(5), object);
  store_.settle();
  EXPECT_EQ(objects(), 0U);
}

}  // namespace
}  // namespace sabir::store
