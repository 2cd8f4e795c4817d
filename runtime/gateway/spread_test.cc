#include "runtime/gateway/spread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace sabir::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr rpc::ObjectId kObject{7, 1};

Spread::Node node(size_t number) { return {std::string(15, 'n') + static_cast<char>('a' + number), 1}; }

TEST(Spread, TheFirstGetsItFromHereAndTheOthersFromOneAnother) {
  Spread spread;
  Spread::Located first = spread.locate(kObject, node(0));
  EXPECT_TRUE(first.self);
  EXPECT_THAT(first.others, IsEmpty());
  for (size_t i = 1; i < 5; ++i) {
    Spread::Located next = spread.locate(kObject, node(i));
    EXPECT_FALSE(next.self) << i;
    EXPECT_THAT(next.others, ElementsAre(node(i - 1)));
  }
}

TEST(Spread, ChainsDoNotGrowWithoutEnd) {
  Spread spread;
  size_t from_here = 0;
  for (size_t i = 0; i < 50; ++i) {
    from_here += spread.locate(kObject, node(i)).self ? 1 : 0;
  }
  EXPECT_GT(from_here, 1u);
  EXPECT_LT(from_here, 10u);
}

TEST(Spread, WhoHasAllOfItServesBeforeThisNode) {
  Spread spread;
  (void)spread.locate(kObject, node(0));
  spread.has(kObject, node(0));
  Spread::Located next = spread.locate(kObject, node(1));
  EXPECT_FALSE(next.self);
  EXPECT_THAT(next.others, ElementsAre(node(0)));
}

TEST(Spread, SeveralWhoHaveItShareTheWork) {
  Spread spread;
  for (size_t i = 0; i < 3; ++i) {
    (void)spread.locate(kObject, node(i));
    spread.has(kObject, node(i));
  }
  EXPECT_THAT(spread.locate(kObject, node(3)).others, ElementsAre(node(0), node(1), node(2)));
}

TEST(Spread, NobodyIsReferredToWhatItServesItself) {
  Spread spread;
  (void)spread.locate(kObject, node(0));
  (void)spread.locate(kObject, node(1));  // from 0
  (void)spread.locate(kObject, node(2));  // from 1
  Spread::Located again = spread.locate(kObject, node(0));
  EXPECT_TRUE(again.self);
  EXPECT_THAT(again.others, IsEmpty());
}

TEST(Spread, ASourceThatFailedIsNotNamedAgainToTheSame) {
  Spread spread;
  (void)spread.locate(kObject, node(0));
  spread.has(kObject, node(0));
  EXPECT_THAT(spread.locate(kObject, node(1)).others, ElementsAre(node(0)));
  spread.failed(kObject, node(1), node(0));
  EXPECT_TRUE(spread.locate(kObject, node(1)).self);
  spread.has(kObject, node(1));
  EXPECT_THAT(spread.locate(kObject, node(2)).others, ElementsAre(node(0), node(1))) << "others may reach it";
}

TEST(Spread, WhoLetGoOrIsLostIsNoSource) {
  Spread spread;
  (void)spread.locate(kObject, node(0));
  spread.has(kObject, node(0));
  spread.gone(kObject, node(0));
  EXPECT_EQ(spread.object_count(), 0u);
  (void)spread.locate(kObject, node(1));
  spread.lost(node(1));
  EXPECT_EQ(spread.object_count(), 0u);
  EXPECT_TRUE(spread.locate(kObject, node(2)).self);
}

TEST(Spread, WhatIsNotKnownChangesNothing) {
  Spread spread;
  spread.has(kObject, node(0));
  spread.failed(kObject, node(0), node(1));
  spread.gone(kObject, node(0));
  EXPECT_EQ(spread.object_count(), 0u);
  for (uint64_t i = 0; i < Spread::kMaxObjects + 10; ++i) {
    EXPECT_TRUE(spread.locate({1, i}, node(0)).self);
  }
  EXPECT_EQ(spread.object_count(), Spread::kMaxObjects);
}

// Whatever happens: following the sources of who is receiving ends at this node or at a complete copy.
TEST(Spread, ThereAreNoCircles) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    Spread spread;
    std::map<Spread::Node, std::vector<Spread::Node>> receiving;
    for (int step = 0; step < 200; ++step) {
      Spread::Node who = node(random() % 8);
      switch (random() % 5) {
        case 0:
          spread.has(kObject, who);
          receiving.erase(who);
          break;
        case 1:
          spread.gone(kObject, who);
          receiving.erase(who);
          break;
        case 2:
          if (auto found = receiving.find(who); found != receiving.end() && !found->second.empty()) {
            spread.failed(kObject, who, found->second.front());
            found->second.erase(found->second.begin());
          }
          break;
        default:
          receiving[who] = spread.locate(kObject, who).others;
      }
      for (const auto& [start, sources] : receiving) {
        std::set<Spread::Node> seen;
        std::vector<Spread::Node> next = sources;
        while (!next.empty()) {
          Spread::Node at = next.back();
          next.pop_back();
          ASSERT_NE(at, start) << "seed " << seed << ", step " << step;
          if (seen.insert(at).second && receiving.contains(at)) {
            next.insert(next.end(), receiving[at].begin(), receiving[at].end());
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace sabir::gateway
