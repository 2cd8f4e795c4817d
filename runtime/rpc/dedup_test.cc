// A request is executed once, however often it arrives: with a plain Cap'n Proto client that sends what it likes.
#include <capnp/rpc-twoparty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "runtime/base/clock.h"
#include "runtime/loop/poll_port.h"
#include "runtime/rpc/handshake.h"
#include "runtime/rpc/testing/fake_node.h"
#include "schema/session.capnp.h"

namespace sabir::rpc {
namespace {

constexpr int64_t kLong = 20 * kSecondNs;

// A process that speaks the protocol by hand, on the test's thread.
class BarePeer {
 public:
  explicit BarePeer(FakeNode& node) : loop_(port_), scope_(loop_) {
    UniqueFd socket = node.dial();
    shake_hands(socket.get(), FakeNode::driver_hello(), kLong).value();
    int fd = socket.get();
    stream_ = kj::heap<loop::SocketStream>(std::move(socket), port_.watch(fd));
    client_ = kj::heap<capnp::TwoPartyClient>(*stream_);
    session_ = client_->bootstrap().castAs<schema::Session>();
  }

  schema::Session::Client& session() { return session_; }
  kj::WaitScope& scope() { return scope_; }

  auto lend(uint64_t id) {
    auto request = session_.lendRequest();
    request.setRequestId(id);
    request.setKind(schema::LendKind::CELLS);
    return request.send();
  }

 private:
  loop::PollPort port_{[] {}};
  kj::EventLoop loop_;
  kj::WaitScope scope_;
  kj::Own<loop::SocketStream> stream_;
  kj::Own<capnp::TwoPartyClient> client_;
  schema::Session::Client session_ = nullptr;
};

TEST(DedupTest, SecondRequestGetsTheFirstOnesAnswer) {
  FakeNode node;
  BarePeer peer(node);
  uint32_t first = peer.lend(5).wait(peer.scope()).getIndex();
  EXPECT_EQ(peer.lend(5).wait(peer.scope()).getIndex(), first);
  EXPECT_NE(peer.lend(6).wait(peer.scope()).getIndex(), first);
  EXPECT_EQ(node.handler().count("lend 0"), 2u);
}

TEST(DedupTest, TwiceInFlightRunsOnce) {
  FakeNode node;
  BarePeer peer(node);
  node.on_loop([&](SessionServer&) { node.handler().hold(); });
  auto first = peer.lend(1);
  auto second = peer.lend(1);
  ASSERT_TRUE(eventually([&] {
    peer.scope().poll();
    return node.handler().count("lend 0") == 1;
  }));
  // The second one is there too: what was sent after it has arrived.
  auto other = peer.lend(2);
  ASSERT_TRUE(eventually([&] {
    peer.scope().poll();
    return node.handler().count("lend 0") == 2;
  }));
  node.on_loop([&](SessionServer&) { node.handler().release(); });
  uint32_t index = first.wait(peer.scope()).getIndex();
  EXPECT_EQ(second.wait(peer.scope()).getIndex(), index);
  EXPECT_NE(other.wait(peer.scope()).getIndex(), index);
}

TEST(DedupTest, FailuresAreRememberedToo) {
  FakeNode node;
  BarePeer peer(node);
  for (int i = 0; i < 2; ++i) {
    auto request = peer.session().returnLoanRequest();
    request.setRequestId(9);
    request.setOffset(0);
    auto response = request.send().wait(peer.scope());
    EXPECT_EQ(response.getFailure().getStatus(), static_cast<int>(ErrorKind::kInvalid));
    EXPECT_STREQ(response.getFailure().getMessage().cStr(), "no such loan");
  }
  EXPECT_EQ(node.handler().count("return_loan 0"), 1u);
}

TEST(DedupTest, OneIdIsOneMethod) {
  FakeNode node;
  BarePeer peer(node);
  peer.lend(1).wait(peer.scope());
  auto request = peer.session().leaveRequest();
  request.setRequestId(1);
  EXPECT_EQ(request.send().wait(peer.scope()).getFailure().getStatus(), static_cast<int>(ErrorKind::kInvalid));
  EXPECT_EQ(node.handler().count("leave"), 0u);
}

TEST(DedupTest, ForgottenRequestIsRefusedNotRepeated) {
  SessionServerOptions options;
  options.max_remembered_answers = 4;
  FakeNode node(std::move(options));
  BarePeer peer(node);
  for (uint64_t id = 1; id <= 10; ++id) {
    peer.lend(id).wait(peer.scope());
  }
  EXPECT_FALSE(peer.lend(9).wait(peer.scope()).hasFailure());
  auto old = peer.lend(3).wait(peer.scope());
  EXPECT_EQ(old.getFailure().getStatus(), static_cast<int>(ErrorKind::kInvalid));
  EXPECT_EQ(peer.lend(0).wait(peer.scope()).getFailure().getStatus(), static_cast<int>(ErrorKind::kInvalid));
  EXPECT_EQ(node.handler().count("lend 0"), 10u);
}

TEST(DedupTest, IdsOfTwoProcessesAreApart) {
  FakeNode node;
  FakeNotices notices;
  auto a = node.client(&notices);
  auto b = node.client(&notices);
  EXPECT_NE(a->lend(LendKind::kCells, kLong).value(), b->lend(LendKind::kCells, kLong).value());
}

TEST(DedupTest, CallsInFlightAreBounded) {
  SessionServerOptions options;
  options.max_calls_in_flight = 3;
  FakeNode node(std::move(options));
  BarePeer peer(node);
  node.on_loop([&](SessionServer&) { node.handler().hold(); });
  auto first = peer.lend(1);
  auto second = peer.lend(2);
  auto third = peer.lend(3);
  EXPECT_EQ(peer.lend(4).wait(peer.scope()).getFailure().getStatus(), static_cast<int>(ErrorKind::kExhausted));
  node.on_loop([&](SessionServer&) { node.handler().release(); });
  EXPECT_FALSE(third.wait(peer.scope()).hasFailure());
  // It had no effect, so under its id it may come again.
  EXPECT_FALSE(peer.lend(4).wait(peer.scope()).hasFailure());
}

// Faults between a real client and the node.

SessionServerOptions options_with(const char* plan) {
  SessionServerOptions options;
  options.fault_point = parse_fault_plan(plan).value();
  return options;
}

TEST(RpcFaultTest, LostReplyIsAskedForAgainAndTheCallRunsOnce) {
  FakeNode node(options_with("lend=drop_reply*1"));
  FakeNotices notices;
  auto client = node.client(&notices);
  EXPECT_EQ(client->lend(LendKind::kCells, 2 * kSecondNs).value(), 1u);
  EXPECT_EQ(node.handler().count("lend 0"), 1u);
}

TEST(RpcFaultTest, LostRequestIsSentAgain) {
  FakeNode node(options_with("*=drop_request*1"));
  FakeNotices notices;
  auto client = node.client(&notices);
  EXPECT_TRUE(client->kv_put("k", "v", false, 2 * kSecondNs).value());
  EXPECT_EQ(node.handler().count("kv_put k"), 1u);
}

TEST(RpcFaultTest, DeadlineHoldsWhenNothingComesBack) {
  FakeNode node(options_with("lend=drop_reply,status=drop_request"));
  FakeNotices notices;
  auto client = node.client(&notices);
  EXPECT_EQ(client->lend(LendKind::kCells, 50 * kMillisecondNs).error().kind(), ErrorKind::kTimeout);
  EXPECT_EQ(client->status(50 * kMillisecondNs).error().kind(), ErrorKind::kTimeout);
  EXPECT_EQ(node.handler().count("lend 0"), 1u);
  EXPECT_TRUE(client->kv_put("k", "v", false, kLong).ok());
}

TEST(RpcFaultTest, WhatComesTooLateIsNotLost) {
  FakeNode node(options_with("lend=delay_reply*2:300,loan=delay_reply*2:300"));
  FakeNotices notices;
  auto client = node.client(&notices);
  EXPECT_EQ(client->lend(LendKind::kCells, 50 * kMillisecondNs).error().kind(), ErrorKind::kTimeout);
  EXPECT_EQ(client->loan(4096, 0, 50 * kMillisecondNs).error().kind(), ErrorKind::kTimeout);
  // The loan goes back by itself; the chunk of cells serves the next one who asks.
  EXPECT_TRUE(eventually([&] { return node.handler().count("return_loan 4096") == 1; }));
  EXPECT_EQ(client->lend(LendKind::kCells, kLong).value(), 1u);
  EXPECT_EQ(node.handler().count("lend 0"), 1u);
}

TEST(RpcFaultTest, ConnectionThatBreaksInsteadOfAnAnswer) {
  FakeNode node(options_with("lend=close"));
  FakeNotices notices;
  auto client = node.client(&notices);
  EXPECT_EQ(client->lend(LendKind::kCells, kLong).error().kind(), ErrorKind::kDisconnected);
  EXPECT_TRUE(eventually([&] { return notices.has("disconnect"); }));
  EXPECT_TRUE(eventually([&] { return node.handler().disconnects() == 1; }));
}

}  // namespace
}  // namespace sabir::rpc
