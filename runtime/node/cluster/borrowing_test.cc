#include "runtime/node/cluster/borrowing.h"

#include <gtest/gtest.h>

#include <set>

namespace sabir::node {
namespace {

// Nodes 1, 2 and 3, with nothing between them: what one instructs is carried out by hand.
class BorrowingTest : public testing::Test {
 protected:
  struct Node {
    std::set<shm::EntryIndex> objects;
    std::optional<Borrowing> borrowing;
    BorrowInstructions out;
  };

  BorrowingTest() {
    for (int i = 0; i < 3; ++i) {
      log_.join();
    }
    for (Incarnation self = 1; self <= 3; ++self) {
      Node* node = &nodes_[self];
      BorrowOwner::Options owner{.exists = [node](shm::EntryRef object) {
        return object.generation == 1 && node->objects.contains(object.entry);
      }};
      node->borrowing.emplace(self, log_.snapshot(), owner, BorrowClient::Options{}, &clock_);
    }
  }
  ~BorrowingTest() override {
    for (auto& [self, node] : nodes_) {
      EXPECT_EQ(node.borrowing->check_invariants(), "");
    }
  }

  Borrowing& at(Incarnation node) { return *nodes_[node].borrowing; }
  BorrowInstructions& out(Incarnation node) { return nodes_[node].out; }
  // Requests and answers go through; what is instructed to the shell is counted.
  void deliver() {
    for (bool any = true; any;) {
      any = false;
      for (auto& [self, node] : nodes_) {
        BorrowInstructions all = std::exchange(node.out, {});
        for (const BorrowInstruction& instruction : all) {
          any = true;
          if (const auto* request = std::get_if<SendRequest>(&instruction)) {
            EXPECT_TRUE(at(request->request.to).request(request->request, out(request->request.to)).ok());
          } else if (const auto* answer = std::get_if<SendAnswer>(&instruction)) {
            at(answer->answer.to).answer(answer->answer, out(answer->answer.to));
          } else if (const auto* done = std::get_if<CarrierDone>(&instruction)) {
            if (at(self).view().standing(done->carrier.lender) == ClusterView::Standing::kLive) {
              at(done->carrier.lender).lent_done(done->carrier.number, self, out(done->carrier.lender));
            }
          } else if (std::holds_alternative<HoldForCluster>(instruction)) {
            ++held_[self];
          } else if (std::holds_alternative<UnholdForCluster>(instruction)) {
            --held_[self];
          } else if (std::holds_alternative<ObjectLost>(instruction)) {
            ++lost_[self];
          } else if (const auto* acknowledge = std::get_if<AcknowledgeLog>(&instruction)) {
            EXPECT_TRUE(log_.acknowledge(self, acknowledge->position).ok());
          }
        }
      }
    }
  }
  void die(Incarnation dead) {
    control::NodeLogEntry entry = *log_.die(dead);
    for (auto& [self, node] : nodes_) {
      if (log_.is_live(self)) {
        EXPECT_TRUE(node.borrowing->log_entry(entry, node.out).ok());
      }
    }
  }
  void settle() {
    for (auto& [self, node] : nodes_) {
      if (log_.is_live(self)) {
        EXPECT_TRUE(node.borrowing->deaths_settled(log_.settled(), node.out).ok());
      }
    }
  }

  const ObjectName x_{1, 1, 10};
  ManualClock clock_;
  control::NodeLog log_;
  std::map<Incarnation, Node> nodes_;
  std::map<Incarnation, int> held_;
  std::map<Incarnation, int> lost_;
};

TEST_F(BorrowingTest, LentKeptReleased) {
  nodes_[1].objects = {10};
  EXPECT_TRUE(at(1).lend(1, 2, {x_}, out(1)).ok());
  deliver();
  EXPECT_EQ(held_[1], 1);
  EXPECT_TRUE(at(2).arrive({1, 1}, {x_, x_}, out(2)).ok());
  EXPECT_TRUE(at(2).hold(x_, out(2)).ok());
  at(2).finish({1, 1}, out(2));
  deliver();
  EXPECT_EQ(at(1).lends().carriers(), 0u);
  EXPECT_EQ(at(1).owner().registrations(2, x_.ref()), 1u);
  at(2).unhold(x_, out(2));
  deliver();
  EXPECT_EQ(held_[1], 0);
}

TEST_F(BorrowingTest, N3_OwnObjectsComeHome) {
  nodes_[1].objects = {10};
  EXPECT_TRUE(at(1).lend(1, 2, {x_}, out(1)).ok());
  EXPECT_TRUE(at(2).arrive({1, 1}, {x_}, out(2)).ok());
  EXPECT_TRUE(at(2).lend(1, 1, {x_}, out(2)).ok());
  EXPECT_TRUE(at(1).arrive({2, 1}, {x_}, out(1)).ok());
  at(2).finish({1, 1}, out(2));
  deliver();
  EXPECT_EQ(at(1).owner().registrations(2, x_.ref()), 1u) << "2 still lends it";
  at(1).finish({2, 1}, out(1));
  deliver();
  EXPECT_EQ(held_[1], 0);
  EXPECT_EQ(at(2).client().objects(), 0u);
}

TEST_F(BorrowingTest, AnOwnObjectThatIsNotThereIsLostToTheCarrier) {
  EXPECT_TRUE(at(1).arrive({2, 1}, {x_}, out(1)).ok());
  at(1).finish({2, 1}, out(1));
  deliver();
  EXPECT_EQ(lost_[1], 1);
  EXPECT_EQ(held_[1], 0);
}

TEST_F(BorrowingTest, LendingIsAllOrNothing) {
  nodes_[1].objects = {10};
  EXPECT_EQ(at(1).lend(1, 2, {x_, {3, 1, 5}}, out(1)).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(at(1).lend(2, 2, {x_, {1, 1, 11}}, out(1)).error().kind(), ErrorKind::kNotFound);
  deliver();
  EXPECT_EQ(held_[1], 0);
  EXPECT_EQ(at(1).lends().carriers(), 0u);
  die(2);
  EXPECT_EQ(at(1).lend(3, 2, {x_}, out(1)).error().kind(), ErrorKind::kDisconnected);
}

// F1 and F2: the forwarder dies; it had the reference from a carrier that it never finished.
TEST_F(BorrowingTest, N8_WhatTheDeadLentOnIsRegisteredBeforeTheirHoldsGo) {
  nodes_[1].objects = {10};
  EXPECT_TRUE(at(1).lend(1, 2, {x_}, out(1)).ok());
  EXPECT_TRUE(at(2).arrive({1, 1}, {x_}, out(2)).ok());
  EXPECT_TRUE(at(2).lend(1, 3, {x_}, out(2)).ok());
  EXPECT_TRUE(at(3).arrive({2, 1}, {x_}, out(3)).ok());
  out(2).clear();  // its Register is lost with it
  die(2);
  EXPECT_EQ(log_.settled(), 0u);
  EXPECT_EQ(at(1).lends().carriers(), 1u);
  deliver();
  EXPECT_EQ(at(1).owner().registrations(3, x_.ref()), 1u);
  EXPECT_EQ(log_.settled(), 4u);
  settle();
  deliver();
  EXPECT_EQ(at(1).lends().carriers(), 0u);
  EXPECT_EQ(held_[1], 1);
  at(3).finish({2, 1}, out(3));
  deliver();
  EXPECT_EQ(held_[1], 0);
}

TEST_F(BorrowingTest, N9_TheOwnerDies) {
  nodes_[1].objects = {10};
  EXPECT_TRUE(at(1).lend(1, 2, {x_}, out(1)).ok());
  EXPECT_TRUE(at(2).arrive({1, 1}, {x_}, out(2)).ok());
  EXPECT_TRUE(at(2).lend(1, 3, {x_}, out(2)).ok());
  EXPECT_TRUE(at(3).arrive({2, 1}, {x_}, out(3)).ok());
  out(1).clear();
  out(2).clear();
  die(1);
  at(2).finish({1, 1}, out(2));
  at(3).finish({2, 1}, out(3));
  deliver();
  EXPECT_EQ(lost_[2], 1);
  EXPECT_EQ(lost_[3], 1);
  EXPECT_EQ(at(2).client().objects(), 0u);
  EXPECT_EQ(at(3).client().objects(), 0u);
  EXPECT_EQ(log_.settled(), 4u);
}

TEST_F(BorrowingTest, ASnapshotIsAcknowledgedAlsoForDeathsThatNobodySaw) {
  log_.join();
  log_.die(4);
  EXPECT_TRUE(at(2).log_snapshot(log_.snapshot(), out(2)).ok());
  ASSERT_EQ(out(2).size(), 1u);
  EXPECT_EQ(std::get<AcknowledgeLog>(out(2)[0]).position, 5u);
}

TEST_F(BorrowingTest, WhoWasDeclaredDeadMustEnd) {
  control::NodeLogEntry entry = *log_.die(2);
  EXPECT_EQ(at(2).log_entry(entry, out(2)).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(at(3).deaths_settled(4, out(3)).error().kind(), ErrorKind::kInvalid) << "it has not acknowledged it";
}

}  // namespace
}  // namespace sabir::node
