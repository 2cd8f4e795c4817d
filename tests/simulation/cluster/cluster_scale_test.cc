// A thousand nodes in one thread: what scheduling and placement say to each other, and how long a decision takes. The
// test asserts that everything is served and nothing leaks; the figures are printed. SABIR_NODES=100 for another size.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "runtime/node/cluster/bundle_plan.h"
#include "tests/simulation/cluster/cluster_world.h"
#include "tests/simulation/cluster/sim_head.h"
#include "tests/simulation/cluster/sim_node.h"

namespace sabir::simulation {
namespace {

using namespace cluster;

Amounts cpus(double count) { return {{"CPU", static_cast<Units>(count * kUnit)}}; }

class Meter {
 public:
  explicit Meter(const ClusterWorld& world) : world_(world), start_ns_(world.now_ns()) {
    messages_ = world.messages;
    bytes_ = world.message_bytes;
    head_bytes_ = world.head_bytes;
    kinds_ = world.by_kind;
    done_ = world.calls_done;
  }
  void print(const char* what) {
    double seconds = static_cast<double>(world_.now_ns() - start_ns_) / 1e9;
    std::printf("%s, %.1f s: %.0f messages/s, %.2f MB/s, of these the head sends %.2f MB/s; %.0f calls/s\n", what,
                seconds, static_cast<double>(world_.messages - messages_) / seconds,
                static_cast<double>(world_.message_bytes - bytes_) / seconds / 1e6,
                static_cast<double>(world_.head_bytes - head_bytes_) / seconds / 1e6,
                static_cast<double>(world_.calls_done - done_) / seconds);
    for (const auto& [kind, now] : world_.by_kind) {
      auto& before = kinds_[kind];
      if (now.first > before.first) {
        std::printf("  %-20s %9.1f/s %12.0f B/s\n", kind.c_str(),
                    static_cast<double>(now.first - before.first) / seconds,
                    static_cast<double>(now.second - before.second) / seconds);
      }
    }
  }

 private:
  const ClusterWorld& world_;
  int64_t start_ns_;
  uint64_t messages_ = 0, bytes_ = 0, head_bytes_ = 0, done_ = 0;
  std::map<std::string, std::pair<uint64_t, uint64_t>> kinds_;
};

double thread_cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// Of this thread, so that a busy machine changes it little.
template <typename Body>
double time_us(int count, const Body& body) {
  double start_us = thread_cpu_us();
  for (int i = 0; i < count; ++i) {
    body();
  }
  return (thread_cpu_us() - start_us) / count;
}

void print_decision_times(ClusterWorld& world) {
  SimNode::Life& life = *world.nodes()[0]->life();
  Random random(1);
  Amounts one = cpus(1);
  auto choose = [&](const char* what, const Strategy& strategy, const std::vector<ArgumentBytes>& arguments,
                    bool local) {
    PlacementQuery query{.resources = &one, .strategy = &strategy, .local = local ? life.key.id : NodeId()};
    query.arguments = arguments;
    double each_us = time_us(2000, [&] { choose_node(query, life.view, random); });
    std::printf("  %-40s %8.1f us\n", what, each_us);
  };
  std::printf("one decision among %zu nodes:\n", life.view.nodes().size());
  choose("local, served here", {}, {}, true);
  choose("spilled to another node", {}, {}, false);
  choose("spread", {.kind = Strategy::Kind::kSpread}, {}, true);
  choose("by locality", {}, {{sim_node_id(7), 100 << 20}}, true);
  choose("by label", {.selector = {*parse_label_term("zone", "in(eu, us)")}}, {}, false);
  for (auto strategy :
       {GroupStrategy::kPack, GroupStrategy::kSpread, GroupStrategy::kStrictPack, GroupStrategy::kStrictSpread}) {
    std::vector<BundleSpec> bundles(8, BundleSpec{one});
    BundleQuery query{.strategy = strategy, .bundles = &bundles, .placed = std::vector<NodeKey>(8)};
    double each_us = time_us(50, [&] { plan_bundles(query, world.head().view(), random); });
    std::printf("  placement group of 8, %-18s %8.1f us\n", std::string(group_strategy_name(strategy)).c_str(),
                each_us);
  }
}

TEST(ClusterScaleTest, AThousandNodes) {
  const char* size = std::getenv("SABIR_NODES");
  size_t nodes = size != nullptr ? std::strtoull(size, nullptr, 10) : 1000;
  static constexpr const char* kZones[] = {"eu", "us", "asia"};
  ClusterOptions options;
  options.check_each_step = false;
  for (size_t i = 0; i < nodes; ++i) {
    options.nodes.push_back({cpus(8), {{"zone", kZones[i % 3]}}});
  }
  options.classes = {{cpus(1)}, {cpus(2)}, {cpus(1), {.kind = Strategy::Kind::kSpread}}};
  ClusterWorld world(1, std::move(options));
  {
    Meter meter(world);
    world.run_for(3 * kSecondNs);
    meter.print("joining");
  }
  for (const auto& node : world.nodes()) {
    ASSERT_EQ(node->life()->view.nodes().size(), nodes);
  }
  {
    Meter meter(world);
    world.run_for(5 * kSecondNs);
    meter.print("idle");
  }
  {
    // Forty drivers that keep a few hundred calls waiting each: more than their nodes have room for.
    Meter meter(world);
    for (int wave = 0; wave < 20; ++wave) {
      for (size_t driver = 0; driver < 40 && driver < nodes; ++driver) {
        world.submit(driver * (nodes / std::min<size_t>(nodes, 40)), driver % 3, 100, 400 * kMs);
      }
      world.run_for(500 * kMs);
    }
    meter.print("under load");
    print_decision_times(world);
  }
  {
    Meter meter(world);
    uint64_t count = nodes / 5;
    for (uint64_t i = 0; i < count; ++i) {
      IdBits bits;
      bits.bytes[0] = static_cast<uint8_t>((i + 1) >> 8);
      bits.bytes[1] = static_cast<uint8_t>(i + 1);
      world.create_group({.id = GroupId(bits),
                          .job = JobKey(IdBits{.bytes = {1}}),
                          .strategy = static_cast<GroupStrategy>(i % 4),
                          .bundles = std::vector<BundleSpec>(4, BundleSpec{cpus(1)})});
    }
    int64_t start_ns = world.now_ns();
    ASSERT_TRUE(
        world.run_until([&] { return world.calls_left().empty() && world.groups_wrong().empty(); }, 60 * kSecondNs))
        << world.calls_left() << "; " << world.groups_wrong();
    std::printf("%llu groups of 4 bundles were ready, and all calls done, after %lld ms\n",
                static_cast<unsigned long long>(count), static_cast<long long>((world.now_ns() - start_ns) / kMs));
    for (const PlacementGroups::View& view : world.head().groups().views()) {
      ASSERT_EQ(view.phase, GroupPhase::kReady);
      world.remove_group(view.record->spec.id);
    }
    meter.print("placement groups");
  }
  ASSERT_TRUE(world.run_until([&] { return world.something_left().empty(); }, 60 * kSecondNs))
      << world.something_left();
  EXPECT_EQ(world.calls_done, 20u * 100u * std::min<size_t>(nodes, 40));
}

}  // namespace
}  // namespace sabir::simulation
