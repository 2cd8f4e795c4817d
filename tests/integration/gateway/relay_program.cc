// A worker that has its calls run by another node: starts one of its own with so many CPUs, on which the given command
// is the workers'. relay_program WIDTH CPUS COMMAND... As a language environment's argv it puts a second node, and both
// sides of a gateway, behind any test; CPUs as many as the test's own node has, since that is what it counts on.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/gateway/exchange.h"
#include "tests/integration/gateway/loopback_link.h"

using namespace sabir;

namespace {

constexpr int64_t kSweepNs = 20'000;

std::shared_ptr<client::Client> start_target(const rpc::JobConfig& config, int64_t cpus,
                                             std::vector<std::string> command, uint8_t language) {
  client::DriverOptions options;
  options.address = "local";
  options.node.resources = {{"CPU", cpus * 10'000}, {"GPU", 40'000}, {"licence", 20'000}};
  options.node.store_bytes = 256 << 20;
  options.job = config;
  options.job.language_envs = {{language, rpc::LaunchMode::kExec, std::move(command), 1}};
  Result<std::unique_ptr<client::Client>> client = client::Client::start_driver(options);
  if (!client.ok()) {
    std::fprintf(stderr, "relay: %s\n", client.error().to_string().c_str());
    std::exit(1);
  }
  return *std::move(client);
}

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc < 4) {
    return 2;
  }
  auto width = static_cast<uint32_t>(std::atoi(argv[1]));
  int64_t cpus = std::atoi(argv[2]);
  std::vector<std::string> command(argv + 3, argv + argc);
  Result<std::unique_ptr<client::Client>> worker = client::Client::start_worker("", "");
  if (!worker.ok()) {
    std::fprintf(stderr, "relay: %s\n", worker.error().to_string().c_str());
    return 1;
  }
  const rpc::WelcomeInfo& welcome = (*worker)->core().self.welcome();
  std::shared_ptr<client::Client> target = start_target(welcome.job_config, cpus, command, welcome.language);
  testing::LoopbackLink origin_end;
  testing::LoopbackLink target_end;
  testing::LoopbackLink::join(origin_end, target_end);
  {
    SteadyClock clock;
    auto no_other = [](const auto&, const auto& then) { then(nullptr); };
    gateway::NodeObjects origin_objects(clock, no_other);
    gateway::NodeObjects remote_objects(clock, no_other);
    gateway::Exchange origin(origin_end, clock, origin_objects, {});
    gateway::Exchange remote(target_end, clock, remote_objects, [&](const rpc::JobDefinition&) { return target; });
    origin_end.set_receiver([&](rpc::NodeMessage message) { return origin.receive(std::move(message)); });
    target_end.set_receiver([&](rpc::NodeMessage message) { return remote.receive(std::move(message)); });
    origin.export_class(*std::move(worker), {.width = width, .resources = {{"CPU", 10'000}}});
    while (origin.sweep() != 0) {
      ::usleep(kSweepNs);
    }
    origin_end.close();
    target_end.close();
  }
  target->shutdown();
  return 0;
}
