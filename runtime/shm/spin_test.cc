#include "runtime/shm/spin.h"

#include <gtest/gtest.h>

#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

constexpr SlotIndex kSelf = 2, kPeer = 3;

// Each look at the clock takes this long, so that a test decides how long a yield was.
class SteppingClock final : public Clock {
 public:
  int64_t now_ns() const override { return now_ns_ += step_ns; }
  int64_t step_ns = kMicrosecondNs;

 private:
  mutable int64_t now_ns_ = kSecondNs;
};

class SpinTest : public ::testing::Test {
 protected:
  SpinOutcome spin(SlotIndex peer, bool rang, int polls_until_ready) {
    polls_ = 0;
    return spinner_.spin(peer, rang, [this, polls_until_ready] {
      peer_page_.cpu.store(page_.cpu.load());  // the peer is always where we are
      return ++polls_ > polls_until_ready;
    });
  }

  testing::TestSegments segments_;
  SteppingClock clock_;
  CallsHeader& header_ = segments_.calls().header();
  ProcessPage& page_ = segments_.calls().page(kSelf);
  ProcessPage& peer_page_ = segments_.calls().page(kPeer);
  Spinner spinner_{clock_, segments_.node(), segments_.calls(), kSelf};
  int polls_ = 0;
};

TEST_F(SpinTest, ReadyAtOnceCostsNothing) {
  EXPECT_EQ(spin(Spinner::kNoPeer, false, 0), SpinOutcome::kReady);
  EXPECT_EQ(polls_, 1);
}

TEST_F(SpinTest, GivesUpAfterItsAllowanceAndReturnsTheToken) {
  int64_t before_ns = clock_.now_ns();
  EXPECT_EQ(spin(Spinner::kNoPeer, false, 1 << 30), SpinOutcome::kSleep);
  EXPECT_GE(clock_.now_ns() - before_ns, 20 * kMicrosecondNs);
  EXPECT_EQ(header_.spin_tokens[0].load(), 0u);
  EXPECT_NE(page_.cpu.load(), 0u) << "it says where it waited";
}

// L5.
TEST_F(SpinTest, WithoutATokenOnlyAShortSpin) {
  header_.spin_tokens[0].store(7);
  header_.spin_tokens[1].store(8);
  EXPECT_EQ(spin(Spinner::kNoPeer, false, 1 << 30), SpinOutcome::kSleep);
  EXPECT_LT(polls_, 100);
  header_.spin_tokens[1].store(0);
  EXPECT_EQ(spin(Spinner::kNoPeer, false, 100), SpinOutcome::kReady);
  EXPECT_EQ(header_.spin_tokens[1].load(), 0u);
}

TEST_F(SpinTest, AnAllowanceOfZeroTurnsSpinningOff) {
  segments_.node_segment().header.spin_allowance.store(0);
  EXPECT_EQ(spin(Spinner::kNoPeer, false, 1 << 30), SpinOutcome::kSleep);
  EXPECT_LT(polls_, 100);
}

// L5: a slow yield gave a slice to a stranger: nobody yields for 100 ms, and who would have to, sleeps.
TEST_F(SpinTest, AnExpensiveYieldTurnsYieldsOffForAWhile) {
  clock_.step_ns = 300 * kMicrosecondNs;
  EXPECT_EQ(spin(kPeer, true, 1 << 30), SpinOutcome::kSleep);
  EXPECT_LE(polls_, 2) << "it slept instead of spinning";
  EXPECT_GT(header_.yields_off_until_ns.load(), 0u);
  clock_.step_ns = kMicrosecondNs;
  EXPECT_EQ(spin(kPeer, true, 1 << 30), SpinOutcome::kSleep);
  EXPECT_LE(polls_, 2);
  clock_.step_ns = 100 * kMillisecondNs;
  static_cast<void>(clock_.now_ns());
  clock_.step_ns = kMicrosecondNs;
  EXPECT_EQ(spin(kPeer, true, 100), SpinOutcome::kReady) << "the time is over";
}

TEST_F(SpinTest, NonsenseInTheWordDoesNotTurnYieldsOffForEver) {
  header_.yields_off_until_ns.store(uint64_t{1} << 62);
  EXPECT_EQ(spin(kPeer, true, 100), SpinOutcome::kReady);
}

TEST_F(SpinTest, ShowsThatItSpinsForWork) {
  spinner_.show_spinning(true);
  EXPECT_EQ(page_.spin_state.load(), 1u);
  spinner_.show_spinning(false);
  EXPECT_EQ(page_.spin_state.load(), 0u);
}

}  // namespace
}  // namespace sabir::shm
