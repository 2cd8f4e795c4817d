// Q1-Q8, O4, D2-D4 under load, first as threads of one process (for TSan), then as processes, without kills.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "runtime/shm/testing/reference_node.h"

namespace sabir::shm::testing {
namespace {

uint64_t seed() {
  const char* given = std::getenv("SABIR_TEST_SEED");
  uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("SABIR_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
  // Before any fork: a child would print it again.
  std::fflush(stdout);
  return value;
}

TEST(StressTest, ThreadsOfOneProcess) {
  NodeOptions options;
  options.threads = true;
  options.submitters = 2;
  options.workers = 2;
  options.actors = 2;
  options.seed = seed();
  options.watching = options.seed % 2 == 0;
  options.run_ns = 2 * kSecondNs;
  ReferenceNode node(options);
  EXPECT_EQ(node.run(), "");
  EXPECT_GT(node.board().ended(), 100u);
  RecordProperty("calls", static_cast<int>(node.board().ended()));
}

TEST(StressTest, Processes) {
  NodeOptions options;
  options.submitters = 2;
  options.workers = 2;
  options.actors = 2;
  options.seed = seed();
  options.watching = options.seed % 2 == 0;
  options.run_ns = 2 * kSecondNs;
  options.in_flight = 100;
  ReferenceNode node(options);
  EXPECT_EQ(node.run(), "");
  EXPECT_GT(node.board().ended(), 1000u);
  std::printf("%llu calls\n", static_cast<unsigned long long>(node.board().ended()));
}

}  // namespace
}  // namespace sabir::shm::testing
