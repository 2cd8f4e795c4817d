#include "runtime/rpc/node_link/gatekeeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace sabir::node_link {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class MapMembers final : public Members {
 public:
  bool knows(const NodeKey& node, const std::optional<Fingerprint>& fingerprint) const override {
    return known.contains(node.id) && (!fingerprint || known.at(node.id) == *fingerprint);
  }
  bool fenced(const NodeKey& node) const override { return node.incarnation <= dead_up_to; }

  std::map<NodeId, Fingerprint> known;
  uint64_t dead_up_to = 0;
};

class GatekeeperTest : public testing::Test {
 protected:
  GatekeeperTest() {
    print_->bytes[0] = 1;
    members_.known[peer_.id] = *print_;
    tokens_.add(token_, 100);
  }

  Refusal judge(const Hello& hello, int64_t now_ns = 0) {
    last_ = judge_hello(hello, print_, local_, members_, tokens_, now_ns);
    return last_.failure.refusal;
  }

  NodeKey peer_{NodeId::random(), 5};
  LocalNode local_{.node = {NodeId::random(), 9}, .cluster = ClusterId::random(), .release = "2.0"};
  MapMembers members_;
  TokenBook tokens_;
  Token token_ = Token::random();
  std::optional<Fingerprint> print_{Fingerprint()};
  Verdict last_;
  Hello member_{.release = "1.0", .node = peer_, .cluster = local_.cluster, .expected = local_.node};
  Hello joiner_{.release = "1.0", .node = {peer_.id, 0}, .token = std::string(token_.bytes())};
};

TEST_F(GatekeeperTest, AMemberAndAJoinerAreLetIn) {
  EXPECT_EQ(judge(member_), Refusal::kNone);
  EXPECT_FALSE(last_.joiner);
  EXPECT_EQ(last_.version, kNodeProtocolVersion);
  members_.known.clear();
  EXPECT_EQ(judge(joiner_), Refusal::kNone);
  EXPECT_TRUE(last_.joiner);
  EXPECT_EQ(last_.version, kNodeProtocolVersion);
}

TEST_F(GatekeeperTest, AMemberIsItsCertificate) {
  print_->bytes[0] = 2;
  EXPECT_EQ(judge(member_), Refusal::kUnknownCertificate);
  print_ = std::nullopt;  // no TLS: its id has to do
  EXPECT_EQ(judge(member_), Refusal::kNone);
  members_.known.clear();
  EXPECT_EQ(judge(member_), Refusal::kUnknownCertificate);
}

TEST_F(GatekeeperTest, TokensAreGoodWrongOrExpired) {
  EXPECT_EQ(judge(joiner_, 99), Refusal::kNone);
  EXPECT_EQ(judge(joiner_, 100), Refusal::kExpiredToken);
  joiner_.token = std::string(32, 'x');
  EXPECT_EQ(judge(joiner_), Refusal::kWrongToken);
  EXPECT_THAT(last_.failure.message, HasSubstr("none of this cluster's"));
  tokens_ = TokenBook();
  EXPECT_EQ(judge(joiner_), Refusal::kWrongToken);
  EXPECT_THAT(last_.failure.message, HasSubstr("join at the head"));
}

TEST_F(GatekeeperTest, VersionsOverlapOrBothReleasesAreNamed) {
  local_.min_version = 3;
  local_.max_version = 5;
  member_.min_version = 1;
  member_.max_version = 4;
  EXPECT_EQ(judge(member_), Refusal::kNone);
  EXPECT_EQ(last_.version, 4u);
  for (auto [min, max] : {std::pair{1u, 2u}, std::pair{6u, 9u}, std::pair{5u, 3u}}) {
    member_.min_version = min;
    member_.max_version = max;
    EXPECT_EQ(judge(member_), Refusal::kVersion);
    EXPECT_THAT(last_.failure.message, AllOf(HasSubstr("sabir 2.0"), HasSubstr("sabir 1.0"), HasSubstr("3 to 5")));
  }
  joiner_.token = std::string(32, 'x');
  joiner_.max_version = 1;
  EXPECT_EQ(judge(joiner_), Refusal::kVersion) << "told before anything else";
}

TEST_F(GatekeeperTest, WhoIsNotMeantIsTold) {
  member_.expected.incarnation = 8;
  EXPECT_EQ(judge(member_), Refusal::kWrongNode);
  EXPECT_THAT(last_.failure.message, HasSubstr("/9"));
  member_.expected.incarnation = 0;
  EXPECT_EQ(judge(member_), Refusal::kNone);
  member_.expected.id = NodeId::random();
  EXPECT_EQ(judge(member_), Refusal::kWrongNode);
  member_.expected.id = NodeId();
  EXPECT_EQ(judge(member_), Refusal::kWrongNode) << "only a joiner does not know whom it dials";
}

TEST_F(GatekeeperTest, OtherClustersFencesAndOneself) {
  Hello hello = member_;
  hello.cluster = ClusterId::random();
  EXPECT_EQ(judge(hello), Refusal::kWrongCluster);
  hello.cluster = ClusterId();
  EXPECT_EQ(judge(hello), Refusal::kWrongCluster);
  joiner_.cluster = ClusterId::random();
  EXPECT_EQ(judge(joiner_), Refusal::kWrongCluster);

  members_.dead_up_to = 4;
  EXPECT_EQ(judge(member_), Refusal::kNone);
  members_.dead_up_to = 5;
  EXPECT_EQ(judge(member_), Refusal::kFenced);

  hello = member_;
  hello.node = local_.node;
  EXPECT_EQ(judge(hello), Refusal::kSelf);
  hello.node.incarnation = 10;
  members_.known[local_.node.id] = *print_;
  EXPECT_EQ(judge(hello), Refusal::kDuplicateNode);
}

TEST_F(GatekeeperTest, HellosOfNoNode) {
  Hello hello = member_;
  hello.node.id = NodeId();
  EXPECT_EQ(judge(hello), Refusal::kMalformed);
  hello = member_;
  hello.node.incarnation = 0;
  EXPECT_EQ(judge(hello), Refusal::kMalformed);
  hello = joiner_;
  hello.lane = Lane::kBulk;
  EXPECT_EQ(judge(hello), Refusal::kMalformed);
  hello = joiner_;
  hello.node.incarnation = 5;
  EXPECT_EQ(judge(hello), Refusal::kMalformed);
}

TEST_F(GatekeeperTest, ADialerChecksTheAnswer) {
  Welcome good{.release = "2.0", .node = local_.node, .cluster = local_.cluster};
  EXPECT_EQ(judge_welcome(good, member_).refusal, Refusal::kNone);
  EXPECT_EQ(judge_welcome(good, joiner_).refusal, Refusal::kNone);
  Welcome bad = good;
  bad.node.incarnation = 8;
  EXPECT_EQ(judge_welcome(bad, member_).refusal, Refusal::kWrongNode);
  bad = good;
  bad.node.id = NodeId::random();
  EXPECT_EQ(judge_welcome(bad, member_).refusal, Refusal::kWrongNode);
  bad.node.id = peer_.id;
  EXPECT_EQ(judge_welcome(bad, joiner_).refusal, Refusal::kSelf);
  bad.node.id = NodeId();
  EXPECT_EQ(judge_welcome(bad, joiner_).refusal, Refusal::kMalformed);
  bad = good;
  bad.cluster = ClusterId::random();
  EXPECT_EQ(judge_welcome(bad, member_).refusal, Refusal::kWrongCluster);
  bad = good;
  bad.version = 2;
  EXPECT_EQ(judge_welcome(bad, member_).refusal, Refusal::kVersion);
  bad = good;
  bad.failure = {Refusal::kExpiredToken, "why"};
  EXPECT_EQ(judge_welcome(bad, joiner_).refusal, Refusal::kExpiredToken);
  bad.failure.refusal = Refusal::kWrongFingerprint;
  EXPECT_EQ(judge_welcome(bad, joiner_).refusal, Refusal::kMalformed);
}

TEST(RefusalTest, EachHasAName) {
  for (uint16_t number = 1; number <= 14; ++number) {
    EXPECT_NE(refusal_name(static_cast<Refusal>(number)), "refused") << number;
  }
  EXPECT_EQ(error_of(Refusal::kVersion, "why").to_string(), "unsupported: version skew: why");
  EXPECT_FALSE(may_pass(Refusal::kFenced));
  EXPECT_TRUE(may_pass(Refusal::kOverloaded));
  EXPECT_EQ(refusal_name(static_cast<Refusal>(99)), "refused");
}

}  // namespace
}  // namespace sabir::node_link
