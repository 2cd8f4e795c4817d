#include "runtime/rpc/node_link/join_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace sabir::node_link {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kToken = Token::from_bytes(std::string(32, 't'))->text();
const std::string kPrint(64, 'a');

std::string error_of(const std::string& text) {
  auto join = JoinString::parse(text);
  EXPECT_FALSE(join.ok()) << text;
  EXPECT_EQ(join.ok() ? ErrorKind::kInternal : join.error().kind(), ErrorKind::kInvalid);
  return join.ok() ? "" : join.error().message();
}

TEST(JoinStringTest, EveryKindOfHost) {
  for (std::string address :
       {"10.0.0.7:6380", "[::1]:1", "[fe80::1%eth0]:65535", "head.example-1.org:6380", "head:80"}) {
    std::string text = "sabir://" + address + "#" + kToken + "#" + kPrint;
    auto join = JoinString::parse(text);
    ASSERT_TRUE(join.ok()) << join.error().message();
    EXPECT_EQ(join->address.text(), address);
    EXPECT_EQ(join->token.bytes(), std::string(32, 't'));
    EXPECT_EQ(join->fingerprint->hex(), kPrint);
    EXPECT_EQ(join->text(), text);
  }
  EXPECT_EQ(JoinString::parse("sabir://[::1]:7#" + kToken + "#" + kPrint)->address, (HostPort{"::1", 7}));
  auto spaced = JoinString::parse("  sabir://a:7#" + kToken + "#" + kPrint + "\n");
  EXPECT_EQ(spaced.value().address, (HostPort{"a", 7}));
}

TEST(JoinStringTest, InsecureIsSaidInSoManyWords) {
  std::string text = "sabir://a:7#" + kToken + "#insecure";
  auto join = JoinString::parse(text);
  ASSERT_TRUE(join.ok());
  EXPECT_FALSE(join->fingerprint);
  EXPECT_EQ(join->text(), text);
}

TEST(JoinStringTest, ErrorsSayWhatAndWhere) {
  std::string rest = "#" + kToken + "#" + kPrint;
  EXPECT_THAT(error_of(""), HasSubstr("at character 1: it starts with sabir://"));
  EXPECT_THAT(error_of("http://localhost:1" + rest), HasSubstr("at character 1: it starts with sabir://"));
  EXPECT_THAT(error_of("sabir://a:1"), HasSubstr("at character 12: #TOKEN#FINGERPRINT is missing"));
  EXPECT_THAT(error_of("sabir://:1" + rest), HasSubstr("at character 9: a host is missing"));
  EXPECT_THAT(error_of("sabir://a" + rest), HasSubstr("at character 10: a colon and the port are missing"));
  EXPECT_THAT(error_of("sabir://a:" + rest), HasSubstr("at character 11: the port is a number"));
  EXPECT_THAT(error_of("sabir://a:0" + rest), HasSubstr("not \"0\""));
  EXPECT_THAT(error_of("sabir://a:65536" + rest), HasSubstr("not \"65536\""));
  EXPECT_THAT(error_of("sabir://a:99999999999999999999" + rest), HasSubstr("the port is a number"));
  EXPECT_THAT(error_of("sabir://a:-1" + rest), HasSubstr("the port is a number"));
  EXPECT_THAT(error_of("sabir://::1:80" + rest), HasSubstr("at character 9: an IPv6 address stands in brackets"));
  EXPECT_THAT(error_of("sabir://[::1:80" + rest), HasSubstr("at character 9: this [ has no ]"));
  EXPECT_THAT(error_of("sabir://[::g]:80" + rest), HasSubstr("at character 10: \"::g\" is no IPv6 address"));
  EXPECT_THAT(error_of("sabir://[::1]80" + rest), HasSubstr("at character 14: a colon"));
  EXPECT_THAT(error_of("sabir://10.0.0.256:80" + rest), HasSubstr("\"10.0.0.256\" is no IPv4 address"));
  EXPECT_THAT(error_of("sabir://he ad:80" + rest),
              HasSubstr("at character 11: a host name has no character like \" \""));
  EXPECT_THAT(error_of("sabir://" + std::string(254, 'a') + ":80" + rest), HasSubstr("at most 253"));
  EXPECT_THAT(error_of("sabir://a:1#" + kToken), HasSubstr("#FINGERPRINT is missing after the token"));
  EXPECT_THAT(error_of("  sabir://a:1#" + kToken), HasSubstr("at character " + std::to_string(2 + 12 + 43 + 1)));
  EXPECT_THAT(error_of("sabir://a:1#" + kToken + "#"), HasSubstr("here are 0 characters"));
  EXPECT_THAT(error_of("sabir://a:1#" + kToken + "#" + kPrint + "a"), HasSubstr("here are 65 characters"));
  EXPECT_THAT(error_of("sabir://a:1##" + kPrint), HasSubstr("at character 13: the token has 43 characters"));
}

TEST(JoinStringTest, AnErrorNeverShowsTheToken) {
  std::string secret = "SECRETsecretSECRETsecret";
  EXPECT_THAT(error_of("sabir://a:1#" + secret + "#" + kPrint), Not(HasSubstr("SECRET")));
  EXPECT_THAT(error_of("sabir://a:1#" + kToken + "#" + secret), Not(HasSubstr("SECRET")));
  EXPECT_THAT(error_of("sabir://a:1#" + kToken + "#"), Not(HasSubstr(kToken)));
}

TEST(JoinStringTest, AnythingElseIsAnErrorAndNothingWorse) {
  std::mt19937 random(1);
  std::string good = "sabir://[::1]:80#" + kToken + "#" + kPrint;
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (int change = 0; change < 3; ++change) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    text.resize(text.size() - random() % 3);
    auto join = JoinString::parse(text);
    if (join.ok()) {
      EXPECT_TRUE(JoinString::parse(join->text()).ok());
    }
  }
}

TEST(HostPortTest, ParsesAnAddressAlone) {
  EXPECT_EQ(HostPort::parse("[::]:6380").value(), (HostPort{"::", 6380}));
  EXPECT_THAT(HostPort::parse("a").error().message(), HasSubstr("address: at character 2"));
}

}  // namespace
}  // namespace sabir::node_link
