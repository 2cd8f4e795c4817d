// What strangers may do to a node's port: it costs them their connections, and nobody else anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/rpc/node_link/testing/port_fixture.h"

namespace sabir::node_link {
namespace {

size_t count_of(const std::string& part, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

using PortAbuseTest = PortTest;

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

// Behind TLS, by somebody with a certificate that nobody knows.
TEST_P(PortAbuseTest, GarbageInsteadOfAHelloIsAnsweredAndClosed) {
  Hello hello = peer_.hello_to(head_);
  std::string frame = encode_hello(hello);
  std::vector<std::string> probes = {
      std::string("\xff\xff\xff\x7f", 4),
      std::string("\x01\0\0\0x", 5),
      frame.substr(0, 4) + std::string(frame.size() - 4, '\xff'),
      frame.substr(0, 4) + std::string(frame.size() - 4, '\0'),
      encode_welcome({.failure = {Refusal::kFenced, "what an acceptor says"}}),
      frame,
      frame + "and more",
  };
  TestNode stranger_node(loop_, true, cluster_);
  for (const std::string& probe : probes) {
    UniqueFd socket = stranger();
    std::unique_ptr<Wire> wire = GetParam() ? stranger_node.tls->dial(std::move(socket), head_.identity.fingerprint())
                                            : make_plain_wire(std::move(socket));
    ASSERT_TRUE(eventually([&] { return wire->handshake().status == IoStatus::kDone; }));
    if (!GetParam() && (probe == frame || probe == frame + "and more")) {
      continue;  // without TLS, who says that it is a member is one
    }
    std::string received;
    bool said = false;
    EXPECT_TRUE(eventually([&] {
      auto bytes = reinterpret_cast<const uint8_t*>(probe.data());
      said = said || wire->write({bytes, probe.size()}).status == IoStatus::kDone;
      std::array<uint8_t, 4096> buffer;
      IoResult result = wire->read(buffer);
      received.append(reinterpret_cast<char*>(buffer.data()), result.size_bytes);
      return result.status == IoStatus::kEnd || result.status == IoStatus::kFailed;
    }));
    ASSERT_GT(received.size(), 4u);
    auto welcome = decode_welcome(std::string_view(received).substr(4));
    ASSERT_TRUE(welcome.ok()) << welcome.error().message();
    EXPECT_TRUE(welcome->failure.refusal == Refusal::kMalformed ||
                welcome->failure.refusal == Refusal::kUnknownCertificate);
    EXPECT_TRUE(welcome->node.id.is_nil()) << "a stranger learns nothing";
  }
  expect_unharmed();
  EXPECT_EQ(head_.accepted.size(), 1u);
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
