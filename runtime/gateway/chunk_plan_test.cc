#include "runtime/gateway/chunk_plan.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>

namespace sabir::gateway {
namespace {

constexpr uint64_t kChunk = ChunkPlan::kChunkBytes;

TEST(ChunkPlan, AsksInOrderAndNotForMoreThanASourceCanHave) {
  ChunkPlan plan(10 * kChunk + 1);
  EXPECT_FALSE(plan.next().has_value()) << "there is no source";
  plan.add_source();
  for (size_t i = 0; i < ChunkPlan::kPerSource; ++i) {
    EXPECT_EQ(plan.next()->chunk, i);
  }
  EXPECT_FALSE(plan.next().has_value());
  plan.arrived({0, 0, 0, kChunk});
  EXPECT_EQ(plan.next()->chunk, ChunkPlan::kPerSource);
}

TEST(ChunkPlan, TheLastChunkIsTheRest) {
  ChunkPlan plan(kChunk + 7);
  plan.add_source();
  (void)plan.next();
  std::optional<ChunkPlan::Ask> last = plan.next();
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->offset, kChunk);
  EXPECT_EQ(last->size_bytes, 7u);
  EXPECT_FALSE(plan.next().has_value());
}

TEST(ChunkPlan, AnEmptyObjectIsOneEmptyChunk) {
  ChunkPlan plan(0);
  plan.add_source();
  ChunkPlan::Ask ask = plan.next().value();
  EXPECT_EQ(ask.size_bytes, 0u);
  EXPECT_FALSE(plan.is_complete());
  plan.arrived(ask);
  EXPECT_TRUE(plan.is_complete());
}

TEST(ChunkPlan, SourcesShareTheChunks) {
  ChunkPlan plan(100 * kChunk);
  plan.add_source();
  plan.add_source();
  std::set<size_t> sources;
  for (size_t i = 0; i < 2 * ChunkPlan::kPerSource; ++i) {
    ChunkPlan::Ask ask = plan.next().value();
    EXPECT_EQ(ask.chunk, i);
    sources.insert(ask.source);
  }
  EXPECT_EQ(sources.size(), 2u);
  EXPECT_FALSE(plan.next().has_value());
}

TEST(ChunkPlan, WhatASourceFailsToBringIsAskedOfAnother) {
  ChunkPlan plan(3 * kChunk);
  size_t first = plan.add_source();
  std::vector<ChunkPlan::Ask> asked{*plan.next(), *plan.next(), *plan.next()};
  plan.arrived(asked[0]);
  plan.drop_source(first);
  EXPECT_FALSE(plan.has_source());
  plan.failed(asked[2]);
  plan.failed(asked[1]);
  EXPECT_FALSE(plan.next().has_value());
  size_t second = plan.add_source();
  EXPECT_EQ(plan.next()->chunk, 1u) << "what is here is not asked for again";
  ChunkPlan::Ask last = plan.next().value();
  EXPECT_EQ(last.chunk, 2u);
  EXPECT_EQ(last.source, second);
}

TEST(ChunkPlan, KnowsWhichBytesAreHere) {
  ChunkPlan plan(2 * kChunk + 10);
  plan.add_source();
  ChunkPlan::Ask first = *plan.next();
  ChunkPlan::Ask second = *plan.next();
  plan.arrived(second);
  EXPECT_TRUE(plan.has(kChunk, kChunk));
  EXPECT_TRUE(plan.has(kChunk + 5, 10));
  EXPECT_FALSE(plan.has(kChunk - 1, 2));
  EXPECT_FALSE(plan.has(kChunk, kChunk + 1));
  EXPECT_FALSE(plan.has(3 * kChunk, 1)) << "beyond its end";
  EXPECT_FALSE(plan.has(1, UINT64_MAX));
  plan.arrived(first);
  EXPECT_TRUE(plan.has(0, 2 * kChunk));
}

// Whatever fails, in whatever order: each chunk comes once, and all come as long as a source is left.
TEST(ChunkPlan, IsCompleteInTheEnd) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    size_t count = random() % 40 + 1;
    ChunkPlan plan(count * kChunk - random() % kChunk);
    std::deque<ChunkPlan::Ask> under_way;
    std::set<size_t> here;
    plan.add_source();
    while (!plan.is_complete()) {
      if (random() % 20 == 0 || !plan.has_source()) {
        plan.add_source();
      }
      while (auto ask = plan.next()) {
        under_way.push_back(*ask);
      }
      ASSERT_FALSE(under_way.empty()) << "seed " << seed;
      std::swap(under_way[random() % under_way.size()], under_way.front());
      ChunkPlan::Ask ask = under_way.front();
      under_way.pop_front();
      if (random() % 4 == 0) {
        plan.drop_source(ask.source);
        plan.failed(ask);
      } else {
        plan.arrived(ask);
        ASSERT_TRUE(here.insert(ask.chunk).second) << "seed " << seed;
      }
    }
    EXPECT_EQ(here.size(), count);
  }
}

}  // namespace
}  // namespace sabir::gateway
