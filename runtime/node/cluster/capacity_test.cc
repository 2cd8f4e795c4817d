#include "runtime/node/cluster/capacity.h"

#include <gtest/gtest.h>

namespace sabir::cluster {
namespace {

ResourceSet set(Units cpus, Units gpus = 0) {
  ResourceSet set;
  set.set(node::kCpu, cpus);
  set.set(kGpu, gpus);
  return set;
}

TEST(CapacityTest, TakesAndGivesBack) {
  Capacity node(set(4 * kUnit, 2 * kUnit));
  ResourceSet request = set(kUnit, kUnit / 2);
  EXPECT_EQ(node.count_fitting(request, 100), 4u);
  EXPECT_EQ(node.count_fitting(request, 3), 3u);
  uint64_t first = node.take(request);
  EXPECT_EQ(node.take(request), first) << "fractions share one GPU as long as they fit";
  EXPECT_TRUE(node.fits(set(kUnit, kUnit)));
  EXPECT_FALSE(node.fits(set(0, 2 * kUnit)));
  EXPECT_TRUE(node.could_fit(set(0, 2 * kUnit)));
  EXPECT_EQ(node.percent_used_with(set(kUnit)), 75u);
  node.give_back(request, first);
  node.give_back(request, first);
  EXPECT_EQ(node.take(set(0, 2 * kUnit)), 3u);
  EXPECT_EQ(node.free(), set(4 * kUnit));
}

TEST(CapacityTest, HalvesOfTwoGpusAreNoWholeOne) {
  Capacity node(set(0, 2 * kUnit), set(0, kUnit), {kUnit / 2, kUnit / 2});
  EXPECT_FALSE(node.fits(set(0, kUnit)));
  EXPECT_EQ(node.count_fitting(set(0, kUnit / 2), 10), 2u);
}

TEST(CapacityTest, APartOfAGpuServesParts) {
  Capacity bundle(set(kUnit, kUnit / 2));
  EXPECT_FALSE(bundle.could_fit(set(0, kUnit)));
  EXPECT_TRUE(bundle.fits(set(0, kUnit / 2)));
  EXPECT_EQ(bundle.take(set(0, kUnit / 4)), 1u);
  EXPECT_EQ(bundle.count_fitting(set(0, kUnit / 4), 10), 1u);
}

TEST(CapacityTest, DebtsFitNothing) {
  Capacity node(set(2 * kUnit), set(-kUnit), {});
  EXPECT_FALSE(node.fits(set(1)));
  EXPECT_EQ(node.count_fitting(set(1), 5), 0u);
  EXPECT_TRUE(node.fits({})) << "who needs nothing always fits";
  EXPECT_EQ(node.count_fitting({}, 5), 5u);
}

TEST(CapacityTest, AListOfGpusThatDoesNotMatchTheTotal) {
  EXPECT_TRUE(Capacity(set(0, 2 * kUnit), set(0, 2 * kUnit), {kUnit, kUnit, kUnit}).gpu_free().size() == 2);
  EXPECT_FALSE(Capacity(set(0, 2 * kUnit), set(0, 2 * kUnit), {kUnit}).fits(set(0, 2 * kUnit)));
}

}  // namespace
}  // namespace sabir::cluster
