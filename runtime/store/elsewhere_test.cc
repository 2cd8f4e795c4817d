// O10, O11: values on other nodes.
#include <gmock/gmock.h>

#include "runtime/store/store_fixture.h"

namespace sabir::store {
namespace {

using shm::EntryRef;
using shm::EntryState;
using Message = shm::RingMessage;

constexpr ProcessId kGateway = {1, 1};  // says that values are elsewhere
constexpr ProcessId kDriver = {2, 1};   // submitted the calls that made them
constexpr ProcessId kWorker = {3, 1};   // needs them

class ElsewhereTest : public ::testing::Test {
 protected:
  ElsewhereTest() {
    gateway_entries_ = store_.lend_batch(kGateway);
    driver_entries_ = store_.lend_batch(kDriver);
    store_.out.clear();
  }
  // As after a call: the driver holds it, the gateway does not.
  EntryRef elsewhere(uint32_t i) {
    EntryRef entry{1, gateway_entries_ + i};
    store_.round(kGateway, {Message::elsewhere(entry, 5000)});
    store_.round(kDriver, {Message::hold(entry)});
    store_.round(kGateway, {Message::release(entry)});
    store_.settle();
    store_.out.clear();
    return entry;
  }
  EntryRef local(uint32_t i) { return store_.announce(kGateway, {1, gateway_entries_ + 100 + i}, 5000); }
  EntryState state(EntryRef entry) { return store_.own.look_up(entry)->word.state; }

  Store store_;
  shm::EntryIndex gateway_entries_ = 0;
  shm::EntryIndex driver_entries_ = 0;
};

TEST_F(ElsewhereTest, IsFetchedOnceWhenSomebodyWaits) {
  EntryRef entry = elsewhere(0);
  EXPECT_EQ(state(entry), EntryState::kPending);
  store_.round(kWorker, {Message::subscribe(entry)});
  store_.round(kDriver, {Message::subscribe(entry)});
  std::vector<FetchObject> fetches = only<FetchObject>(store_.out);
  ASSERT_EQ(fetches.size(), 1U);
  EXPECT_EQ(fetches[0].process, kGateway);
  EXPECT_EQ(fetches[0].entry, entry);

  EntryRef object = local(0);
  store_.out.clear();
  store_.round(kGateway, {Message::deliver_object(entry, object), Message::release(object)});
  store_.settle();
  EXPECT_EQ(state(entry), EntryState::kResident);
  EXPECT_EQ(only<RingProcess>(store_.out).size(), 2U);
  EXPECT_EQ(state(object), EntryState::kResident) << "its entry holds it";
  store_.round(kDriver, {Message::release(entry)});
  store_.settle();
  EXPECT_EQ(store_.own.objects(), 0U);
  EXPECT_TRUE(only<ObjectUnheld>(store_.out).empty()) << "it was here by then";
}

TEST_F(ElsewhereTest, WhoSaidItHearsThatNobodyHoldsIt) {
  EntryRef entry = elsewhere(0);
  store_.round(kDriver, {Message::release(entry)});
  store_.settle();
  std::vector<ObjectUnheld> unheld = only<ObjectUnheld>(store_.out);
  ASSERT_EQ(unheld.size(), 1U);
  EXPECT_EQ(unheld[0].process, kGateway);
  EXPECT_EQ(unheld[0].entry, entry);
}

TEST_F(ElsewhereTest, LostWithWhoSaidIt) {
  EntryRef entry = elsewhere(0);
  store_.own.process_dead(kGateway, store_.out);
  store_.own.lose_escapes(kGateway, store_.out);
  EXPECT_EQ(state(entry), EntryState::kLost);
}

TEST_F(ElsewhereTest, AKeeperMakesItAgain) {
  EntryRef entry = elsewhere(0);
  store_.round(kDriver, {Message::keep(entry, 1)});
  store_.round(kWorker, {Message::hold(entry), Message::subscribe(entry)});
  store_.out.clear();
  store_.round(kGateway, {Message::deliver_lost(entry)});
  std::vector<RemakeObject> remakes = only<RemakeObject>(store_.out);
  ASSERT_EQ(remakes.size(), 1U);
  EXPECT_EQ(remakes[0].process, kDriver);
  EXPECT_EQ(state(entry), EntryState::kPending);
  EXPECT_EQ(only<RingProcess>(store_.out).size(), 1U) << "the worker looks, and goes on waiting";
  EXPECT_EQ(store_.own.escapes_of(kDriver).front().return_index, 1);
  store_.out.clear();
  store_.round(kDriver, {Message::deliver_null(entry)});
  EXPECT_EQ(state(entry), EntryState::kResident);
  EXPECT_EQ(only<RingProcess>(store_.out).size(), 1U);
}

TEST_F(ElsewhereTest, MadeAgainOnAnotherNodeItIsFetchedForWhoWaits) {
  EntryRef entry = elsewhere(0);
  store_.round(kDriver, {Message::keep(entry, 1)});
  store_.round(kWorker, {Message::hold(entry), Message::subscribe(entry)});
  store_.round(kGateway, {Message::deliver_lost(entry)});
  EntryRef again = elsewhere(1);
  store_.round(kDriver, {Message::deliver_object(entry, again), Message::release(again)});
  std::vector<FetchObject> fetches = only<FetchObject>(store_.out);
  ASSERT_EQ(fetches.size(), 1U);
  EXPECT_EQ(fetches[0].entry, again);
  // ... and once more, now without anybody who could.
  store_.round(kGateway, {Message::deliver_lost(again)});
  EXPECT_EQ(state(entry), EntryState::kLost);
}

// The keeper's ring may be read before the one that says what there is to keep.
TEST_F(ElsewhereTest, KeptBeforeItIsKnown) {
  EntryRef entry{1, gateway_entries_};
  store_.round(kDriver, {Message::hold(entry), Message::keep(entry, 1)});
  store_.round(kGateway, {Message::elsewhere(entry, 1), Message::deliver_lost(entry)});
  EXPECT_EQ(only<RemakeObject>(store_.out).size(), 1U);
}

TEST_F(ElsewhereTest, WantedBeforeItIsKnown) {
  EntryRef entry{1, gateway_entries_};
  store_.round(kDriver, {Message::hold(entry), Message::subscribe(entry)});
  store_.round(kGateway, {Message::elsewhere(entry, 1)});
  EXPECT_EQ(only<FetchObject>(store_.out).size(), 1U);
}

TEST_F(ElsewhereTest, KeptAfterItWasLost) {
  EntryRef entry = elsewhere(0);
  store_.round(kGateway, {Message::deliver_lost(entry)});
  EXPECT_EQ(state(entry), EntryState::kLost);
  EXPECT_TRUE(only<WriteEntry>(store_.out).back().word.was_elsewhere());
  store_.round(kDriver, {Message::keep(entry, 0)});
  EXPECT_EQ(only<RemakeObject>(store_.out).size(), 1U);
  EXPECT_EQ(state(entry), EntryState::kPending);
}

// T3: a process keeps what it holds, and nobody takes that from it.
TEST_F(ElsewhereTest, NobodyElseKeepsIt) {
  EntryRef entry = elsewhere(0);
  store_.round(kWorker, {Message::keep(entry, 0)});
  store_.round(kDriver, {Message::keep(entry, 1)});
  store_.round(kWorker, {Message::hold(entry), Message::keep(entry, 0)});
  store_.out.clear();
  store_.round(kGateway, {Message::deliver_lost(entry)});
  EXPECT_EQ(only<RemakeObject>(store_.out).front().process, kDriver);
}

TEST_F(ElsewhereTest, AnAliasThatWasFirst) {
  EntryRef escaped{1, driver_entries_};
  EntryRef entry{1, gateway_entries_};
  store_.round(kDriver,
               {Message::escape(escaped, {}, 0), Message::hold(entry), Message::deliver_object(escaped, entry)});
  store_.out.clear();
  store_.round(kGateway, {Message::elsewhere(entry, 1)});
  EXPECT_TRUE(only<WriteEntry>(store_.out).front().word.is_elsewhere());
}

TEST_F(ElsewhereTest, AllOfAProcess) {
  EntryRef first = elsewhere(0);
  EntryRef second = elsewhere(1);
  EXPECT_EQ(store_.own.elsewhere_of(kGateway), 2U);
  store_.round(kDriver, {Message::subscribe(first)});
  store_.out.clear();
  store_.own.fetch_all_of(kGateway, store_.out);
  std::vector<FetchObject> fetches = only<FetchObject>(store_.out);
  ASSERT_EQ(fetches.size(), 1U);
  EXPECT_EQ(fetches[0].entry, second);
  store_.round(kGateway, {Message::deliver_lost(first), Message::deliver_object(second, local(0))});
  EXPECT_EQ(store_.own.elsewhere_of(kGateway), 0U);
}

TEST_F(ElsewhereTest, AKeeperThatDiesKeepsNothing) {
  EntryRef entry = elsewhere(0);
  store_.round(kWorker, {Message::hold(entry)});
  store_.round(kDriver, {Message::keep(entry, 1)});
  store_.own.process_dead(kDriver, store_.out);
  store_.round(kGateway, {Message::deliver_lost(entry)});
  EXPECT_EQ(state(entry), EntryState::kLost);
}

TEST_F(ElsewhereTest, AKeeperThatDiesWhileItMakesItLosesIt) {
  EntryRef entry = elsewhere(0);
  store_.round(kWorker, {Message::hold(entry)});
  store_.round(kDriver, {Message::keep(entry, 1)});
  store_.round(kGateway, {Message::deliver_lost(entry)});
  store_.own.process_dead(kDriver, store_.out);
  store_.own.lose_escapes(kDriver, store_.out);
  EXPECT_EQ(state(entry), EntryState::kLost);
}

TEST_F(ElsewhereTest, AResultThatEscapedBeforeStandsForIt) {
  EntryRef escaped{1, driver_entries_};
  store_.round(kDriver, {Message::escape(escaped, {}, 0)});
  store_.round(kWorker, {Message::hold(escaped), Message::subscribe(escaped)});
  EntryRef entry = elsewhere(0);
  store_.round(kDriver, {Message::deliver_object(escaped, entry)});
  EXPECT_EQ(only<FetchObject>(store_.out).size(), 1U);
  std::vector<WriteEntry> writes = only<WriteEntry>(store_.out);
  ASSERT_FALSE(writes.empty());
  EXPECT_EQ(writes.front().entry, escaped.entry);
  EXPECT_TRUE(writes.front().word.is_elsewhere());
  store_.out.clear();
  store_.round(kGateway, {Message::deliver_object(entry, local(0))});
  EXPECT_EQ(state(escaped), EntryState::kResident);
}

// T3: two that claim to stand for each other are lost, and nothing walks in a circle.
TEST_F(ElsewhereTest, NoCircles) {
  EntryRef first{1, gateway_entries_};
  EntryRef second{1, gateway_entries_ + 1};
  store_.round(kGateway, {Message::elsewhere(first, 1), Message::elsewhere(second, 1)});
  store_.round(kGateway, {Message::deliver_object(first, second), Message::deliver_object(second, first),
                          Message::deliver_object(second, second)});
  EXPECT_EQ(state(second), EntryState::kLost);
  EXPECT_EQ(state(first), EntryState::kLost);
}

}  // namespace
}  // namespace sabir::store
