#include "runtime/node/cluster/borrow_client.h"

#include <gtest/gtest.h>

namespace sabir::node {
namespace {

using Kind = BorrowRequest::Kind;
using Outcome = BorrowAnswer::Outcome;

// Node 1 borrows from node 2 (objects x and y) and node 3 (z), and gets references from both and from node 4.
class BorrowClientTest : public testing::Test {
 protected:
  explicit BorrowClientTest(RequestId window = kRequestWindow) {
    for (int i = 0; i < 4; ++i) {
      log_.join();
    }
    view_.emplace(1, log_.snapshot());
    BorrowClient::Options options;
    options.window = window;
    client_.emplace(&*view_, options, &clock_);
  }
  ~BorrowClientTest() override { EXPECT_EQ(client_->check_invariants(), ""); }

  // Of what was instructed since the last look at this kind; others stay.
  template <typename T>
  std::vector<T> taken() {
    std::vector<T> found;
    std::erase_if(out_, [&](const BorrowInstruction& instruction) {
      const T* one = std::get_if<T>(&instruction);
      if (one != nullptr) {
        found.push_back(*one);
      }
      return one != nullptr;
    });
    return found;
  }
  BorrowRequest request() {
    auto all = taken<SendRequest>();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? BorrowRequest{} : all[0].request;
  }
  bool silent() { return taken<SendRequest>().empty(); }
  std::vector<CarrierId> done() {
    std::vector<CarrierId> ids;
    for (const CarrierDone& done : taken<CarrierDone>()) {
      ids.push_back(done.carrier);
    }
    return ids;
  }
  void arrive(CarrierId carrier, std::vector<ObjectName> references) {
    EXPECT_TRUE(client_->arrive(carrier, std::move(references), out_).ok());
  }
  void hold(const ObjectName& object) { EXPECT_TRUE(client_->hold(object, out_).ok()); }
  void answer(const BorrowRequest& to, Outcome outcome = Outcome::kHeld) {
    client_->answer({.from = to.to, .to = 1, .id = to.id, .outcome = outcome}, out_);
  }
  void die(Incarnation node) {
    view_->apply(*log_.die(node)).value();
    client_->node_died(node, out_);
    client_->view_moved(true, out_);
  }
  // x is registered and held, no carrier is left.
  void borrow_x() {
    arrive(first_, {x_});
    hold(x_);
    answer(request());
    client_->finish(first_, out_);
    EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  }

  const ObjectName x_{2, 1, 10};
  const ObjectName y_{2, 1, 11};
  const ObjectName z_{3, 1, 12};
  const CarrierId first_{4, 1};
  const CarrierId second_{4, 2};
  ManualClock clock_;
  control::NodeLog log_;
  std::optional<ClusterView> view_;
  std::optional<BorrowClient> client_;
  BorrowInstructions out_;
};

TEST_F(BorrowClientTest, WhatIsOnlyCarriedCostsNoMessage) {
  arrive(first_, {x_, z_});
  client_->finish(first_, out_);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  EXPECT_TRUE(silent());
  EXPECT_EQ(client_->objects(), 0u);
}

TEST_F(BorrowClientTest, N3_WhatIsKeptIsRegisteredBeforeTheCarrierIsDone) {
  arrive(first_, {x_, z_});
  hold(x_);
  BorrowRequest asked = request();
  EXPECT_EQ(asked, (BorrowRequest{.from = 1, .to = 2, .id = 1, .lowest_open = 1, .object = x_}));
  client_->finish(first_, out_);
  EXPECT_TRUE(done().empty());
  answer(asked);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  EXPECT_TRUE(client_->is_registered(x_));
}

TEST_F(BorrowClientTest, N3_WhatIsLentOnIsKept) {
  arrive(first_, {x_});
  EXPECT_TRUE(client_->lend(x_, out_).ok());
  BorrowRequest asked = request();
  client_->finish(first_, out_);
  EXPECT_TRUE(done().empty());
  answer(asked);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  EXPECT_TRUE(silent());
  client_->unlend(x_, out_);
  EXPECT_EQ(request().kind, Kind::kRelease);
}

TEST_F(BorrowClientTest, N3_NobodyWaitsForWhatNobodyKeeps) {
  arrive(first_, {x_});
  hold(x_);
  BorrowRequest asked = request();
  client_->finish(first_, out_);
  client_->unhold(x_, out_);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  EXPECT_TRUE(silent());
  answer(asked);
  BorrowRequest released = request();
  EXPECT_EQ(released.kind, Kind::kRelease);
  EXPECT_EQ(released.count, 1u);
  EXPECT_EQ(client_->objects(), 0u);
}

TEST_F(BorrowClientTest, N3_AnotherCarrierIsNoReasonNotToWait) {
  arrive(first_, {x_});
  arrive(second_, {x_});
  hold(x_);
  BorrowRequest asked = request();
  client_->finish(first_, out_);
  EXPECT_TRUE(done().empty());
  client_->finish(second_, out_);
  EXPECT_TRUE(done().empty());
  answer(asked);
  EXPECT_EQ(done(), (std::vector<CarrierId>{first_, second_}));
}

TEST_F(BorrowClientTest, N3_ACarrierWaitsForAllItsReferences) {
  arrive(first_, {x_, y_, z_});
  hold(x_);
  hold(z_);
  auto asked = taken<SendRequest>();
  ASSERT_EQ(asked.size(), 2u);
  client_->finish(first_, out_);
  answer(asked[1].request);
  EXPECT_TRUE(done().empty());
  answer(asked[0].request);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
}

TEST_F(BorrowClientTest, N5_ReleasedWhenNobodyReachesIt) {
  borrow_x();
  arrive(second_, {x_});
  client_->unhold(x_, out_);
  EXPECT_TRUE(silent()) << "a carrier has it";
  client_->finish(second_, out_);
  EXPECT_EQ(
      request(),
      (BorrowRequest{.from = 1, .to = 2, .id = 2, .lowest_open = 2, .kind = Kind::kRelease, .object = x_, .count = 1}));
}

TEST_F(BorrowClientTest, N5_RegistersAnewWhileTheReleaseIsOpen) {
  borrow_x();
  client_->unhold(x_, out_);
  BorrowRequest released = request();
  arrive(second_, {x_});
  hold(x_);
  BorrowRequest asked = request();
  EXPECT_EQ(asked.kind, Kind::kRegister);
  EXPECT_EQ(asked.id, 3u);
  EXPECT_EQ(asked.lowest_open, released.id);
  answer(asked);
  EXPECT_TRUE(client_->is_registered(x_));
  answer(released);
  EXPECT_TRUE(client_->is_registered(x_));
  EXPECT_EQ(client_->open_requests(), 0u);
}

TEST_F(BorrowClientTest, N4_SentAgainUntilItIsAnswered) {
  arrive(first_, {x_});
  hold(x_);
  BorrowRequest asked = request();
  client_->tick(out_);
  EXPECT_TRUE(silent());
  EXPECT_EQ(client_->next_wake_ns(), clock_.now_ns() + 100 * kMillisecondNs);
  for (int64_t pause_ms : {100, 200, 400, 800, 1600, 2000, 2000}) {
    clock_.advance_ns(pause_ms * kMillisecondNs - 1);
    client_->tick(out_);
    EXPECT_TRUE(silent()) << pause_ms;
    clock_.advance_ns(1);
    client_->tick(out_);
    EXPECT_EQ(request(), asked) << pause_ms;
  }
  client_->connected(2, out_);
  EXPECT_EQ(request(), asked) << "at once over a new connection";
  answer(asked);
  EXPECT_EQ(client_->next_wake_ns(), std::nullopt);
  client_->connected(2, out_);
  EXPECT_TRUE(silent());
}

TEST_F(BorrowClientTest, N4_ARetryNamesTheLowestIdThatIsOpenNow) {
  arrive(first_, {x_, y_});
  hold(x_);
  BorrowRequest one = request();
  hold(y_);
  BorrowRequest two = request();
  EXPECT_EQ(two.lowest_open, 1u);
  answer(one);
  client_->connected(2, out_);
  BorrowRequest again = request();
  EXPECT_EQ(again.id, 2u);
  EXPECT_EQ(again.lowest_open, 2u);
}

TEST_F(BorrowClientTest, N4_IdsGoOnWhenNothingIsBorrowedAnyMore) {
  borrow_x();
  client_->unhold(x_, out_);
  answer(request());
  client_->view_moved(false, out_);
  EXPECT_EQ(client_->objects(), 0u);
  arrive(second_, {x_});
  hold(x_);
  EXPECT_EQ(request().id, 3u) << "the owner remembers those below";
}

TEST_F(BorrowClientTest, N4_AnswersToNothingAreDropped) {
  arrive(first_, {x_});
  hold(x_);
  BorrowRequest asked = request();
  client_->answer({.from = 2, .to = 9, .id = 1}, out_);
  client_->answer({.from = 2, .to = 1, .id = 2}, out_);
  client_->answer({.from = 3, .to = 1, .id = 1}, out_);
  EXPECT_FALSE(client_->is_registered(x_));
  answer(asked);
  answer(asked);
  EXPECT_EQ(client_->counters().stale, 4u);
  client_->finish(first_, out_);
  client_->unhold(x_, out_);
  EXPECT_EQ(request().count, 1u) << "the copy did not count";
}

TEST_F(BorrowClientTest, N9_TheDeathOfTheOwnerIsALossAndNoHang) {
  arrive(first_, {x_, z_});
  hold(x_);
  client_->finish(first_, out_);
  EXPECT_TRUE(done().empty());
  die(2);
  auto finished = taken<CarrierDone>();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].lost, std::vector<ObjectName>{x_});
  auto lost = taken<ObjectLost>();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].object, x_);
  EXPECT_EQ(lost[0].reason, LossReason::kOwnerDied);
  EXPECT_EQ(client_->open_requests(), 0u);
  EXPECT_TRUE(client_->is_lost(x_)) << "a process still holds the reference";
  client_->unhold(x_, out_);
  EXPECT_EQ(client_->objects(), 0u);
  out_.clear();
}

TEST_F(BorrowClientTest, N9_AReferenceToADeadOwnersObjectIsLostOnArrival) {
  die(2);
  out_.clear();
  arrive(first_, {x_});
  EXPECT_EQ(taken<ObjectLost>().size(), 1u);
  hold(x_);
  client_->finish(first_, out_);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  EXPECT_TRUE(silent());
  client_->unhold(x_, out_);
}

TEST_F(BorrowClientTest, N9_TheDeathOfAnOwnerThatThisNodeNeverSawAlive) {
  arrive(first_, {{5, 1, 1}});
  hold({5, 1, 1});
  EXPECT_EQ(request().to, 5u) << "not in the view yet";
  client_->finish(first_, out_);
  log_.join();
  log_.die(5);
  EXPECT_TRUE(view_->apply(log_.snapshot())->died.empty());
  client_->view_moved(true, out_);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  EXPECT_EQ(taken<ObjectLost>().size(), 1u);
}

TEST_F(BorrowClientTest, N6_GoneIsALossForWhoReachesIt) {
  arrive(first_, {x_});
  hold(x_);
  BorrowRequest asked = request();
  client_->finish(first_, out_);
  answer(asked, Outcome::kGone);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  auto lost = taken<ObjectLost>();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].reason, LossReason::kUnknownToOwner);
  EXPECT_EQ(client_->counters().gone_while_reached, 1u);
  client_->unhold(x_, out_);
  EXPECT_TRUE(silent()) << "nothing to release";
}

TEST_F(BorrowClientTest, N6_GoneIsNothingToWhoDoesNot) {
  arrive(first_, {x_});
  hold(x_);
  BorrowRequest asked = request();
  client_->unhold(x_, out_);
  client_->finish(first_, out_);
  answer(asked, Outcome::kGone);
  EXPECT_TRUE(taken<ObjectLost>().empty());
  EXPECT_EQ(client_->counters().gone_while_reached, 0u);
  EXPECT_EQ(client_->objects(), 0u);
}

TEST_F(BorrowClientTest, N8_ADeathIsAcknowledgedAtOnceIfNothingCameFromTheDead) {
  borrow_x();
  die(3);
  auto said = taken<AcknowledgeLog>();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].position, 5u);
}

TEST_F(BorrowClientTest, N8_WhatCameFromTheDeadIsRegisteredFirst) {
  arrive(first_, {x_, z_});
  die(4);
  EXPECT_TRUE(taken<AcknowledgeLog>().empty());
  auto asked = taken<SendRequest>();
  ASSERT_EQ(asked.size(), 2u);
  answer(asked[0].request);
  EXPECT_TRUE(taken<AcknowledgeLog>().empty());
  EXPECT_EQ(client_->acknowledged(), 4u);
  answer(asked[1].request);
  EXPECT_EQ(taken<AcknowledgeLog>().size(), 1u);
  EXPECT_EQ(client_->acknowledged(), 5u);
}

TEST_F(BorrowClientTest, N8_OrNobodyReachesItAnyMore) {
  arrive(first_, {x_});
  die(4);
  BorrowRequest asked = request();
  client_->finish(first_, out_);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
  EXPECT_EQ(taken<AcknowledgeLog>().size(), 1u);
  answer(asked);
  EXPECT_EQ(request().kind, Kind::kRelease);
}

TEST_F(BorrowClientTest, N8_OrItsOwnerIsDeadToo) {
  arrive(first_, {x_});
  die(4);
  out_.clear();
  die(2);
  auto said = taken<AcknowledgeLog>();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].position, 6u);
}

TEST_F(BorrowClientTest, N8_NothingIsTakenFromTheDead) {
  die(4);
  EXPECT_EQ(client_->arrive(first_, {x_}, out_).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(client_->arrive({9, 1}, {x_}, out_).error().kind(), ErrorKind::kNotFound) << "not known yet";
  EXPECT_EQ(client_->arrive({1, 1}, {x_}, out_).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(client_->objects(), 0u);
}

TEST_F(BorrowClientTest, N5_WhatCameFromTheDeadIsNotReleasedWhileItRuns) {
  arrive(first_, {x_});
  hold(x_);
  answer(request());
  client_->unhold(x_, out_);
  die(4);
  EXPECT_EQ(taken<AcknowledgeLog>().size(), 1u) << "it is registered";
  EXPECT_TRUE(silent());
  client_->finish(first_, out_);
  EXPECT_EQ(request().kind, Kind::kRelease);
}

TEST_F(BorrowClientTest, CopiesAndWhatIsNotHere) {
  arrive(first_, {x_});
  EXPECT_EQ(client_->arrive(first_, {x_}, out_).error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(client_->hold(y_, out_).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(client_->lend(y_, out_).error().kind(), ErrorKind::kNotFound);
}

class SmallWindowTest : public BorrowClientTest {
 protected:
  SmallWindowTest() : BorrowClientTest(1) {}
};

TEST_F(SmallWindowTest, N4_WhatHasNoRoomWaits) {
  arrive(first_, {x_, y_});
  hold(x_);
  BorrowRequest one = request();
  hold(y_);
  EXPECT_TRUE(silent());
  client_->finish(first_, out_);
  answer(one);
  BorrowRequest two = request();
  EXPECT_EQ(two.object, y_);
  EXPECT_TRUE(done().empty());
  answer(two);
  EXPECT_EQ(done(), std::vector<CarrierId>{first_});
}

TEST_F(SmallWindowTest, WhatChangedItsMindMeanwhileIsNotSent) {
  borrow_x();
  arrive(second_, {y_});
  hold(y_);
  BorrowRequest one = request();
  client_->unhold(x_, out_);
  arrive({4, 3}, {x_, {2, 1, 13}});
  hold({2, 1, 13});
  client_->unhold({2, 1, 13}, out_);
  EXPECT_TRUE(silent()) << "the window is full";
  answer(one);
  EXPECT_TRUE(silent()) << "x is reached again, the other needs nothing";
  EXPECT_TRUE(client_->is_registered(x_));
}

}  // namespace
}  // namespace sabir::node
