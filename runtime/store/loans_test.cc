#include "runtime/store/loans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/shm/limits.h"
#include "runtime/store/store_fixture.h"

namespace sabir::store {
namespace {

using testing::HasSubstr;

constexpr ProcessId kAlice = {1, 1};
constexpr ProcessId kBob = {2, 1};

class LoansTest : public testing::Test {
 protected:
  ~LoansTest() override { EXPECT_EQ(loans().check_invariants(), ""); }

  LoanLedger& loans() { return store_.loans; }
  Instructions request(uint64_t ticket, ProcessId process, uint64_t size_bytes, int64_t wait_ns = kSecondNs) {
    Instructions out;
    loans().request(ticket, process, size_bytes, wait_ns, out);
    return out;
  }
  // The object is announced as the only one of its loan.
  void fill(ProcessId process, const GrantLoan& loan) {
    ASSERT_TRUE(loans().announce(process, loan.offset, loan.size_bytes, true).ok());
  }
  Instructions free(uint64_t offset) {
    Instructions out;
    loans().object_freed(offset, out);
    return out;
  }

  Store store_{16 * kMiB};
};

TEST_F(LoansTest, AnEmptyLoanComesBackToItsProcessFirst) {
  GrantLoan loan = store_.lend(kAlice, 4 * kMiB);
  EXPECT_FALSE(loan.reused);
  fill(kAlice, loan);
  free(loan.offset);
  EXPECT_EQ(loans().usage().idle_bytes, 4 * kMiB);

  EXPECT_NE(store_.lend(kBob, 4 * kMiB).offset, loan.offset);
  GrantLoan again = store_.lend(kAlice, 3 * kMiB);
  EXPECT_TRUE(again.reused);
  EXPECT_EQ(again.offset, loan.offset);
  EXPECT_EQ(again.size_bytes, 4 * kMiB);
}

TEST_F(LoansTest, AnIdleLoanMustFitToAFactorOfTwo) {
  GrantLoan loan = store_.lend(kAlice, 8 * kMiB);
  fill(kAlice, loan);
  free(loan.offset);
  EXPECT_FALSE(store_.lend(kAlice, 3 * kMiB).reused);
  EXPECT_TRUE(store_.lend(kAlice, 4 * kMiB).reused);
}

TEST_F(LoansTest, TheLatestIdleLoanIsTheWarmest) {
  GrantLoan first = store_.lend(kAlice, 2 * kMiB);
  GrantLoan second = store_.lend(kAlice, 2 * kMiB);
  fill(kAlice, first);
  fill(kAlice, second);
  free(second.offset);
  free(first.offset);
  EXPECT_EQ(store_.lend(kAlice, 2 * kMiB).offset, first.offset);
  EXPECT_EQ(store_.lend(kAlice, 2 * kMiB).offset, second.offset);
}

TEST_F(LoansTest, OpenLoansAreNotReusedThoughNothingLivesInThem) {
  GrantLoan loan = store_.lend(kAlice, 4 * kMiB);
  ASSERT_TRUE(loans().announce(kAlice, loan.offset, kMiB, false).ok());
  free(loan.offset);
  EXPECT_EQ(loans().usage().idle_bytes, 0U);
  EXPECT_FALSE(store_.lend(kAlice, 4 * kMiB).reused);
  Instructions out;
  ASSERT_TRUE(loans().close(kAlice, loan.offset + 100, out).ok());
  EXPECT_TRUE(store_.lend(kAlice, 4 * kMiB).reused);
}

TEST_F(LoansTest, AnnouncesAreChecked) {
  GrantLoan loan = store_.lend(kAlice, 4 * kMiB);
  auto kind = [&](ProcessId process, uint64_t offset, uint64_t size_bytes) {
    Result<void> result = loans().announce(process, offset, size_bytes, false);
    return result.ok() ? ErrorKind() : result.error().kind();
  };
  EXPECT_EQ(kind(kBob, loan.offset, 64), ErrorKind::kInvalid);
  EXPECT_EQ(kind({1, 2}, loan.offset, 64), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, loan.offset + 1, 64), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, loan.offset, 0), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, loan.offset, 4 * kMiB + 1), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, loan.offset + 64, ~uint64_t{0}), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, loan.offset + 4 * kMiB, 64), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, ~uint64_t{63}, 64), ErrorKind::kInvalid);
  ASSERT_TRUE(loans().announce(kAlice, loan.offset + 128, 128, false).ok());
  EXPECT_EQ(kind(kAlice, loan.offset + 192, 64), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, loan.offset + 64, 65), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kAlice, loan.offset + 128, 128), ErrorKind::kInvalid);
  // Threads seal in any order.
  EXPECT_TRUE(loans().announce(kAlice, loan.offset + 64, 64, false).ok());
  EXPECT_TRUE(loans().announce(kAlice, loan.offset + 256, 4 * kMiB - 256, true).ok());
  EXPECT_EQ(kind(kAlice, loan.offset, 64), ErrorKind::kInvalid) << "closed";
}

TEST_F(LoansTest, ARequestThatCanNeverFitFailsAtOnce) {
  auto refusals = only<RefuseLoan>(request(1, kAlice, 17 * kMiB));
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].error.kind(), ErrorKind::kStoreFull);
  EXPECT_EQ(only<RefuseLoan>(request(2, kAlice, ~uint64_t{0})).size(), 1U);
  EXPECT_EQ(only<RefuseLoan>(request(3, kAlice, 0))[0].error.kind(), ErrorKind::kInvalid);
}

TEST_F(LoansTest, WaitersAreServedInOrder) {
  GrantLoan all = store_.lend(kAlice, 16 * kMiB);
  fill(kAlice, all);
  auto pressed = request(10, kBob, 8 * kMiB);
  EXPECT_EQ(only<CollectFromAll>(pressed).size(), 1U);
  EXPECT_TRUE(only<GrantLoan>(request(11, kBob, 4 * kMiB)).empty());
  EXPECT_TRUE(only<GrantLoan>(request(12, kAlice, kMiB)).empty()) << "small ones do not overtake";

  // Alice's object goes: her idle loan is asked for, because others wait.
  auto out = free(all.offset);
  EXPECT_EQ(only<CollectFrom>(out).size(), 1U);
  out.clear();
  ASSERT_TRUE(loans().give_back(kAlice, all.offset, out).ok());
  auto grants = only<GrantLoan>(out);
  ASSERT_EQ(grants.size(), 3U);
  EXPECT_EQ(grants[0].ticket, 10U);
  EXPECT_EQ(grants[1].ticket, 11U);
  EXPECT_EQ(grants[2].ticket, 12U);
}

TEST_F(LoansTest, AnIdleLoanOfTheWaiterItselfServesItOutOfTurn) {
  GrantLoan first = store_.lend(kAlice, 8 * kMiB);
  GrantLoan second = store_.lend(kAlice, 8 * kMiB);
  fill(kAlice, first);
  fill(kAlice, second);
  request(1, kBob, 16 * kMiB);
  request(2, kAlice, 8 * kMiB);
  auto grants = only<GrantLoan>(free(second.offset));
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0].ticket, 2U);
  EXPECT_TRUE(grants[0].reused);
}

TEST_F(LoansTest, OnesOwnIdleLoansThatDoNotFitAreAskedForToo) {
  GrantLoan small = store_.lend(kAlice, 4 * kMiB);
  fill(kAlice, small);
  free(small.offset);
  auto out = request(1, kAlice, 16 * kMiB);
  ASSERT_EQ(only<CollectFrom>(out).size(), 1U);
  EXPECT_EQ(only<CollectFrom>(out)[0].process, kAlice);
  EXPECT_TRUE(only<CollectFromAll>(out).empty());
}

TEST_F(LoansTest, WhoWaitsTooLongHearsWhatFillsTheStore) {
  fill(kAlice, store_.lend(kAlice, 10 * kMiB));
  store_.lend(kBob, 4 * kMiB);
  request(1, kBob, 8 * kMiB, 5 * kSecondNs);
  ASSERT_TRUE(loans().next_deadline_ns().has_value());
  EXPECT_EQ(*loans().next_deadline_ns(), store_.clock.now_ns() + 5 * kSecondNs);
  Instructions out;
  store_.clock.advance_ns(4 * kSecondNs);
  loans().tick(out);
  EXPECT_TRUE(out.empty());
  store_.clock.advance_ns(2 * kSecondNs);
  loans().tick(out);
  auto refusals = only<RefuseLoan>(out);
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].error.kind(), ErrorKind::kStoreFull);
  EXPECT_THAT(refusals[0].error.message(), HasSubstr("no room for 8.0 MiB"));
  EXPECT_THAT(refusals[0].error.message(), HasSubstr("capacity 16.0 MiB, in use 14.0 MiB (1 object, 10.0 MiB)"));
  EXPECT_THAT(refusals[0].error.message(), HasSubstr("process 1: 1 object, 10.0 MiB"));
  EXPECT_THAT(refusals[0].error.message(), HasSubstr("process 2: 0 objects, 0 B, 4.0 MiB being written"));
  EXPECT_THAT(refusals[0].error.message(), HasSubstr("Largest: 10.0 MiB by process 1"));
  EXPECT_FALSE(loans().next_deadline_ns().has_value());
}

// O9: processes are told before a create fails, and get a moment to act on it.
TEST_F(LoansTest, AlsoAnImpatientRequestWaitsForCollectors) {
  GrantLoan all = store_.lend(kAlice, 16 * kMiB);
  fill(kAlice, all);
  auto out = request(1, kBob, kMiB, 0);
  EXPECT_EQ(only<CollectFromAll>(out).size(), 1U);
  EXPECT_TRUE(only<RefuseLoan>(out).empty());
  store_.clock.advance_ns(100 * kMillisecondNs);
  loans().tick(out);
  EXPECT_EQ(only<RefuseLoan>(out).size(), 1U);
}

TEST_F(LoansTest, WaitingIsBounded) {
  store_.lend(kAlice, 16 * kMiB);
  for (uint64_t ticket = 1; ticket <= 64; ++ticket) {
    EXPECT_TRUE(only<RefuseLoan>(request(ticket, kBob, kMiB)).empty());
  }
  auto refusals = only<RefuseLoan>(request(65, kBob, kMiB));
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].error.kind(), ErrorKind::kExhausted);
  EXPECT_TRUE(only<RefuseLoan>(request(66, kAlice, kMiB)).empty());
}

TEST_F(LoansTest, AWaiterThatLeavesMakesWay) {
  GrantLoan half = store_.lend(kAlice, 8 * kMiB);
  fill(kAlice, half);
  request(1, kBob, 16 * kMiB);
  EXPECT_TRUE(only<GrantLoan>(request(2, kAlice, 8 * kMiB)).empty());
  Instructions out;
  loans().cancel(1, out);
  ASSERT_EQ(only<GrantLoan>(out).size(), 1U);
  EXPECT_EQ(only<GrantLoan>(out)[0].ticket, 2U);
}

// The word of a process comes by another way than its ring and may be ahead of it.
TEST_F(LoansTest, GivingBackBeforeTheAnnounceIsReadLosesNothing) {
  GrantLoan loan = store_.lend(kAlice, 4 * kMiB);
  Instructions out;
  ASSERT_TRUE(loans().give_back(kAlice, loan.offset, out).ok());
  EXPECT_EQ(loans().usage().used_bytes, 4 * kMiB);
  fill(kAlice, loan);
  EXPECT_EQ(loans().usage().objects, 1U);
  free(loan.offset);
  EXPECT_EQ(loans().usage().used_bytes, 0U) << "no alias stands: not kept for reuse";
  EXPECT_FALSE(loans().give_back(kAlice, loan.offset, out).ok());
  EXPECT_FALSE(loans().give_back(kBob, loan.offset, out).ok());
}

// O3: on death the announced part of a loan stays, the rest is free.
TEST_F(LoansTest, DeathFreesWhatWasNotAnnounced) {
  GrantLoan with_object = store_.lend(kAlice, 2 * kMiB);
  ASSERT_TRUE(loans().announce(kAlice, with_object.offset, kMiB, false).ok());
  store_.lend(kAlice, 4 * kMiB);
  GrantLoan idle = store_.lend(kAlice, 3 * kMiB);
  fill(kAlice, idle);
  free(idle.offset);
  store_.lend(kBob, kMiB);
  request(9, kAlice, 16 * kMiB);

  Instructions out;
  loans().process_dead(kAlice, out);
  EXPECT_EQ(loans().usage().used_bytes, 3 * kMiB);
  EXPECT_EQ(loans().usage().waiting, 0U);
  EXPECT_THAT(loans().describe_contents(), HasSubstr("process 1 (ended)"));
  free(with_object.offset);
  EXPECT_EQ(loans().usage().used_bytes, kMiB);
}

TEST_F(LoansTest, TheNodesOwnValuesAreNotRefusedWhenProcessesFilledTheStore) {
  store_.lend(kAlice, 16 * kMiB);
  Result<uint64_t> value = loans().place(100);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value % kObjectAlignment, 0U);
  EXPECT_EQ(loans().usage().object_bytes, 100U);
  free(*value);
  EXPECT_EQ(loans().usage().object_bytes, 0U);
  // Even that room ends.
  EXPECT_EQ(loans().place(2 * kMiB).error().kind(), ErrorKind::kStoreFull);
}

}  // namespace
}  // namespace sabir::store
