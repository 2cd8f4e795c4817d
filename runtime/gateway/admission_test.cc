#include "runtime/gateway/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <utility>

namespace sabir::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Priority = Admission::Priority;

class AdmissionTest : public ::testing::Test {
 protected:
  void enter(int name, uint64_t size_bytes, Priority priority = Priority::kArguments) {
    admission_.enter(&admission_, size_bytes, priority, [this, name](bool) { begun_.push_back(name); });
  }
  std::vector<int> take() {
    begun_.clear();
    for (Admission::Begin& begin : admission_.take()) {
      begin(true);
    }
    return begun_;
  }
  Admission admission_{100};
  std::vector<int> begun_;
};

TEST_F(AdmissionTest, WhatFitsBeginsAndTheRestWaits) {
  enter(1, 60);
  enter(2, 40);
  enter(3, 1);
  EXPECT_THAT(take(), ElementsAre(1, 2));
  EXPECT_THAT(take(), IsEmpty());
  admission_.leave(40, Priority::kArguments);
  EXPECT_THAT(take(), ElementsAre(3));
}

TEST_F(AdmissionTest, WhatIsTooLargeGoesAlone) {
  enter(1, 500);
  enter(2, 1);
  EXPECT_THAT(take(), ElementsAre(1)) << "one always does";
  admission_.leave(500, Priority::kArguments);
  EXPECT_THAT(take(), ElementsAre(2));
}

TEST_F(AdmissionTest, WhatIsSmallDoesNotOvertake) {
  enter(1, 50);
  enter(2, 60);
  enter(3, 10);
  EXPECT_THAT(take(), ElementsAre(1));
  admission_.leave(50, Priority::kArguments);
  EXPECT_THAT(take(), ElementsAre(2, 3));
}

TEST_F(AdmissionTest, WhatSomebodyWaitsForDoesNotWaitForArguments) {
  enter(1, 100);
  enter(2, 50);
  EXPECT_THAT(take(), ElementsAre(1));
  enter(3, 80, Priority::kWaited);
  enter(4, 30, Priority::kWaited);
  EXPECT_THAT(take(), ElementsAre(3));
  admission_.leave(100, Priority::kArguments);
  admission_.leave(80, Priority::kWaited);
  EXPECT_THAT(take(), ElementsAre(4, 2)) << "the most urgent first";
}

TEST_F(AdmissionTest, WhoLeavesTakesWhatWaits) {
  int other = 0;
  bool admitted = true;
  enter(1, 100);
  (void)take();
  admission_.enter(&other, 100, Priority::kArguments, [&](bool is_admitted) { admitted = is_admitted; });
  enter(2, 100);
  EXPECT_TRUE(admission_.is_waiting());
  for (Admission::Begin& begin : admission_.remove(&other)) {
    begin(false);
  }
  EXPECT_FALSE(admitted);
  admission_.leave(100, Priority::kArguments);
  EXPECT_THAT(take(), ElementsAre(2));
  EXPECT_FALSE(admission_.is_waiting());
}

TEST_F(AdmissionTest, EverythingHasItsTurn) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Admission admission(100);
    std::vector<std::pair<uint64_t, Priority>> under_way;
    size_t begun = 0;
    for (int i = 0; i < 100; ++i) {
      uint64_t size = random() % 150;
      Priority priority = random() % 2 == 0 ? Priority::kWaited : Priority::kArguments;
      admission.enter(nullptr, size, priority,
                      [&under_way, size, priority](bool) { under_way.emplace_back(size, priority); });
    }
    while (begun < 100) {
      for (Admission::Begin& begin : admission.take()) {
        begin(true);
        ++begun;
      }
      ASSERT_FALSE(under_way.empty()) << "seed " << seed;
      for (Priority priority : {Priority::kWaited, Priority::kArguments}) {
        uint64_t bytes = 0;
        size_t count = 0;
        for (const auto& [size, its] : under_way) {
          bytes += its == priority ? size : 0;
          count += its == priority ? 1 : 0;
        }
        ASSERT_TRUE(bytes <= 100 || count == 1) << "seed " << seed;
      }
      std::swap(under_way[random() % under_way.size()], under_way.back());
      admission.leave(under_way.back().first, under_way.back().second);
      under_way.pop_back();
    }
  }
}

}  // namespace
}  // namespace sabir::gateway
