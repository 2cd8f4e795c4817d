// What strangers may do to a node's port: it costs them their connections, and nobody else anything.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <random>
#include <string>
#include <vector>

#include "runtime/rpc/node_link/testing/test_node.h"

namespace sabir::node_link {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t count_of(const std::string& part, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

int64_t cpu_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

class PortAbuseTest : public testing::TestWithParam<bool> {
 protected:
  static NodePortOptions options() {
    return {.max_logins = 8, .login_timeout_ns = kSecondNs, .limits = {.burst = 1000, .per_second = 1000}};
  }

  void SetUp() override {
    head_.listen();
    head_.befriend(peer_);
  }

  UniqueFd stranger() {
    UniqueFd socket = start_connect(look_up(head_.address())->front(), {}).value();
    sockaddr_storage address;
    socklen_t size_bytes = sizeof(address);
    EXPECT_TRUE(eventually([&] {
      size_bytes = sizeof(address);
      return getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &size_bytes) == 0;
    }));
    return socket;
  }
  void say(const UniqueFd& socket, const std::string& bytes) {
    (void)!send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  // Read to the end, which has come.
  bool closed(const UniqueFd& socket) {
    char buffer[4096];
    ssize_t count = 0;
    do {
      count = recv(socket.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    } while (count > 0);
    return count == 0 || errno == ECONNRESET;
  }
  bool eventually(const std::function<bool()>& done) {
    loop::Timer tick(loop_, [] {});
    tick.start_periodic(5 * kMillisecondNs);
    return loop_.run_until(done, kTestTimeoutNs);
  }
  void expect_unharmed() {
    Failure failure = peer_.dial(head_.target(), peer_.hello_to(head_));
    EXPECT_EQ(failure.refusal, Refusal::kNone) << failure.message;
    EXPECT_TRUE(eventually([this] { return head_.port.login_count() == 0; }));
  }

  loop::EventLoop loop_;
  ClusterId cluster_ = ClusterId::random();
  TestNode head_{loop_, GetParam(), cluster_, options()};
  TestNode peer_{loop_, GetParam(), cluster_};
};

TEST_P(PortAbuseTest, ScannersAreClosedWithOneLine) {
  std::mt19937 random(7);
  std::vector<std::string> probes = {
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
      std::string(1, '\x16'),
      std::string(8, '\0'),
      std::string(64, '\xff'),
      std::string("\x08\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00", 12),
  };
  for (int i = 0; i < 40; ++i) {
    std::string noise(1 + random() % 3000, '\0');
    for (char& byte : noise) {
      byte = static_cast<char>(random());
    }
    probes.push_back(noise);
  }
  for (const std::string& probe : probes) {
    UniqueFd socket = stranger();
    say(socket, probe);
    shutdown(socket.get(), SHUT_WR);
    EXPECT_TRUE(eventually([&] { return closed(socket); }));
  }
  expect_unharmed();
  EXPECT_EQ(count_of("node port: refused", head_.log.text()), 1u) << head_.log.text();
  EXPECT_TRUE(head_.accepted.size() == 1);
}

TEST_P(PortAbuseTest, WhoSaysNothingOrTooSlowlyIsClosed) {
  UniqueFd silent = stranger();
  UniqueFd slow = stranger();
  Hello hello = peer_.hello_to(head_);
  std::string bytes =
      GetParam() ? std::string("\x16\x03\x01\x40\x00", 5) + std::string(1000, 'x') : encode_hello(hello);
  size_t next = 0;
  loop::Timer drip(loop_, [&] { say(slow, bytes.substr(next++ % bytes.size(), 1)); });
  drip.start_periodic(30 * kMillisecondNs);
  EXPECT_TRUE(eventually([&] { return closed(silent) && closed(slow); }));
  drip.stop();
  EXPECT_GT(next, 5u);
  expect_unharmed();
}

TEST_P(PortAbuseTest, TheOldestOfTooManyGoes) {
  std::vector<UniqueFd> strangers;
  for (int i = 0; i < 30; ++i) {
    strangers.push_back(stranger());
    EXPECT_LE(head_.port.login_count(), 8u);
  }
  EXPECT_TRUE(eventually([&] { return closed(strangers[21]); }));
  EXPECT_FALSE(closed(strangers[29])) << "the newest";
  Failure failure = peer_.dial(head_.target(), peer_.hello_to(head_));
  EXPECT_EQ(failure.refusal, Refusal::kNone) << failure.message;
  EXPECT_EQ(count_of("of the oldest connections", head_.log.text()), 1u);
}

TEST_P(PortAbuseTest, WithoutDescriptorsItNeitherSpinsNorStaysAway) {
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

INSTANTIATE_TEST_SUITE_P(Wires, PortAbuseTest, testing::Bool(),
                         [](const auto& wire) { return wire.param ? "Tls" : "Plain"; });

TEST(LoginRateTest, AnAddressThatFailsTooOftenIsTurnedAwayForAWhile) {
  loop::EventLoop loop;
  ClusterId cluster = ClusterId::random();
  TestNode head(loop, true, cluster, {.limits = {.burst = 5, .per_second = 5}});
  TestNode joiner(loop, true, ClusterId());
  Token token = Token::random();
  head.tokens.add(token);
  head.listen();
  size_t told = 0;
  for (int i = 0; i < 15; ++i) {
    told += joiner.dial(head.target(), joiner.joining_hello(Token::random())).refusal == Refusal::kWrongToken ? 1 : 0;
  }
  EXPECT_GE(told, 5u);
  EXPECT_EQ(count_of("node port: refused", head.log.text()), 1u) << head.log.text();
  // And once it has waited, it comes in.
  EXPECT_TRUE(
      loop.run_until([&] { return joiner.dial(head.target(), joiner.joining_hello(token)).refusal == Refusal::kNone; },
                     kTestTimeoutNs));
}

}  // namespace
}  // namespace sabir::node_link
