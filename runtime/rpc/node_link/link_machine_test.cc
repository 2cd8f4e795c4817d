#include "runtime/rpc/node_link/link_machine.h"

#include <gtest/gtest.h>

#include <vector>

namespace sabir::node_link {
namespace {

constexpr LinkActions kNothing = {};
constexpr LinkActions kDial = {.dial = true};
const Failure kGood;
const Failure kGone = {Refusal::kUnreachable, "gone"};

NodeId id_of(uint8_t first) {
  IdBits bits;
  bits.bytes[0] = first;
  return NodeId(bits);
}

class LinkMachineTest : public testing::Test {
 protected:
  // The delay that the machine chose; runs the clock to its end.
  int64_t wait_out() {
    int64_t delay_ns = machine_.wake_at_ns().value() - clock_.now_ns();
    clock_.advance_ns(delay_ns - 1);
    EXPECT_EQ(machine_.tick(), kNothing) << "not a moment early";
    clock_.advance_ns(1);
    EXPECT_EQ(machine_.tick(), kDial);
    EXPECT_EQ(machine_.state(), LinkState::kConnecting);
    return delay_ns;
  }

  ManualClock clock_;
  LinkOptions options_;
  NodeKey peer_{id_of(5), 3};
  LinkMachine machine_{clock_, 1, id_of(1), peer_, options_};
  LinkMachine higher_{clock_, 1, id_of(9), peer_, options_};
};

TEST_F(LinkMachineTest, DialsWhenWantedAndStaysUp) {
  EXPECT_EQ(machine_.state(), LinkState::kIdle);
  EXPECT_EQ(machine_.tick(), kNothing);
  EXPECT_EQ(machine_.want(), kDial);
  EXPECT_EQ(machine_.want(), kNothing) << "one dial at a time";
  EXPECT_EQ(machine_.dial_ended(kGood), kNothing);
  EXPECT_EQ(machine_.state(), LinkState::kUp);
  EXPECT_FALSE(machine_.wake_at_ns());
  EXPECT_EQ(machine_.want(), kNothing);
}

TEST_F(LinkMachineTest, DelaysDoubleWithJitterUpToALimit) {
  machine_.want();
  int64_t full_ns = options_.first_delay_ns;
  std::vector<int64_t> shares;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(machine_.dial_ended(kGone), kNothing);
    EXPECT_EQ(machine_.state(), LinkState::kBackingOff);
    EXPECT_EQ(machine_.why().message, "gone");
    int64_t delay_ns = wait_out();
    EXPECT_LE(delay_ns, full_ns);
    EXPECT_GE(delay_ns, full_ns / 2);
    shares.push_back(delay_ns * 100 / full_ns);
    full_ns = std::min(2 * full_ns, options_.max_delay_ns);
  }
  EXPECT_NE(shares, std::vector<int64_t>(20, shares[0])) << "they differ";
  LinkMachine other(clock_, 2, id_of(1), peer_);
  LinkMachine same(clock_, 1, id_of(1), peer_);
  LinkMachine first(clock_, 1, id_of(1), peer_);
  for (LinkMachine* machine : {&other, &same, &first}) {
    machine->want();
    machine->dial_ended(kGone);
  }
  EXPECT_EQ(same.wake_at_ns(), first.wake_at_ns()) << "the seed decides";
  EXPECT_NE(other.wake_at_ns(), first.wake_at_ns());
}

TEST_F(LinkMachineTest, OnlyAConnectionThatLastsEndsARowOfFailures) {
  machine_.want();
  for (int i = 0; i < 6; ++i) {
    machine_.dial_ended(kGood);
    machine_.lost(kGone);
    wait_out();
  }
  machine_.dial_ended(kGood);
  machine_.lost(kGone);
  EXPECT_GT(wait_out(), 2 * options_.first_delay_ns) << "up and down is a failure too";
  machine_.dial_ended(kGood);
  clock_.advance_ns(options_.stable_ns);
  machine_.lost(kGone);
  EXPECT_LE(wait_out(), options_.first_delay_ns);
}

TEST_F(LinkMachineTest, WhatCannotPassClosesItForGood) {
  for (Refusal refusal : {Refusal::kWrongFingerprint, Refusal::kVersion, Refusal::kFenced, Refusal::kWrongCluster,
                          Refusal::kWrongNode, Refusal::kSelf, Refusal::kNeedsTls}) {
    LinkMachine machine(clock_, 1, id_of(1), peer_);
    machine.want();
    EXPECT_EQ(machine.dial_ended({refusal, "no"}), kNothing);
    EXPECT_EQ(machine.state(), LinkState::kClosed);
    EXPECT_EQ(machine.why().refusal, refusal);
    EXPECT_EQ(machine.want(), kNothing);
    EXPECT_FALSE(machine.wake_at_ns());
  }
}

TEST_F(LinkMachineTest, AnUnwantedLaneIsAcceptedAndNotMissed) {
  EXPECT_EQ(machine_.offer(3).refusal, Refusal::kNone);
  EXPECT_EQ(machine_.accepted(), kNothing);
  EXPECT_EQ(machine_.state(), LinkState::kUp);
  machine_.lost(kGone);
  EXPECT_EQ(machine_.state(), LinkState::kIdle);
  EXPECT_EQ(machine_.want(), kDial);
}

TEST_F(LinkMachineTest, OtherIncarnationsAreFenced) {
  EXPECT_EQ(machine_.offer(2).refusal, Refusal::kFenced);
  EXPECT_EQ(machine_.offer(4).refusal, Refusal::kFenced);
  EXPECT_EQ(machine_.offer(3).refusal, Refusal::kNone);
}

TEST_F(LinkMachineTest, OfTwoDialsThatCrossTheLowerIdsCounts) {
  machine_.want();
  EXPECT_EQ(machine_.offer(3).refusal, Refusal::kCrossed);
  machine_.dial_ended(kGood);
  EXPECT_EQ(machine_.offer(3).refusal, Refusal::kCrossed) << "was under way before the peer knew";
  clock_.advance_ns(options_.cross_window_ns);
  EXPECT_EQ(machine_.offer(3).refusal, Refusal::kNone) << "the peer has lost its connection";
  EXPECT_EQ(machine_.accepted(), (LinkActions{.drop_connection = true}));
  EXPECT_EQ(machine_.state(), LinkState::kUp);
  EXPECT_EQ(machine_.offer(3).refusal, Refusal::kNone) << "an accepted one never crossed";

  higher_.want();
  EXPECT_EQ(higher_.offer(3).refusal, Refusal::kNone);
  EXPECT_EQ(higher_.accepted(), (LinkActions{.drop_dial = true}));
  EXPECT_EQ(higher_.state(), LinkState::kUp);
  EXPECT_EQ(higher_.dial_ended({Refusal::kCrossed, ""}), kNothing) << "too late to matter";
  EXPECT_EQ(higher_.state(), LinkState::kUp);
}

TEST_F(LinkMachineTest, ACrossedDialWaitsForThePeersAndTriesAgainIfNoneComes) {
  higher_.want();
  for (int i = 0; i < 5; ++i) {
    higher_.dial_ended({Refusal::kCrossed, ""});
    EXPECT_EQ(higher_.state(), LinkState::kBackingOff);
    EXPECT_LE(*higher_.wake_at_ns() - clock_.now_ns(), options_.first_delay_ns) << "no failure";
    clock_.advance_ns(options_.first_delay_ns);
    EXPECT_EQ(higher_.tick(), kDial);
  }
  higher_.dial_ended({Refusal::kCrossed, ""});
  EXPECT_EQ(higher_.accepted(), kNothing);
  EXPECT_EQ(higher_.state(), LinkState::kUp);
  EXPECT_EQ(higher_.tick(), kNothing);
}

TEST_F(LinkMachineTest, ClosingEndsWhatIsUnderWay) {
  machine_.want();
  EXPECT_EQ(machine_.close({Refusal::kFenced, "dead"}), (LinkActions{.drop_dial = true}));
  EXPECT_EQ(machine_.close({Refusal::kClosing, "x"}), kNothing);
  EXPECT_EQ(machine_.why().refusal, Refusal::kFenced) << "the first reason stays";
  EXPECT_EQ(machine_.offer(3).refusal, Refusal::kFenced);
  EXPECT_EQ(machine_.accepted(), kNothing);
  EXPECT_EQ(machine_.state(), LinkState::kClosed);
  EXPECT_EQ(machine_.dial_ended(kGood), kNothing);
  EXPECT_EQ(machine_.lost(kGone), kNothing);
  EXPECT_EQ(machine_.state(), LinkState::kClosed);

  higher_.accepted();
  EXPECT_EQ(higher_.close({Refusal::kClosing, ""}), (LinkActions{.drop_connection = true}));
  EXPECT_EQ(higher_.offer(3).refusal, Refusal::kClosing);
}

// Two nodes, each with its machine, over a network that delays and loses; whatever happens, both come up on the same
// connection in the end.
TEST(LinkMachinePairTest, TwoNodesEndUpOnOneConnection) {
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    ManualClock clock;
    NodeKey keys[2] = {{id_of(1), 1}, {id_of(2), 1}};
    LinkMachine machines[2] = {{clock, seed, keys[0].id, keys[1]}, {clock, seed + 1, keys[1].id, keys[0]}};
    int next_connection = 1;
    int up[2] = {0, 0};  // the connection that each holds
    struct Event {
      int64_t at_ns;
      int node;  // whom it reaches
      int connection;
      enum { kHello, kAnswer, kLost } kind;
      Failure answer;
    };
    std::vector<Event> events;
    int dialing[2] = {0, 0};
    auto soon = [&] { return clock.now_ns() + 1 + static_cast<int64_t>(random() % (300 * kMillisecondNs)); };
    auto drop = [&](int node) {
      if (up[node] != 0) {
        events.push_back({soon(), 1 - node, up[node], Event::kLost, kGone});
        up[node] = 0;
      }
    };
    auto act = [&](int node, LinkActions actions) {
      if (actions.drop_dial) {
        dialing[node] = 0;
      }
      if (actions.dial) {
        dialing[node] = next_connection++;
        events.push_back({soon(), 1 - node, dialing[node], Event::kHello, {}});
      }
    };
    for (int node : {0, 1}) {
      act(node, machines[node].want());
    }
    int trouble = static_cast<int>(random() % 6);
    for (int step = 0; step < 400; ++step) {
      clock.advance_ns(20 * kMillisecondNs);
      if (trouble > 0 && random() % 20 == 0) {
        --trouble;
        int node = static_cast<int>(random() % 2);
        if (up[node] != 0) {  // a half-open connection: only one side notices
          up[node] = 0;
          machines[node].lost(kGone);
        }
      }
      std::vector<Event> due;
      std::erase_if(events, [&](const Event& event) {
        bool now = event.at_ns <= clock.now_ns();
        if (now) {
          due.push_back(event);
        }
        return now;
      });
      for (const Event& event : due) {
        int node = event.node;
        switch (event.kind) {
          case Event::kHello: {
            Failure failure = machines[node].offer(1);
            if (failure.refusal == Refusal::kNone) {
              LinkActions actions = machines[node].accepted();
              if (actions.drop_connection) {
                drop(node);
              }
              act(node, actions);
              up[node] = event.connection;
            }
            events.push_back({soon(), 1 - node, event.connection, Event::kAnswer, failure});
            break;
          }
          case Event::kAnswer:
            if (dialing[node] == event.connection) {
              dialing[node] = 0;
              if (event.answer.refusal == Refusal::kNone) {
                up[node] = event.connection;
              }
              act(node, machines[node].dial_ended(event.answer));
            } else if (event.answer.refusal == Refusal::kNone) {
              events.push_back({soon(), 1 - node, event.connection, Event::kLost, kGone});
            }
            break;
          case Event::kLost:
            if (up[node] == event.connection) {
              up[node] = 0;
              act(node, machines[node].lost(event.answer));
            }
            break;
        }
      }
      for (int node : {0, 1}) {
        act(node, machines[node].tick());
      }
    }
    EXPECT_EQ(machines[0].state(), LinkState::kUp);
    EXPECT_EQ(machines[1].state(), LinkState::kUp);
    // A half-open connection that only one side noticed was replaced by the dial of that side.
    EXPECT_EQ(up[0], up[1]);
  }
}

}  // namespace
}  // namespace sabir::node_link
