#include "runtime/node/cluster/borrow_owner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

namespace sabir::node {
namespace {

using Kind = BorrowRequest::Kind;
using Outcome = BorrowAnswer::Outcome;

// Node 1 owns object 10; nodes 2 and 3 borrow.
class BorrowOwnerTest : public testing::Test {
 protected:
  BorrowOwnerTest() {
    for (int i = 0; i < 3; ++i) {
      log_.join();
    }
    view_.emplace(1, log_.snapshot());
    owner_.emplace(&*view_, BorrowOwner::Options{.exists = [this](shm::EntryRef object) {
      return object.generation == 1 && existing_.contains(object.entry);
    }});
  }
  ~BorrowOwnerTest() override { EXPECT_EQ(owner_->check_invariants(), ""); }

  BorrowRequest register_request(Incarnation from, RequestId id, RequestId lowest_open) const {
    return {.from = from, .to = 1, .id = id, .lowest_open = lowest_open, .object = {1, 1, 10}};
  }
  BorrowRequest release_request(Incarnation from, RequestId id, RequestId lowest_open, uint32_t count) const {
    BorrowRequest request = register_request(from, id, lowest_open);
    request.kind = Kind::kRelease;
    request.count = count;
    return request;
  }
  // The outcome that was sent; nothing: no answer.
  std::optional<Outcome> ask(const BorrowRequest& request) {
    out_.clear();
    EXPECT_TRUE(owner_->request(request, out_).ok());
    for (const BorrowInstruction& instruction : out_) {
      if (const auto* answer = std::get_if<SendAnswer>(&instruction)) {
        EXPECT_EQ(answer->answer.from, 1u);
        EXPECT_EQ(answer->answer.to, request.from);
        EXPECT_EQ(answer->answer.id, request.id);
        return answer->answer.outcome;
      }
    }
    return std::nullopt;
  }
  ErrorKind refused(const BorrowRequest& request) {
    Result<void> taken = owner_->request(request, out_);
    return taken.ok() ? ErrorKind::kInternal : taken.error().kind();
  }
  template <typename Kind>
  bool said() const {
    return std::ranges::any_of(out_, [](const auto& item) { return std::holds_alternative<Kind>(item); });
  }
  void die(Incarnation node) { view_->apply(*log_.die(node)).value(); }

  std::set<shm::EntryIndex> existing_ = {10};
  control::NodeLog log_;
  std::optional<ClusterView> view_;
  std::optional<BorrowOwner> owner_;
  BorrowInstructions out_;
};

TEST_F(BorrowOwnerTest, OneHoldForTheCluster) {
  EXPECT_EQ(ask(register_request(2, 1, 1)), Outcome::kHeld);
  EXPECT_TRUE(said<HoldForCluster>());
  EXPECT_EQ(ask(register_request(3, 1, 1)), Outcome::kHeld);
  EXPECT_FALSE(said<HoldForCluster>());
  EXPECT_EQ(ask(release_request(2, 2, 2, 1)), Outcome::kHeld);
  EXPECT_FALSE(said<UnholdForCluster>());
  EXPECT_EQ(ask(release_request(3, 2, 2, 1)), Outcome::kHeld);
  EXPECT_TRUE(said<UnholdForCluster>());
  EXPECT_EQ(owner_->objects(), 0u);
}

TEST_F(BorrowOwnerTest, WhatIsRetainedStays) {
  EXPECT_TRUE(owner_->retain({1, 10}, out_).ok());
  EXPECT_TRUE(said<HoldForCluster>());
  EXPECT_EQ(owner_->retain({2, 10}, out_).error().kind(), ErrorKind::kNotFound);
  ask(register_request(2, 1, 1));
  ask(release_request(2, 2, 2, 1));
  EXPECT_FALSE(said<UnholdForCluster>());
  owner_->drop({1, 10}, out_);
  EXPECT_TRUE(said<UnholdForCluster>());
}

TEST_F(BorrowOwnerTest, N5_AReleaseAndTheNextRegisterMayCross) {
  ask(register_request(2, 1, 1));
  EXPECT_EQ(ask(register_request(2, 3, 2)), Outcome::kHeld) << "it overtook the release";
  EXPECT_EQ(ask(release_request(2, 2, 2, 1)), Outcome::kHeld);
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 1u);
  EXPECT_FALSE(said<UnholdForCluster>());
  EXPECT_EQ(ask(release_request(2, 4, 4, 1)), Outcome::kHeld);
  EXPECT_TRUE(said<UnholdForCluster>());
}

TEST_F(BorrowOwnerTest, N5_AReleaseNamesTheCount) {
  ask(register_request(2, 1, 1));
  ask(register_request(2, 2, 1));
  ask(register_request(2, 3, 1));
  ask(release_request(2, 4, 3, 2));
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 1u);
}

TEST_F(BorrowOwnerTest, N4_ACopyIsAnsweredAgainAndCountsOnce) {
  EXPECT_EQ(ask(register_request(2, 1, 1)), Outcome::kHeld);
  EXPECT_EQ(ask(register_request(2, 1, 1)), Outcome::kHeld);
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 1u);
  EXPECT_EQ(ask(release_request(2, 2, 1, 1)), Outcome::kHeld);
  EXPECT_EQ(ask(release_request(2, 2, 1, 1)), Outcome::kHeld);
  EXPECT_EQ(owner_->counters().repeated, 2u);
}

TEST_F(BorrowOwnerTest, N4_TheAnswerStaysTheSame) {
  existing_.clear();
  EXPECT_EQ(ask(register_request(2, 1, 1)), Outcome::kGone);
  existing_ = {10};
  EXPECT_EQ(ask(register_request(2, 1, 1)), Outcome::kGone);
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 0u);
}

TEST_F(BorrowOwnerTest, N4_WhatIsBelowTheLowestOpenIdIsDropped) {
  ask(register_request(2, 1, 1));
  ask(release_request(2, 2, 2, 1));
  EXPECT_EQ(ask(register_request(2, 1, 1)), std::nullopt) << "else it would count for ever";
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 0u);
  EXPECT_EQ(ask(register_request(2, 3, 3)), Outcome::kHeld);
  EXPECT_EQ(ask(release_request(2, 2, 2, 1)), std::nullopt);
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 1u);
}

TEST_F(BorrowOwnerTest, N6_RegisteredAlsoWhenItIsNotLent) {
  EXPECT_EQ(owner_->objects(), 0u);
  EXPECT_EQ(ask(register_request(2, 1, 1)), Outcome::kHeld);
}

TEST_F(BorrowOwnerTest, N6_TheHoldOfTheClusterIsEnough) {
  ask(register_request(2, 1, 1));
  existing_.clear();
  EXPECT_EQ(ask(register_request(3, 1, 1)), Outcome::kHeld) << "it is held: whatever the table says, it exists";
}

TEST_F(BorrowOwnerTest, N1_OthersAreDropped) {
  BorrowRequest elsewhere = register_request(2, 1, 1);
  elsewhere.to = elsewhere.object.owner = 7;
  EXPECT_EQ(ask(elsewhere), std::nullopt) << "to an earlier incarnation here";
  EXPECT_EQ(ask(register_request(4, 1, 1)), std::nullopt) << "from who is not known yet";
  EXPECT_EQ(ask(register_request(1, 1, 1)), std::nullopt) << "from itself";
  die(2);
  EXPECT_EQ(ask(register_request(2, 1, 1)), std::nullopt) << "from the dead";
  EXPECT_EQ(owner_->counters().stale, 4u);
  EXPECT_EQ(owner_->borrowers(), 0u);
}

TEST_F(BorrowOwnerTest, N7_TheDeadHoldUntilTheirDeathIsSettled) {
  ask(register_request(2, 1, 1));
  die(2);
  EXPECT_EQ(ask(release_request(2, 2, 2, 1)), std::nullopt);
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 1u);
  out_.clear();
  owner_->node_settled(2, out_);
  EXPECT_TRUE(said<UnholdForCluster>());
  EXPECT_EQ(owner_->borrowers(), 0u);
  out_.clear();
  owner_->node_settled(2, out_);
  EXPECT_TRUE(out_.empty());
}

TEST_F(BorrowOwnerTest, WhatNoRightfulNodeSendsIsRefused) {
  ask(register_request(2, 1, 1));
  BorrowRequest request = register_request(2, 2, 2);
  request.object.owner = 3;
  EXPECT_EQ(refused(request), ErrorKind::kInvalid) << "another's object";
  request = register_request(2, 2, 2);
  request.kind = static_cast<Kind>(3);
  EXPECT_EQ(refused(request), ErrorKind::kInvalid);
  EXPECT_EQ(refused(register_request(2, 0, 0)), ErrorKind::kInvalid);
  EXPECT_EQ(refused(register_request(2, 2, 3)), ErrorKind::kInvalid) << "an id that it says is closed";
  EXPECT_EQ(refused(register_request(2, 2 + kRequestWindow, 2)), ErrorKind::kInvalid) << "outside of the window";
  EXPECT_EQ(refused(register_request(2, std::numeric_limits<RequestId>::max(), 1)), ErrorKind::kInvalid);
  EXPECT_EQ(refused(release_request(2, 2, 2, 0)), ErrorKind::kInvalid);
  EXPECT_EQ(refused(release_request(2, 2, 2, 2)), ErrorKind::kInvalid) << "more than it has";
  EXPECT_EQ(refused(release_request(3, 1, 1, 1)), ErrorKind::kInvalid) << "what it does not have";
  EXPECT_EQ(owner_->registrations(2, {1, 10}), 1u);
  EXPECT_EQ(ask(release_request(2, 2, 2, 1)), Outcome::kHeld) << "the id was not used up";
}

TEST_F(BorrowOwnerTest, AnswersOfAWindowAreKeptAndNoMore) {
  for (RequestId id = 1; id <= kRequestWindow; ++id) {
    EXPECT_EQ(ask(register_request(2, id, 1)), Outcome::kHeld);
  }
  EXPECT_EQ(refused(register_request(2, kRequestWindow + 1, 1)), ErrorKind::kInvalid);
  EXPECT_EQ(ask(register_request(2, kRequestWindow + 1, kRequestWindow)), Outcome::kHeld);
  EXPECT_EQ(ask(register_request(2, kRequestWindow, kRequestWindow)), Outcome::kHeld) << "a copy";
  EXPECT_EQ(owner_->registrations(2, {1, 10}), kRequestWindow + 1);
}

}  // namespace
}  // namespace sabir::node
