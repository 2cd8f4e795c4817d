// Nodes with their links, over loopback and through a network that fails.
#include "runtime/rpc/node_link/node_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>

#include "runtime/rpc/node_link/testing/link_node.h"
#include "runtime/rpc/node_link/testing/proxy.h"

namespace sabir::node_link {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class NodeLinksTest : public testing::TestWithParam<bool> {
 protected:
  NodeLinksTest() {
    a_.listen();
    b_.listen();
    a_.know(b_);
    b_.know(a_);
  }
  ~NodeLinksTest() noexcept override = default;

  NodeLink& link(LinkNode& from, const LinkNode& to) { return *from.links->link(to.local.node).value(); }

  // What the other answers, or the failure.
  kj::Promise<kj::String> ask(LinkNode& from, const LinkNode& to, const std::string& text) {
    return link(from, to).calls().then([text](capnp::Capability::Client service) {
      auto request = service.castAs<loop::Echo>().sayRequest();
      request.setText(text.c_str());
      return request.send().then([](auto response) { return kj::heapString(response.getText()); });
    });
  }
  template <typename T>
  kj::Promise<T> within(kj::Promise<T> promise) {
    return promise.exclusiveJoin(kj_loop_.delay(kTestTimeoutNs).then([]() -> kj::Promise<T> {
      return KJ_EXCEPTION(FAILED, "the test took too long");
    }));
  }
  std::string answer(LinkNode& from, const LinkNode& to, const std::string& text) {
    std::string result;
    KJ_IF_MAYBE (exception, kj::runCatchingExceptions(
                                [&] { result = within(ask(from, to, text)).wait(kj_loop_.wait_scope()).cStr(); })) {
      result = std::string("failed: ") + exception->getDescription().cStr();
    }
    return result;
  }
  bool eventually(const std::function<bool()>& done) { return loop_.run_until(done, kTestTimeoutNs); }
  bool is(LinkNode& from, const LinkNode& to, Lane lane, LinkState state) {
    auto found = from.links->link(to.local.node);
    return found.ok() && (*found)->state(lane) == state;
  }

  loop::EventLoop loop_;
  loop::KjLoop kj_loop_{loop_};
  ClusterId cluster_ = ClusterId::random();
  LinkNode a_{loop_, kj_loop_, "a", cluster_, GetParam()};
  LinkNode b_{loop_, kj_loop_, "b", cluster_, GetParam()};
};

TEST_P(NodeLinksTest, CallsGoBothWaysOverOneConnection) {
  EXPECT_EQ(link(a_, b_).state(Lane::kCalls), LinkState::kIdle);
  EXPECT_EQ(answer(a_, b_, "x"), "b: x");
  ASSERT_TRUE(eventually([&] { return is(b_, a_, Lane::kCalls, LinkState::kUp); }));
  EXPECT_EQ(answer(b_, a_, "y"), "a: y");
  EXPECT_EQ(link(a_, b_).state(Lane::kBulk), LinkState::kIdle);
  EXPECT_EQ(a_.lanes.size(), 1u) << "one came up, and that was all";
  EXPECT_EQ(b_.lanes.size(), 1u);
}

TEST_P(NodeLinksTest, LargeMessagesPass) {
  std::string large(20 << 20, 'l');
  EXPECT_EQ(answer(a_, b_, large), "b: " + large);
  EXPECT_EQ(answer(b_, a_, large), "a: " + large);
}

TEST_P(NodeLinksTest, ObjectsGoBesideTheCalls) {
  auto to_b = within(link(a_, b_).bulk()).wait(kj_loop_.wait_scope());
  ASSERT_TRUE(eventually([&] { return is(b_, a_, Lane::kBulk, LinkState::kUp); }));
  auto to_a = within(link(b_, a_).bulk()).wait(kj_loop_.wait_scope());
  std::vector<uint8_t> source(30 << 20, 'o'), destination(source.size());
  std::atomic<int> ended{0};
  uint64_t id = to_a->new_transfer_id();
  auto on_end = [&ended](Result<void> result) { ended += result.ok() ? 1 : 100; };
  to_a->receive({.transfer_id = id, .destination = destination, .on_end = on_end});
  to_b->send({.transfer_id = id, .source = source, .on_end = on_end});
  EXPECT_EQ(answer(a_, b_, "meanwhile"), "b: meanwhile");
  loop::Timer tick(loop_, [] {});
  tick.start_periodic(5 * kMillisecondNs);
  EXPECT_TRUE(eventually([&] { return ended >= 2; }));
  EXPECT_EQ(ended, 2);
  EXPECT_TRUE(source == destination);
  a_.links.reset();
  to_b->receive({.transfer_id = 99, .destination = destination, .on_end = on_end});
  EXPECT_EQ(ended, 102) << "held for longer than its link, it is over";
}

TEST_P(NodeLinksTest, TwoThatDialAtOnceEndUpOnOneConnection) {
  for (int round = 0; round < 10; ++round) {
    LinkNode c(loop_, kj_loop_, "c", cluster_, GetParam());
    LinkNode d(loop_, kj_loop_, "d", cluster_, GetParam());
    c.listen();
    d.listen();
    c.know(d);
    d.know(c);
    auto first = within(ask(c, d, "1"));
    auto second = within(ask(d, c, "2"));
    EXPECT_STREQ(first.wait(kj_loop_.wait_scope()).cStr(), "d: 1");
    EXPECT_STREQ(second.wait(kj_loop_.wait_scope()).cStr(), "c: 2");
    EXPECT_EQ(c.lanes.size(), 1u) << "neither was ever replaced";
    EXPECT_EQ(d.lanes.size(), 1u);
    EXPECT_THAT(c.log.text() + d.log.text(), Not(HasSubstr("lost")));
  }
}

TEST_P(NodeLinksTest, AConnectionThatTakesThePlaceOfAnotherIsToldAsALossFirst) {
  Proxy proxy(loop_, b_.address());
  a_.know(b_, proxy.address());
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  ASSERT_TRUE(eventually([&] { return b_.lanes.size() == 1; }));
  // The same life of a connects again, and b has not heard of the end of its first connection.
  proxy.stall(true);
  a_.restart();
  a_.local.node.incarnation = 1;
  a_.listen();
  a_.know(b_);
  EXPECT_EQ(answer(a_, b_, "2"), "b: 2");
  ASSERT_TRUE(eventually([&] { return b_.lanes.size() == 3; }));
  EXPECT_EQ(b_.lanes[1], std::pair(Lane::kCalls, LinkState::kIdle));
  EXPECT_EQ(b_.lanes[2], std::pair(Lane::kCalls, LinkState::kUp));
  EXPECT_THAT(b_.log.text(), HasSubstr("another connection"));
}

TEST_P(NodeLinksTest, ABulkConnectionThatIsOverIsNotHandedOut) {
  auto first = within(link(a_, b_).bulk()).wait(kj_loop_.wait_scope());
  first->shut_down();
  EXPECT_TRUE(first->is_over());
  auto second = within(link(a_, b_).bulk()).wait(kj_loop_.wait_scope());
  EXPECT_NE(second, first);
  EXPECT_FALSE(second->is_over());
}

TEST_P(NodeLinksTest, WhatIsCutComesBack) {
  Proxy proxy(loop_, b_.address());
  a_.know(b_, proxy.address());
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  EXPECT_EQ(proxy.connection_count(), 1u);
  proxy.cut();
  ASSERT_TRUE(eventually([&] { return a_.lanes.size() >= 2; }));
  EXPECT_EQ(answer(a_, b_, "2"), "b: 2");
  EXPECT_EQ(a_.lanes[1], std::pair(Lane::kCalls, LinkState::kBackingOff));
  EXPECT_GE(proxy.accepted_count(), 2u);
}

TEST_P(NodeLinksTest, ACallInProgressFailsWhenTheConnectionIsLost) {
  Proxy proxy(loop_, b_.address());
  a_.know(b_, proxy.address());
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  proxy.stall(true);
  auto call = ask(a_, b_, "2");
  kj_loop_.delay(20 * kMillisecondNs).wait(kj_loop_.wait_scope());
  proxy.cut();
  auto exception = kj::runCatchingExceptions([&] { within(kj::mv(call)).wait(kj_loop_.wait_scope()); });
  KJ_IF_MAYBE (failure, exception) {
    EXPECT_EQ(failure->getType(), kj::Exception::Type::DISCONNECTED) << failure->getDescription().cStr();
  } else {
    FAIL() << "it was answered";
  }
  proxy.stall(false);
  EXPECT_EQ(answer(a_, b_, "3"), "b: 3");
}

TEST_P(NodeLinksTest, AHalfOpenConnectionIsFoundAndReplaced) {
  Proxy proxy(loop_, b_.address());
  a_.know(b_, proxy.address());
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  proxy.stall(true);
  ASSERT_TRUE(eventually([&] { return a_.lanes.size() >= 2 && b_.lanes.size() >= 2; })) << "both find it";
  EXPECT_THAT(a_.log.text(), HasSubstr("said nothing for too long"));
  EXPECT_THAT(b_.log.text(), HasSubstr("said nothing for too long"));
  proxy.cut();
  proxy.stall(false);
  EXPECT_EQ(answer(a_, b_, "2"), "b: 2");
}

TEST_P(NodeLinksTest, AShortBlackoutIsInvisible) {
  Proxy proxy(loop_, b_.address());
  a_.know(b_, proxy.address());
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  proxy.stall(true);
  auto call = ask(a_, b_, "2");
  kj_loop_.delay(300 * kMillisecondNs).wait(kj_loop_.wait_scope());
  proxy.stall(false);
  EXPECT_STREQ(within(kj::mv(call)).wait(kj_loop_.wait_scope()).cStr(), "b: 2");
  EXPECT_EQ(a_.lanes.size(), 1u);
  EXPECT_EQ(proxy.accepted_count(), 1u);
}

TEST_P(NodeLinksTest, ASlowLinkIsNotADeadOne) {
  Proxy proxy(loop_, b_.address());
  a_.know(b_, proxy.address());
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  proxy.slow_down(64 << 10);
  SteadyClock clock;
  int64_t start_ns = clock.now_ns();
  std::string large(30 << 20, 'l');
  // The acceptor of a connection does not read while it writes: only what the peer takes tells that it lives.
  EXPECT_EQ(answer(b_, a_, large), "a: " + large);
  ASSERT_GT(clock.now_ns() - start_ns, LinkNode::quick_options().link.calls.keep_alive.dead_after_ns)
      << "too fast to prove anything";
  EXPECT_EQ(a_.lanes.size(), 1u);
  EXPECT_EQ(b_.lanes.size(), 1u);
  EXPECT_EQ(proxy.accepted_count(), 1u);
}

TEST_P(NodeLinksTest, AnIdleConnectionLives) {
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  // Far longer than silence may last.
  loop_.run_until([] { return false; }, 3 * kSecondNs);
  EXPECT_EQ(a_.lanes.size(), 1u);
  EXPECT_EQ(b_.lanes.size(), 1u);
}

TEST_P(NodeLinksTest, WhoeverWasFencedIsNotHeardAgain) {
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  NodeKey dead = b_.local.node;
  a_.members.dead_up_to[dead.id] = dead.incarnation;
  auto waiting = link(a_, b_).bulk();
  a_.links->fence(dead);
  a_.targets.clear();
  EXPECT_EQ(a_.links->link_count(), 0u);
  EXPECT_EQ(a_.links->link(dead).error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(a_.lanes, Contains(Pair(Lane::kCalls, LinkState::kClosed)));
  EXPECT_THROW(within(kj::mv(waiting)).wait(kj_loop_.wait_scope()), kj::Exception);

  // The dead one does not know yet: it dials again, and learns.
  EXPECT_THAT(answer(b_, a_, "2"), HasSubstr("failed"));
  ASSERT_TRUE(eventually([&] { return is(b_, a_, Lane::kCalls, LinkState::kClosed); }));
  EXPECT_EQ(link(b_, a_).why(Lane::kCalls).refusal, Refusal::kFenced);

  b_.restart();
  b_.listen();
  a_.know(b_);
  b_.know(a_);
  EXPECT_EQ(answer(b_, a_, "3"), "a: 3") << "its next life is another node";
  EXPECT_EQ(answer(a_, b_, "4"), "b: 4");
}

TEST_P(NodeLinksTest, ALaterLifeReplacesTheEarlierOnesLink) {
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  NodeKey first = b_.local.node;
  b_.restart();
  b_.listen();
  a_.know(b_);
  EXPECT_EQ(answer(a_, b_, "2"), "b: 2");
  EXPECT_EQ(a_.links->link(first).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(a_.links->link_count(), 1u);
}

TEST_P(NodeLinksTest, ANodeThatIsAnotherThanMeantClosesTheLink) {
  PeerTarget& target = a_.targets.at(b_.local.node.id);
  target.node.incarnation = 7;
  NodeLink& stale = *a_.links->link(target.node).value();
  auto calls = stale.calls();
  EXPECT_THROW(within(kj::mv(calls)).wait(kj_loop_.wait_scope()), kj::Exception);
  EXPECT_EQ(stale.state(Lane::kCalls), LinkState::kClosed);
  EXPECT_EQ(stale.why(Lane::kCalls).refusal, Refusal::kWrongNode);
}

TEST_P(NodeLinksTest, ANodeThatComesLateIsWaitedFor) {
  HostPort address = b_.address();
  b_.restart();
  b_.local.node.incarnation = 1;
  auto call = ask(a_, b_, "1");
  kj_loop_.delay(200 * kMillisecondNs).wait(kj_loop_.wait_scope());
  ASSERT_TRUE(b_.links->listen(address).ok());
  EXPECT_STREQ(within(kj::mv(call)).wait(kj_loop_.wait_scope()).cStr(), "b: 1");
}

TEST_P(NodeLinksTest, ANodeJoinsByItsString) {
  LinkNode joiner(loop_, kj_loop_, "j", ClusterId(), GetParam());
  joiner.local.node.incarnation = 0;
  Token token = Token::random();
  a_.tokens.add(token);
  auto text = JoinString::parse(a_.join_string(token).text());
  auto joined = within(joiner.links->join(*text)).wait(kj_loop_.wait_scope());
  EXPECT_EQ(joined.head, a_.local.node);
  EXPECT_EQ(joined.cluster, cluster_);
  auto request = joined.service.castAs<loop::Echo>().sayRequest();
  request.setText("let me in");
  std::string said = request.send().wait(kj_loop_.wait_scope()).getText().cStr();
  EXPECT_EQ(said, "a to the joiner " + joiner.local.node.text() + ": let me in");
  EXPECT_EQ(a_.links->joiner_count(), 1u);

  // A member from here on.
  joiner.local.node.incarnation = 1;
  joiner.local.cluster = joined.cluster;
  joiner.links->end_join();
  joiner.listen();
  a_.know(joiner);
  joiner.know(a_);
  EXPECT_EQ(answer(joiner, a_, "hello"), "a: hello");
  EXPECT_EQ(answer(a_, joiner, "hello"), "j: hello");
  EXPECT_TRUE(eventually([&] { return a_.links->joiner_count() == 0; }));
}

TEST_P(NodeLinksTest, JoinsThatFailSayWhy) {
  LinkNode joiner(loop_, kj_loop_, "j", ClusterId(), GetParam());
  auto refusal = [&](const JoinString& head) {
    EXPECT_THROW(within(joiner.links->join(head)).wait(kj_loop_.wait_scope()), kj::Exception);
    return joiner.links->last_join_failure().refusal;
  };
  Token token = Token::random();
  JoinString good = a_.join_string(token);
  EXPECT_EQ(refusal(good), Refusal::kWrongToken);
  a_.tokens.add(token, a_.token_clock.now_ns());
  EXPECT_EQ(refusal(good), Refusal::kExpiredToken);
  a_.tokens.add(token);
  JoinString other = good;
  other.fingerprint = GetParam() ? std::nullopt : std::optional(joiner.identity.fingerprint());
  EXPECT_EQ(refusal(other), GetParam() ? Refusal::kNeedsPlain : Refusal::kNeedsTls);
  if (GetParam()) {
    other.fingerprint = joiner.identity.fingerprint();
    EXPECT_EQ(refusal(other), Refusal::kWrongFingerprint);
  }
  EXPECT_EQ(a_.links->joiner_count(), 0u);
}

// As a member that has logged in and then misbehaves.
TEST_P(NodeLinksTest, AMembersGarbageEndsItsOwnConnectionOnly) {
  EXPECT_EQ(answer(a_, b_, "1"), "b: 1");
  TestNode rogue(loop_, GetParam(), cluster_);
  a_.members.known[rogue.local.node.id] = rogue.identity.fingerprint();
  a_.targets.insert_or_assign(rogue.local.node.id, PeerTarget{rogue.local.node, {"127.0.0.1", 1}, {}});
  std::vector<std::string> messages = {
      std::string("\xff\xff\xff\xff\0\0\0\0", 8),                     // a count of segments that wraps round
      std::string("\xff\xff\0\0\0\0\0\0", 8),                         // too many segments
      std::string("\0\0\0\0\xff\xff\xff\xff", 8),                     // a segment without end
      std::string("\0\0\0\0\0\0\0\x10", 8),                           // too large
      std::string("\0\0\0\0\x01\0\0\0", 8) + std::string(8, '\xff'),  // a root that points nowhere
  };
  for (Lane lane : {Lane::kCalls, Lane::kBulk}) {
    if (lane == Lane::kBulk) {
      messages = {std::string(40, '\0'), std::string(40, '\xff'), std::string("\x01\x01", 2) + std::string(38, '\0')};
    }
    for (const std::string& message : messages) {
      Hello hello{
          .release = "r", .node = rogue.local.node, .cluster = cluster_, .lane = lane, .expected = a_.local.node};
      DialTarget target{a_.address(), nullptr, a_.tls ? std::optional(a_.identity.fingerprint()) : std::nullopt};
      ASSERT_EQ(rogue.dial(target, hello).refusal, Refusal::kNone);
      Wire& wire = *rogue.dialed.wire;
      EXPECT_EQ(wire.write({reinterpret_cast<const uint8_t*>(message.data()), message.size()}).status, IoStatus::kDone);
      loop::Timer tick(loop_, [] {});
      tick.start_periodic(5 * kMillisecondNs);
      EXPECT_TRUE(eventually([&] {
        std::array<uint8_t, 4096> buffer;
        IoResult result = wire.read(buffer);
        return result.status == IoStatus::kEnd || result.status == IoStatus::kFailed;
      })) << "closed";
    }
  }
  EXPECT_EQ(answer(a_, b_, "2"), "b: 2");
  EXPECT_EQ(answer(b_, a_, "3"), "a: 3");
}

INSTANTIATE_TEST_SUITE_P(Wires, NodeLinksTest, testing::Bool(),
                         [](const auto& wire) { return wire.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace sabir::node_link
