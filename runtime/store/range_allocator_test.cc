#include "runtime/store/range_allocator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <map>
#include <random>
#include <vector>

#include "runtime/shm/limits.h"
#include "runtime/shm/mapping.h"
#include "runtime/store/arena.h"
#include "runtime/store/range_set.h"

namespace sabir::store {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// Both implementations keep the same promises. Address space is reserved and inaccessible: an allocator that touched
// the segment's bytes would crash here.
class RangeAllocatorTest : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<RangeAllocator> make(uint64_t budget_bytes) {
    uint64_t segment_bytes = segment_bytes_for(budget_bytes);
    if (std::string_view(GetParam()) == "first-fit") {
      return make_first_fit_allocator(segment_bytes, budget_bytes);
    }
    space_.push_back(shm::reserve(segment_bytes).value());
    auto arena = make_jemalloc_arena(space_.back().address(), segment_bytes, budget_bytes);
    if (!arena.ok()) {
      EXPECT_EQ(arena.error().kind(), ErrorKind::kUnsupported);
      return nullptr;
    }
    return std::move(arena).value();
  }

  std::vector<shm::Mapping> space_;
};

// Only sanitizer builds may lack jemalloc: elsewhere a skip would hide that the store fell back.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAKE_OR_SKIP(name, budget_bytes)                     \
  std::unique_ptr<RangeAllocator> name = make(budget_bytes); \
  if (name == nullptr) {                                     \
    GTEST_SKIP() << "this build has no jemalloc";            \
  }
#else
#define MAKE_OR_SKIP(name, budget_bytes)                     \
  std::unique_ptr<RangeAllocator> name = make(budget_bytes); \
  ASSERT_NE(name, nullptr)
#endif

TEST_P(RangeAllocatorTest, BudgetIsKeptToThePage) {
  MAKE_OR_SKIP(allocator, 100 * kMiB);
  uint64_t offset = allocator->allocate(100 * kMiB, 64).value();
  EXPECT_EQ(allocator->used_bytes(), 100 * kMiB);
  EXPECT_EQ(allocator->allocate(1, 64).error().kind(), ErrorKind::kStoreFull);
  allocator->free(offset);
  EXPECT_EQ(allocator->used_bytes(), 0U);
  EXPECT_TRUE(allocator->allocate(1, 64).ok());
  EXPECT_EQ(allocator->used_bytes(), shm::kCacheLineBytes);
  EXPECT_TRUE(allocator->allocate(1, shm::kPageBytes).ok());
  EXPECT_EQ(allocator->used_bytes(), shm::kCacheLineBytes + shm::kPageBytes);
}

TEST_P(RangeAllocatorTest, SmallRangesSharePages) {
  MAKE_OR_SKIP(allocator, 10 * kMiB);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(allocator->allocate(100, 64).value() % shm::kCacheLineBytes, 0U);
  }
  EXPECT_LE(allocator->high_water_bytes(), 1000U * 256);
}

TEST_P(RangeAllocatorTest, RefusesNonsense) {
  MAKE_OR_SKIP(allocator, 10 * kMiB);
  EXPECT_EQ(allocator->allocate(0, 64).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(allocator->allocate(1, 48).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(allocator->allocate(1, 0).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(allocator->allocate(~uint64_t{0}, 64).error().kind(), ErrorKind::kStoreFull);
}

TEST_P(RangeAllocatorTest, LargeRangesLieOnHugePages) {
  MAKE_OR_SKIP(allocator, 200 * kMiB);
  for (uint64_t size_bytes : {2 * kMiB, 4 * kMiB, 4 * kMiB - 5000, 33 * kMiB, 100 * kMiB}) {
    EXPECT_EQ(allocator->allocate(size_bytes, 64).value() % shm::kHugePageBytes, 0U) << size_bytes;
  }
  EXPECT_EQ(allocator->allocate(kMiB, 64).value() % shm::kPageBytes, 0U);
}

TEST_P(RangeAllocatorTest, WarmRangesAreUsedAgainBeforeColdOnes) {
  MAKE_OR_SKIP(allocator, 1024 * kMiB);
  uint64_t high = 0;
  for (int round = 0; round < 100; ++round) {
    uint64_t first = allocator->allocate(64 * kMiB, 64).value();
    uint64_t second = allocator->allocate(4 * kMiB, 64).value();
    allocator->free(first);
    allocator->free(second);
    high = round == 0 ? allocator->high_water_bytes() : high;
    EXPECT_EQ(allocator->high_water_bytes(), high);
  }
}

TEST_P(RangeAllocatorTest, FreeNeighboursBecomeOneRange) {
  MAKE_OR_SKIP(allocator, 256 * kMiB);
  for (int round = 0; round < 3; ++round) {
    std::vector<uint64_t> small;
    small.reserve(256);
    for (int i = 0; i < 256; ++i) {
      small.push_back(allocator->allocate(kMiB, 64).value());
    }
    for (size_t i = 0; i < small.size(); i += 2) {
      allocator->free(small[i]);
    }
    for (size_t i = 1; i < small.size(); i += 2) {
      allocator->free(small[i]);
    }
    // The whole budget in one piece, after it was in a thousand.
    allocator->free(allocator->allocate(256 * kMiB, 64).value());
  }
}

TEST_P(RangeAllocatorTest, TheBudgetFitsInSharedLoans) {
  MAKE_OR_SKIP(allocator, 1024 * kMiB);
  for (int i = 0; i < 256; ++i) {
    ASSERT_TRUE(allocator->allocate(shm::kSharedLoanBytes, 64).ok()) << i;
  }
}

// Just above a multiple of a huge page: alignment alone would need twice the room.
TEST_P(RangeAllocatorTest, TheBudgetFitsInAwkwardSizes) {
  for (uint64_t size_bytes : {2 * kMiB + shm::kPageBytes, 16 * kMiB + shm::kPageBytes, kMiB + shm::kPageBytes}) {
    MAKE_OR_SKIP(allocator, 1024 * kMiB);
    for (uint64_t used = 0; used + size_bytes <= 1024 * kMiB; used += size_bytes) {
      ASSERT_TRUE(allocator->allocate(size_bytes, 64).ok()) << size_bytes << " after " << used;
    }
  }
}

TEST_P(RangeAllocatorTest, RandomRangesNeverOverlap) {
  MAKE_OR_SKIP(allocator, 200 * kMiB);
  uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::map<uint64_t, uint64_t> live;
  uint64_t used_bytes = 0;
  for (int step = 0; step < 20000; ++step) {
    if (live.empty() || random() % 5 < 3) {
      uint64_t size_bytes = (uint64_t{1} << (random() % 25)) + random() % 5000;
      uint64_t alignment = uint64_t{64} << (random() % 10);
      uint64_t rounded = shape_of(size_bytes, alignment, 200 * kMiB).value().size_bytes;
      Result<uint64_t> offset = allocator->allocate(size_bytes, alignment);
      if (!offset.ok()) {
        ASSERT_EQ(offset.error().kind(), ErrorKind::kStoreFull);
        continue;
      }
      auto next = live.lower_bound(*offset);
      ASSERT_TRUE(next == live.end() || *offset + rounded <= next->first);
      ASSERT_TRUE(next == live.begin() || std::prev(next)->first + std::prev(next)->second <= *offset);
      live.emplace(*offset, rounded);
      used_bytes += rounded;
    } else {
      auto victim = std::next(live.begin(), static_cast<ptrdiff_t>(random() % live.size()));
      allocator->free(victim->first);
      used_bytes -= victim->second;
      live.erase(victim);
    }
    ASSERT_EQ(allocator->used_bytes(), used_bytes);
  }
  for (auto [offset, size_bytes] : live) {
    allocator->free(offset);
  }
  EXPECT_TRUE(allocator->allocate(200 * kMiB, 64).ok());
}

TEST_P(RangeAllocatorTest, ArenasAreIndependentAndEnd) {
  for (int round = 0; round < 20; ++round) {
    MAKE_OR_SKIP(first, 64 * kMiB);
    MAKE_OR_SKIP(second, 64 * kMiB);
    EXPECT_EQ(first->allocate(kMiB, 64).value(), second->allocate(kMiB, 64).value());
    first.reset();
    EXPECT_TRUE(second->allocate(8 * kMiB, 64).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Both, RangeAllocatorTest, testing::Values("first-fit", "jemalloc"), [](const auto& info) {
  return std::string_view(info.param) == "jemalloc" ? "Jemalloc" : "FirstFit";
});

TEST(RangeSetTest, TakesTheLowestAndCoalesces) {
  RangeSet set(100);
  EXPECT_EQ(set.take(10, 1), 0U);
  EXPECT_EQ(set.take(10, 16), 16U);
  EXPECT_EQ(set.take(6, 1), 10U);
  EXPECT_FALSE(set.take_at(20, 10));
  EXPECT_TRUE(set.take_at(90, 10));
  EXPECT_FALSE(set.take_at(90, 10));
  set.give(0, 10);
  set.give(16, 10);
  EXPECT_EQ(set.range_count(), 2U);
  set.give(10, 6);
  set.give(90, 10);
  EXPECT_EQ(set.range_count(), 1U);
  EXPECT_EQ(set.free_bytes(), 100U);
  EXPECT_EQ(set.longest_bytes(), 100U);
}

TEST(RangeSetDeathTest, FreeingTwiceIsOurOwnFault) {
  RangeSet set(100);
  EXPECT_EQ(set.take(10, 1), 0U);
  set.give(0, 10);
  EXPECT_DEATH(set.give(5, 1), "freed twice");
}

TEST(ArenaTest, MakeArenaAlwaysHasOne) {
  shm::Mapping space = shm::reserve(segment_bytes_for(kMiB)).value();
  auto arena = make_arena(space.address(), space.size_bytes(), kMiB);
  EXPECT_THAT(arena->name(), testing::AnyOf(testing::StrEq("jemalloc"), testing::StrEq("first-fit")));
  EXPECT_TRUE(arena->allocate(kMiB, 64).ok());
}

}  // namespace
}  // namespace sabir::store
