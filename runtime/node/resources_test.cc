#include "runtime/node/resources.h"

#include <gtest/gtest.h>

#include <random>

namespace sabir::node {
namespace {

NodeResources node(std::vector<ResourceRequest> totals) {
  auto made = NodeResources::create(totals);
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

TEST(ResourcesTest, UnitsAreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(format_units(0), "0");
  EXPECT_EQ(format_units(kUnit), "1");
  EXPECT_EQ(format_units(kUnit / 2), "0.5");
  EXPECT_EQ(format_units(2 * kUnit + 1), "2.0001");
  EXPECT_EQ(format_units(-kUnit - 2500), "-1.25");
}

TEST(ResourcesTest, SetsAreSortedAndForgetZeros) {
  ResourceSet a, b;
  a.set(5, 1);
  a.set(2, 7);
  a.set(3, 9);
  a.set(3, 0);
  b.set(2, 7);
  b.set(5, 1);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.get(3), 0);
  EXPECT_EQ(a.get(5), 1);
}

TEST(ResourcesTest, RefusesWhatMakesNoSense) {
  NodeResources n = node({{"CPU", 2 * kUnit}});
  EXPECT_EQ(n.resolve({{"CPU", -1}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(n.resolve({{"CPU", INT64_MAX}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(n.resolve({{"", 1}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(n.resolve({{"CPU", 1}, {"CPU", 1}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(n.resolve({{"GPU", kUnit + 1}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(n.resolve(std::vector<ResourceRequest>(40, {"x", 1})).error().kind(), ErrorKind::kInvalid);
  EXPECT_FALSE(NodeResources::create({{"GPU", kUnit / 2}}).ok());
  EXPECT_FALSE(NodeResources::create({{"GPU", 65 * kUnit}}).ok());
}

TEST(ResourcesTest, NamesAreBounded) {
  NodeResources n = node({});
  for (size_t i = n.name_count(); i < kMaxResourceNames; ++i) {
    ASSERT_TRUE(n.resolve({{"r" + std::to_string(i), 1}}).ok());
  }
  EXPECT_EQ(n.resolve({{"more", 1}}).error().kind(), ErrorKind::kExhausted);
  EXPECT_TRUE(n.resolve({{"more", 0}, {"r7", 1}}).ok());
}

TEST(ResourcesTest, SaysWhatIsMissing) {
  NodeResources n = node({{"CPU", 2 * kUnit}});
  ResourceSet request = *n.resolve({{"CPU", 4 * kUnit}, {"licence", kUnit / 2}});
  EXPECT_EQ(n.infeasible(request), "needs 4 CPU, this node has 2; needs 0.5 licence, this node has 0");
  EXPECT_EQ(n.describe(request), "{CPU: 4, licence: 0.5}");
  EXPECT_EQ(n.infeasible(*n.resolve({{"CPU", 2 * kUnit}})), "");
}

TEST(ResourcesTest, TakesAndGivesBack) {
  NodeResources n = node({{"CPU", 2 * kUnit}, {"licence", kUnit}});
  ResourceSet request = *n.resolve({{"CPU", kUnit}, {"licence", kUnit}});
  Allocation first = n.take(request);
  EXPECT_FALSE(n.fits(request));
  EXPECT_TRUE(n.fits(*n.resolve({{"CPU", kUnit}})));
  n.give_back(first);
  EXPECT_TRUE(n.fits(request));
  EXPECT_EQ(n.free(kCpu), 2 * kUnit);
}

TEST(ResourcesTest, L4_OnlyTheCpuIsLentAndItIsTakenBackAtOnce) {
  NodeResources n = node({{"CPU", kUnit}, {"memory", 100 * kUnit}});
  ResourceSet request = *n.resolve({{"CPU", kUnit}, {"memory", 60 * kUnit}});
  Allocation first = n.take(request);
  n.lend_cpu(first);
  EXPECT_EQ(n.free(kCpu), kUnit);
  EXPECT_EQ(n.free(kMemory), 40 * kUnit);
  Allocation second = n.take(*n.resolve({{"CPU", kUnit}}));
  n.take_back_cpu(first);
  EXPECT_EQ(n.free(kCpu), -kUnit);
  EXPECT_FALSE(n.fits(*n.resolve({{"CPU", 1}})));
  n.give_back(first);
  n.give_back(second);
  EXPECT_EQ(n.free(kCpu), kUnit);
  Allocation dies_while_lent = n.take(request);
  n.lend_cpu(dies_while_lent);
  n.give_back(dies_while_lent);
  EXPECT_EQ(n.free(kCpu), kUnit);
}

TEST(ResourcesTest, WholeGpusComeByIndexAndFractionsShareOne) {
  NodeResources n = node({{"GPU", 3 * kUnit}});
  ResourceSet half = *n.resolve({{"GPU", kUnit / 2}});
  ResourceSet two = *n.resolve({{"GPU", 2 * kUnit}});
  Allocation a = n.take(half), b = n.take(half);
  EXPECT_EQ(a.gpu_mask, b.gpu_mask) << "fractions fill one GPU before they open another";
  Allocation c = n.take(two);
  EXPECT_EQ(c.gpu_mask & a.gpu_mask, 0u);
  EXPECT_EQ(c.gpu_mask | a.gpu_mask, 0b111u);
  EXPECT_FALSE(n.fits(*n.resolve({{"GPU", 1}})));
  n.give_back(a);
  EXPECT_TRUE(n.fits(half));
  EXPECT_FALSE(n.fits(*n.resolve({{"GPU", kUnit}}))) << "one half is still used";
}

TEST(ResourcesTest, FragmentsAreNoWholeGpu) {
  NodeResources n = node({{"GPU", 2 * kUnit}});
  ResourceSet most = *n.resolve({{"GPU", 6'000}});
  Allocation a = n.take(most), b = n.take(most);
  EXPECT_NE(a.gpu_mask, b.gpu_mask);
  EXPECT_EQ(n.free(kGpu), 8'000);
  EXPECT_FALSE(n.fits(*n.resolve({{"GPU", 8'000}}))) << "0.4 here and 0.4 there";
}

TEST(ResourcesTest, RandomTakesAndReturnsEndWhereTheyBegan) {
  std::mt19937_64 random(7);
  NodeResources n = node({{"CPU", 4 * kUnit}, {"GPU", 4 * kUnit}, {"memory", kUnit}});
  std::vector<Allocation> held;
  for (int i = 0; i < 20'000; ++i) {
    Units gpu = random() % 2 != 0 ? static_cast<Units>(random() % kUnit) : static_cast<Units>(random() % 5) * kUnit;
    ResourceSet request = *n.resolve({{"CPU", static_cast<Units>(random() % (2 * kUnit))},
                                      {"GPU", gpu},
                                      {"memory", static_cast<Units>(random() % 3'000)}});
    if (n.fits(request)) {
      held.push_back(n.take(request));
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      n.give_back(held.back());
      held.pop_back();
    }
    for (ResourceId id : {kCpu, kGpu, kMemory}) {
      ASSERT_GE(n.free(id), 0);
    }
  }
  for (const Allocation& allocation : held) {
    n.give_back(allocation);
  }
  EXPECT_EQ(n.free(kCpu), 4 * kUnit);
  EXPECT_TRUE(n.fits(*n.resolve({{"GPU", 4 * kUnit}})));
}

}  // namespace
}  // namespace sabir::node
