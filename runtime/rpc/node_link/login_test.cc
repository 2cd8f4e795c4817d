// Each way in which two nodes do or do not get together, over loopback.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "runtime/rpc/node_link/testing/test_node.h"

namespace sabir::node_link {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class LoginTest : public testing::Test {
 protected:
  LoginTest() {
    head_.tokens.add(token_);
    head_.listen();
    peer_.listen();
    head_.befriend(peer_);
  }

  bool eventually(const std::function<bool()>& done) { return loop_.run_until(done, kTestTimeoutNs); }

  loop::EventLoop loop_;
  ClusterId cluster_ = ClusterId::random();
  TestNode head_{loop_, true, cluster_};
  TestNode peer_{loop_, true, cluster_};
  Token token_ = Token::random();
};

TEST_F(LoginTest, MembersMeetOnBothLanes) {
  for (Lane lane : {Lane::kCalls, Lane::kBulk}) {
    Failure failure = peer_.dial(head_.target(), peer_.hello_to(head_, lane));
    ASSERT_EQ(failure.refusal, Refusal::kNone) << failure.message;
    ASSERT_TRUE(eventually([this] { return !head_.accepted.empty(); }));
    const Established& accepted = head_.accepted.back();
    EXPECT_EQ(accepted.peer, peer_.local.node);
    EXPECT_EQ(accepted.fingerprint, peer_.identity.fingerprint());
    EXPECT_EQ(accepted.lane, lane);
    EXPECT_FALSE(accepted.joiner);
    EXPECT_EQ(peer_.dialed.peer, head_.local.node);
    EXPECT_EQ(peer_.dialed.fingerprint, head_.identity.fingerprint());
    EXPECT_EQ(peer_.dialed.cluster, cluster_);
    EXPECT_EQ(peer_.dialed.version, kNodeProtocolVersion);

    uint8_t byte = 'x';
    EXPECT_EQ(peer_.dialed.wire->write({&byte, 1}).status, IoStatus::kDone);
    EXPECT_TRUE(eventually([&] { return accepted.wire->read({&byte, 1}).status == IoStatus::kDone; }));
    head_.accepted.clear();
  }
  EXPECT_EQ(head_.log.text(), "");
}

TEST_F(LoginTest, AJoinerComesInByItsToken) {
  TestNode joiner(loop_, true, ClusterId());
  Failure failure = joiner.dial(head_.target(), joiner.joining_hello(token_));
  ASSERT_EQ(failure.refusal, Refusal::kNone) << failure.message;
  EXPECT_EQ(joiner.dialed.cluster, cluster_) << "learned at the door";
  ASSERT_TRUE(eventually([this] { return !head_.accepted.empty(); }));
  EXPECT_TRUE(head_.accepted[0].joiner);
  EXPECT_EQ(head_.accepted[0].peer, (NodeKey{joiner.local.node.id, 0}));
  EXPECT_EQ(head_.accepted[0].fingerprint, joiner.identity.fingerprint()) << "what the control store is to know it by";
}

TEST_F(LoginTest, WrongAndExpiredTokensAndNone) {
  TestNode joiner(loop_, true, ClusterId());
  Token wrong = Token::random();
  Failure failure = joiner.dial(head_.target(), joiner.joining_hello(wrong));
  EXPECT_EQ(failure.refusal, Refusal::kWrongToken) << failure.message;
  EXPECT_EQ(failure.error().kind(), ErrorKind::kInvalid);

  Token brief = Token::random();
  head_.tokens.add(brief, head_.clock.now_ns() + 10);
  head_.clock.advance_ns(10);
  failure = joiner.dial(head_.target(), joiner.joining_hello(brief));
  EXPECT_EQ(failure.refusal, Refusal::kExpiredToken) << failure.message;

  failure = joiner.dial(head_.target(), joiner.hello_to(head_));
  EXPECT_EQ(failure.refusal, Refusal::kUnknownCertificate) << failure.message;
  EXPECT_TRUE(head_.accepted.empty());
  EXPECT_THAT(head_.log.text(), AllOf(HasSubstr("wrong token"), Not(HasSubstr(wrong.text()))));
}

TEST_F(LoginTest, AnotherCertificateThanExpectedEndsItBeforeTheToken) {
  TestNode joiner(loop_, true, ClusterId());
  DialTarget target = head_.target();
  target.fingerprint = joiner.identity.fingerprint();
  Failure failure = joiner.dial(target, joiner.joining_hello(token_));
  EXPECT_EQ(failure.refusal, Refusal::kWrongFingerprint) << failure.message;
  EXPECT_TRUE(eventually([this] { return head_.port.login_count() == 0; }));
  EXPECT_TRUE(head_.accepted.empty());
  EXPECT_THAT(head_.log.text(), HasSubstr("refused 127.0.0.1"));
}

TEST_F(LoginTest, ACertificateThatIsNotTheMembersIsRefused) {
  TestNode thief(loop_, true, cluster_);
  thief.local.node = peer_.local.node;
  Failure failure = thief.dial(head_.target(), thief.hello_to(head_));
  EXPECT_EQ(failure.refusal, Refusal::kUnknownCertificate) << failure.message;
}

TEST_F(LoginTest, VersionsThatDoNotMeetNameBothReleases) {
  Hello hello = peer_.hello_to(head_);
  hello.release = "9.9.9";
  hello.min_version = 8;
  hello.max_version = 9;
  Failure failure = peer_.dial(head_.target(), hello);
  EXPECT_EQ(failure.refusal, Refusal::kVersion);
  EXPECT_EQ(failure.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(failure.message, AllOf(HasSubstr("1.2.3"), HasSubstr("9.9.9"), HasSubstr("8 to 9")));
}

TEST_F(LoginTest, ClusterFenceSelfAndDuplicate) {
  Hello hello = peer_.hello_to(head_);
  hello.cluster = ClusterId::random();
  EXPECT_EQ(peer_.dial(head_.target(), hello).refusal, Refusal::kWrongCluster);

  head_.members.dead_up_to[peer_.local.node.id] = 1;
  Failure failure = peer_.dial(head_.target(), peer_.hello_to(head_));
  EXPECT_EQ(failure.refusal, Refusal::kFenced);
  EXPECT_EQ(failure.error().kind(), ErrorKind::kClosed);
  peer_.local.node.incarnation = 2;
  EXPECT_EQ(peer_.dial(head_.target(), peer_.hello_to(head_)).refusal, Refusal::kNone) << "a new life";

  EXPECT_EQ(head_.dial(head_.target(), head_.hello_to(head_)).refusal, Refusal::kSelf);

  TestNode copy(loop_, true, ClusterId());
  copy.local.node = head_.local.node;
  EXPECT_EQ(copy.dial(head_.target(), copy.joining_hello(token_)).refusal, Refusal::kDuplicateNode);
}

TEST_F(LoginTest, ARestartedNodeIsNotTakenForItsFormerLife) {
  Hello hello = peer_.hello_to(head_);
  head_.local.node.incarnation = 2;
  EXPECT_EQ(peer_.dial(head_.target(), hello).refusal, Refusal::kWrongNode);
}

TEST_F(LoginTest, TheHandlersRefusalReachesTheDialer) {
  head_.offer_answer = {Refusal::kClosing, "going"};
  Failure failure = peer_.dial(head_.target(), peer_.hello_to(head_));
  EXPECT_EQ(failure.refusal, Refusal::kClosing);
  EXPECT_EQ(failure.message, "going");
}

TEST_F(LoginTest, APlainNodeAtATlsPortIsTold) {
  TestNode plain(loop_, false, ClusterId());
  DialTarget target = head_.target();
  target.fingerprint = std::nullopt;
  Failure failure = plain.dial(target, plain.joining_hello(token_));
  EXPECT_EQ(failure.refusal, Refusal::kNeedsTls) << failure.message;
  EXPECT_TRUE(eventually([this] { return head_.port.login_count() == 0; }));
  EXPECT_THAT(head_.log.text(), HasSubstr("needs TLS: this node speaks TLS only, and the other side plain text"));
}

TEST_F(LoginTest, ATlsNodeAtAPlainPortIsTold) {
  TestNode plain(loop_, false, cluster_);
  plain.listen();
  DialTarget target = plain.target();
  target.fingerprint = plain.identity.fingerprint();
  Failure failure = peer_.dial(target, peer_.hello_to(plain));
  EXPECT_EQ(failure.refusal, Refusal::kNeedsPlain) << failure.message;
  EXPECT_THAT(failure.message, HasSubstr("--insecure"));
  EXPECT_TRUE(eventually([&] { return plain.port.login_count() == 0; }));
  EXPECT_THAT(plain.log.text(), HasSubstr("a TLS client"));
}

TEST_F(LoginTest, WithoutTlsTheSameProtocol) {
  TestNode head(loop_, false, cluster_);
  TestNode peer(loop_, false, cluster_);
  head.listen();
  head.befriend(peer);
  head.tokens.add(token_);
  EXPECT_EQ(peer.dial(head.target(), peer.hello_to(head)).refusal, Refusal::kNone);
  EXPECT_EQ(peer.dialed.fingerprint, std::nullopt);
  EXPECT_EQ(peer.dial(head.target(), peer.joining_hello(token_)).refusal, Refusal::kNone);
  EXPECT_EQ(peer.dial(head.target(), peer.joining_hello(Token::random())).refusal, Refusal::kWrongToken);
}

TEST_F(LoginTest, NobodyThere) {
  HostPort gone = head_.address();
  head_.port.stop();
  DialTarget target = head_.target();
  target.address = gone;
  Failure failure = peer_.dial(target, peer_.hello_to(head_));
  EXPECT_EQ(failure.refusal, Refusal::kUnreachable);
  EXPECT_THAT(failure.message, HasSubstr("Connection refused"));

  target.address.host = "no-such-host.invalid";
  failure = peer_.dial(target, peer_.hello_to(head_));
  EXPECT_EQ(failure.refusal, Refusal::kUnreachable);
  EXPECT_THAT(failure.message, HasSubstr("no-such-host.invalid"));
}

TEST_F(LoginTest, ANameAndIpv6) {
  DialTarget target = head_.target();
  target.address.host = "localhost";
  EXPECT_EQ(peer_.dial(target, peer_.hello_to(head_)).refusal, Refusal::kNone);

  TestNode six(loop_, true, cluster_);
  if (!six.port.listen({"::1", 0}).ok()) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  six.befriend(peer_);
  target = six.target();
  target.address.host = "::1";
  EXPECT_EQ(peer_.dial(target, peer_.hello_to(six)).refusal, Refusal::kNone);
  EXPECT_EQ(six.port.address().text(), "[::1]:" + std::to_string(target.address.port));
}

TEST_F(LoginTest, ANodeThatAcceptsAndSaysNothingIsGivenUp) {
  auto addresses = look_up({"127.0.0.1", 0});
  UniqueFd silent = listen_at(addresses->front()).value();
  DialTarget target = head_.target();
  target.address.port = local_address(silent.get()).port();
  Failure failure = peer_.dial(target, peer_.hello_to(head_), kSecondNs / 5);
  EXPECT_EQ(failure.refusal, Refusal::kTimeout);
}

}  // namespace
}  // namespace sabir::node_link
