// A peer that has logged in may say anything that is well formed: it pays with its connection, not this node.
#include "tests/integration/gateway/hostile_peer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "runtime/gateway/exchange.h"

namespace sabir::gateway {
namespace {

uint32_t first_seed() {
  const char* given = std::getenv("SABIR_SEED");
  return given == nullptr ? 1 : static_cast<uint32_t>(std::atoi(given));
}

// Nothing that was made for the peer is left: no object, no call, nobody who broke a rule of shared memory.
bool is_settled(client::Client& client) {
  auto state = nlohmann::json::parse(client.core().self.session().status(10 * kSecondNs).value());
  const auto& counters = state["counters"];
  return counters["entries"] == 0 && counters["deaths_unsettled"] == 0 && counters["violations"] == 0;
}

TEST(HostilePeerTest, WhoRunsItsCallsLosesNothingByIt) {
  client::DriverOptions options;
  options.address = "local";
  options.node.resources = {{"CPU", 10'000}};
  options.node.store_bytes = 64 << 20;
  options.job.language_envs = {{1, rpc::LaunchMode::kExec, {"/bin/sleep", "1000"}, 1}};
  std::shared_ptr<client::Client> observer = client::Client::start_driver(options).value();
  options.address = observer->core().self.welcome().session_path;
  options.node = {};
  size_t refused = 0;
  size_t answers = 0;
  for (uint32_t seed = first_seed(); seed < first_seed() + 6; ++seed) {
    SCOPED_TRACE("SABIR_SEED=" + std::to_string(seed));
    testing::HostilePeer peer(seed);
    std::mutex peer_lock;
    std::shared_ptr<client::Client> driver = client::Client::start_driver(options).value();
    {
      testing::HostileLink link(peer, peer_lock);
      SteadyClock clock;
      NodeObjects objects(clock, [](const auto&, const auto& then) { then(nullptr); });
      Exchange exchange(link, clock, objects, [&](const rpc::JobDefinition&) { return driver; });
      for (int i = 0; i < 1500; ++i) {
        std::unique_lock held(peer_lock);
        rpc::NodeMessage message = peer.next();
        held.unlock();
        if (!exchange.receive(std::move(message)).ok()) {
          ++refused;  // its connection would be closed; here it goes on, which is worse
        }
        if (i % 16 == 0) {
          link.end_some(false);
          exchange.sweep();
        }
      }
      link.end_some(true);
      exchange.peer_lost("it was hostile");
      link.end_some(true);
      objects.leave(driver.get());
      answers += link.posted();
    }
    driver->shutdown();
    driver.reset();
    for (int i = 0; i < 3000 && !is_settled(*observer); ++i) {
      ::usleep(10'000);
    }
    ASSERT_TRUE(is_settled(*observer)) << observer->core().self.session().status(10 * kSecondNs).value();
  }
  EXPECT_GT(refused, 0u) << "of what was not defined";
  EXPECT_GT(answers, 0u);
}

}  // namespace
}  // namespace sabir::gateway
