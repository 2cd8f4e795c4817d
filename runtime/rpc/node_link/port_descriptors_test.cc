// A node's port when the process has no descriptors left. Not with sanitizers: they need some of their own.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vector>

#include "runtime/rpc/node_link/testing/port_fixture.h"

namespace sabir::node_link {
namespace {

int64_t cpu_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

using PortDescriptorsTest = PortTest;

TEST_P(PortDescriptorsTest, WithoutDescriptorsItNeitherSpinsNorStaysAway) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<UniqueFd> strangers;
  for (int i = 0; i < 12; ++i) {
    strangers.push_back(UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  }
  UniqueFd highest(dup(strangers.back().get()));
  std::vector<UniqueFd> filling;
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(highest.get()) + 1;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  while (true) {
    UniqueFd one(dup(0));
    if (!one.valid()) {
      break;
    }
    filling.push_back(std::move(one));
  }
  SocketAddress address = look_up(head_.address())->front();
  for (UniqueFd& socket : strangers) {
    (void)!connect(socket.get(), address.get(), address.size_bytes);
  }
  int64_t cpu_before_ns = cpu_time_ns();
  EXPECT_TRUE(eventually([&] { return closed(strangers[0]) && closed(strangers[11]); }));
  int64_t pause_ns = 300 * kMillisecondNs;
  loop_.run_until([] { return false; }, pause_ns);
  EXPECT_LT(cpu_time_ns() - cpu_before_ns, pause_ns) << "it waits for most of the time";
  filling.clear();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  expect_unharmed();
}

INSTANTIATE_TEST_SUITE_P(Wires, PortDescriptorsTest, testing::Bool(),
                         [](const auto& wire) { return wire.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace sabir::node_link
