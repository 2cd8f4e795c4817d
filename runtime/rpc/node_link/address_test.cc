#include "runtime/rpc/node_link/address.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "runtime/base/clock.h"

namespace sabir::node_link {
namespace {

using testing::HasSubstr;

SocketAddress address(const std::string& host, uint16_t port = 80) { return look_up({host, port}).value().front(); }

int option(int socket, int level, int name) {
  int value = -1;
  socklen_t size_bytes = sizeof(value);
  EXPECT_EQ(getsockopt(socket, level, name, &value, &size_bytes), 0);
  return value;
}

TEST(AddressTest, TextsAndNetworks) {
  EXPECT_EQ(address("10.1.2.3").text(), "10.1.2.3:80");
  EXPECT_EQ(address("fe80::1").text(), "[fe80::1]:80");
  EXPECT_EQ(address("fe80::1").port(), 80);
  EXPECT_NE(address("10.1.2.3").network(), address("10.1.2.4").network());
  EXPECT_EQ(address("10.1.2.3", 1).network(), address("10.1.2.3", 2).network());
  EXPECT_EQ(address("2001:db8:1:2::1").network(), address("2001:db8:1:2:ffff::9").network()) << "one host's";
  EXPECT_NE(address("2001:db8:1:2::1").network(), address("2001:db8:1:3::1").network());
  EXPECT_EQ(address("::ffff:10.1.2.3").network(), address("10.1.2.3").network());
}

TEST(AddressTest, WhatIsNoHostIsNotFound) {
  auto none = look_up({"no-such-host.invalid", 80});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(none.error().message(), HasSubstr("no-such-host.invalid"));
}

TEST(AddressTest, WhereAMachineIsReachedDependsOnWhoAsks) {
  EXPECT_EQ(own_address_towards({"127.0.0.1", 80}).value(), "127.0.0.1");
  EXPECT_EQ(own_address_towards({"127.9.9.9", 80}).value(), "127.0.0.1");
  EXPECT_EQ(own_address_towards({"no-such-host.invalid", 80}).error().kind(), ErrorKind::kNotFound);
}

TEST(AddressTest, SocketsFindDeadPeers) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(prepare_socket(socket.get(), {.user_timeout_ns = 7 * kSecondNs, .keepalive_ns = 8 * kSecondNs}).ok());
  EXPECT_EQ(option(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT), 7000);
  EXPECT_EQ(option(socket.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(socket.get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  int idle_s = option(socket.get(), IPPROTO_TCP, TCP_KEEPIDLE);
  int interval_s = option(socket.get(), IPPROTO_TCP, TCP_KEEPINTVL);
  EXPECT_EQ(idle_s + 3 * interval_s, 8);
  EXPECT_EQ(option(socket.get(), IPPROTO_TCP, TCP_KEEPCNT), 3);
}

TEST(AddressTest, APortInUseIsSaid) {
  UniqueFd first = listen_at(address("127.0.0.1", 0)).value();
  auto second = listen_at(local_address(first.get()));
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message(), HasSubstr("listen at 127.0.0.1:"));
}

TEST(LookupTest, CallsBackOnceAndNotAfterItsEnd) {
  loop::EventLoop loop;
  int calls = 0;
  {
    Lookup lookup(loop, {"127.0.0.1", 80}, [&calls](Result<Addresses>) { ++calls; });
    EXPECT_EQ(calls, 0) << "never from inside";
    EXPECT_TRUE(loop.run_until([&] { return calls == 1; }, 20 * kSecondNs));
  }
  for (int i = 0; i < 20; ++i) {
    Lookup dropped(loop, {"localhost", 80}, [&calls](Result<Addresses>) { ++calls; });
  }
  Lookup name(loop, {"localhost", 80}, [&calls](Result<Addresses> found) { calls += found.ok() ? 10 : 100; });
  EXPECT_TRUE(loop.run_until([&] { return calls > 1; }, 20 * kSecondNs));
  loop.run_until([] { return false; }, 20 * kMillisecondNs);
  EXPECT_EQ(calls, 11);
}

}  // namespace
}  // namespace sabir::node_link
