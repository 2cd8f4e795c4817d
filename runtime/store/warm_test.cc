#include "runtime/store/warm.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "runtime/shm/limits.h"
#include "runtime/shm/mapping.h"

namespace sabir::store {
namespace {

constexpr uint64_t kMiB = 1 << 20;

class WarmerTest : public testing::Test {
 protected:
  WarmerTest() {
    fd_ = shm::create_memfd("warm_test", 64 * kMiB).value();
    mapping_ = shm::map_file(fd_.get(), 64 * kMiB, PROT_READ | PROT_WRITE).value();
  }

  Warmer::Options plenty(uint64_t slice_bytes = 4 * kMiB) {
    Warmer::Options options;
    options.slice_bytes = slice_bytes;
    options.ahead_bytes = 16 * kMiB;
    options.memory = [this] { return std::optional(MemoryState{available_bytes_, 100 * kMiB}); };
    return options;
  }
  uint8_t* base() { return static_cast<uint8_t*>(mapping_.address()); }
  uint64_t resident_bytes() {
    struct stat status = {};
    EXPECT_EQ(fstat(fd_.get(), &status), 0);
    return static_cast<uint64_t>(status.st_blocks) * 512;
  }

  uint64_t available_bytes_ = 90 * kMiB;
  SteadyClock clock_;
  UniqueFd fd_;
  shm::Mapping mapping_;
};

TEST_F(WarmerTest, AStoreThatNobodyUsesStaysCold) {
  Warmer warmer(base(), 64 * kMiB, clock_, plenty());
  warmer.demand(0);
  EXPECT_FALSE(warmer.wants_step());
  EXPECT_EQ(warmer.step().warmed_bytes, 0U);
  EXPECT_EQ(resident_bytes(), 0U);
}

TEST_F(WarmerTest, WarmsAheadOfUseInSlicesAndStops) {
  Warmer warmer(base(), 64 * kMiB, clock_, plenty());
  warmer.demand(kMiB);
  int steps = 0;
  for (; warmer.wants_step() && steps < 100; ++steps) {
    Warmer::Step step = warmer.step();
    EXPECT_LE(step.warmed_bytes, 4 * kMiB);
    EXPECT_GT(step.warmed_bytes, 0U);
  }
  EXPECT_EQ(warmer.warm_bytes(), 18 * kMiB);
  EXPECT_EQ(steps, 5);
  EXPECT_GE(resident_bytes(), 18 * kMiB);
  EXPECT_LT(resident_bytes(), 24 * kMiB);
  EXPECT_TRUE(warmer.method() == Warmer::Method::kCollapse || warmer.method() == Warmer::Method::kPopulate)
      << Warmer::name_of(warmer.method());
}

TEST_F(WarmerTest, NeverBeyondTheLimitAndNeverBack) {
  Warmer warmer(base(), 10 * kMiB, clock_, plenty());
  warmer.demand(60 * kMiB);
  warmer.demand(kMiB);
  while (warmer.wants_step()) {
    ASSERT_GT(warmer.step().warmed_bytes, 0U);
  }
  EXPECT_EQ(warmer.warm_bytes(), 10 * kMiB);
  EXPECT_LE(resident_bytes(), 10 * kMiB);
}

TEST_F(WarmerTest, RestsWhileMemoryIsShort) {
  Warmer warmer(base(), 64 * kMiB, clock_, plenty());
  warmer.demand(kMiB);
  available_bytes_ = 20 * kMiB;
  EXPECT_EQ(warmer.step().warmed_bytes, 0U);
  EXPECT_TRUE(warmer.wants_step());
  EXPECT_EQ(resident_bytes(), 0U);
  available_bytes_ = 90 * kMiB;
  EXPECT_GT(warmer.step().warmed_bytes, 0U);
}

TEST_F(WarmerTest, WhatIsThereStaysAsItWas) {
  base()[3 * kMiB] = 42;
  base()[kMiB] = 43;
  Warmer warmer(base(), 64 * kMiB, clock_, plenty());
  warmer.demand(10 * kMiB);
  while (warmer.wants_step()) {
    ASSERT_GT(warmer.step().warmed_bytes, 0U);
  }
  EXPECT_EQ(base()[3 * kMiB], 42);
  EXPECT_EQ(base()[kMiB], 43);
  EXPECT_EQ(base()[2 * kMiB], 0);
}

// A mapping that refuses everything: nothing crashes, the warmer gives up.
TEST_F(WarmerTest, GivesUpWhereNothingCanBeTouched) {
  shm::Mapping space = shm::reserve(16 * kMiB).value();
  Warmer warmer(static_cast<uint8_t*>(space.address()), 16 * kMiB, clock_, plenty());
  warmer.demand(kMiB);
  EXPECT_EQ(warmer.step().warmed_bytes, 0U);
  EXPECT_EQ(warmer.method(), Warmer::Method::kOff);
  EXPECT_FALSE(warmer.wants_step());
}

TEST(MemoryStateTest, CanBeRead) {
  std::optional<MemoryState> state = read_memory_state();
  ASSERT_TRUE(state.has_value());
  EXPECT_GT(state->total_bytes, 0U);
  EXPECT_LE(state->available_bytes, state->total_bytes);
}

}  // namespace
}  // namespace sabir::store
