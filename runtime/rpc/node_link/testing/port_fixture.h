// PortTest: a node's port, a member of its cluster, and strangers.
#pragma once

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <string>

#include "runtime/rpc/node_link/testing/test_node.h"

namespace sabir::node_link {

// The parameter: with TLS.
class PortTest : public testing::TestWithParam<bool> {
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

}  // namespace sabir::node_link
