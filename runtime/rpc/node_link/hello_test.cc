#include "runtime/rpc/node_link/hello.h"

#include <gtest/gtest.h>

namespace sabir::node_link {
namespace {

Hello full_hello() {
  return {.min_version = 1,
          .max_version = 7,
          .release = "1.2.3",
          .node = {NodeId::random(), 1ull << 63},
          .cluster = ClusterId::random(),
          .lane = Lane::kBulk,
          .token = std::string(32, 't'),
          .expected = {NodeId::random(), 12}};
}

TEST(HelloTest, GoesAndComesAgain) {
  for (const Hello& hello : {full_hello(), Hello()}) {
    std::string frame = encode_hello(hello);
    ASSERT_EQ(decode_login_prefix(frame.substr(0, 4)).value(), frame.size() - 4);
    EXPECT_EQ(decode_hello(frame.substr(4)).value(), hello);
  }
}

TEST(HelloTest, AWelcomeGoesAndComesAgain) {
  Welcome welcome{.failure = {Refusal::kFenced, "why"},
                  .version = 3,
                  .release = "r",
                  .node = {NodeId::random(), 4},
                  .cluster = ClusterId::random()};
  auto again = decode_welcome(encode_welcome(welcome).substr(4));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->failure.refusal, Refusal::kFenced);
  EXPECT_EQ(again->failure.message, "why");
  EXPECT_EQ(again->version, 3u);
  EXPECT_EQ(again->release, "r");
  EXPECT_EQ(again->node, welcome.node);
  EXPECT_EQ(again->cluster, welcome.cluster);
}

TEST(HelloTest, TextsAreCutSoThatAFrameIsNeverTooLong) {
  Hello hello = full_hello();
  hello.release = std::string(100000, 'r');
  EXPECT_LE(encode_hello(hello).size(), 4 + kMaxLoginFrameBytes);
  EXPECT_EQ(decode_hello(encode_hello(hello).substr(4))->release, std::string(64, 'r'));
  Welcome welcome{.failure = {Refusal::kVersion, std::string(100000, 'm')}, .release = std::string(100000, 'r')};
  EXPECT_LE(encode_welcome(welcome).size(), 4 + kMaxLoginFrameBytes);
}

TEST(HelloTest, WhatIsNoHelloIsInvalid) {
  std::string message = encode_hello(full_hello()).substr(4);
  EXPECT_FALSE(decode_hello("").ok());
  EXPECT_FALSE(decode_hello(message.substr(8)).ok());
  EXPECT_FALSE(decode_hello(message.substr(0, message.size() - 8)).ok());
  EXPECT_FALSE(decode_hello(std::string(64, '\0')).ok());
  EXPECT_FALSE(decode_hello(std::string(64, '\xff')).ok()) << "a count of segments that wraps round";
  EXPECT_FALSE(decode_hello(encode_welcome(Welcome()).substr(4)).ok());
  EXPECT_FALSE(decode_login_prefix("abc").ok());
  EXPECT_FALSE(decode_login_prefix(std::string("\0\0\0\0", 4)).ok());
  EXPECT_FALSE(decode_login_prefix(std::string("\x01\x10\0\0", 4)).ok());
  EXPECT_FALSE(decode_login_prefix(std::string("\x08\x10\0\0", 4)).ok()) << "above 4 KiB";
  EXPECT_EQ(decode_login_prefix(std::string("\0\x10\0\0", 4)).value(), 4096u);
}

}  // namespace
}  // namespace sabir::node_link
