#include "runtime/rpc/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace sabir::rpc {
namespace {

using testing::HasSubstr;

HelloInfo driver() {
  HelloInfo hello;
  hello.kind = HelloKind::kDriver;
  hello.min_version = 1;
  hello.max_version = 3;
  hello.layout_hash = 0x1234567890abcdef;
  hello.library = "1.2.3";
  hello.job.name = "job";
  hello.job.name_space = "space";
  hello.job.language_envs = {{1, LaunchMode::kZygote, {"python3", "-m", "x"}}, {3, LaunchMode::kNone, {}}};
  hello.job.opaque = std::string("\0\xff", 2);
  hello.job.log_to_driver = false;
  hello.job.language = 2;
  return hello;
}

std::string message_of(const std::string& frame) { return frame.substr(kFramePrefixBytes); }

std::span<const uint8_t, kFramePrefixBytes> prefix_of(const std::string& frame) {
  return std::span<const uint8_t, kFramePrefixBytes>(reinterpret_cast<const uint8_t*>(frame.data()), kFramePrefixBytes);
}

TEST(FrameTest, HellosComeBackAsTheyWere) {
  std::string frame = encode_hello(driver()).value();
  EXPECT_EQ(decode_prefix(prefix_of(frame)).value(), frame.size() - kFramePrefixBytes);
  HelloInfo hello = decode_hello(message_of(frame)).value();
  HelloInfo expected = driver();
  EXPECT_EQ(hello.kind, HelloKind::kDriver);
  EXPECT_EQ(hello.min_version, expected.min_version);
  EXPECT_EQ(hello.max_version, expected.max_version);
  EXPECT_EQ(hello.layout_hash, expected.layout_hash);
  EXPECT_EQ(hello.library, expected.library);
  EXPECT_EQ(hello.job.name, expected.job.name);
  EXPECT_EQ(hello.job.name_space, expected.job.name_space);
  EXPECT_EQ(hello.job.language_envs, expected.job.language_envs);
  EXPECT_EQ(hello.job.opaque, expected.job.opaque);
  EXPECT_FALSE(hello.job.log_to_driver);
  EXPECT_EQ(hello.job.language, 2);

  HelloInfo worker;
  worker.kind = HelloKind::kWorker;
  worker.token = "token";
  EXPECT_EQ(decode_hello(message_of(encode_hello(worker).value())).value().token, "token");
  EXPECT_EQ(decode_hello(message_of(encode_hello(HelloInfo()).value())).value().kind, HelloKind::kObserver);
}

TEST(FrameTest, WelcomesComeBackAsTheyWere) {
  WelcomeInfo welcome;
  welcome.session_id = std::string(16, '\1');
  welcome.node_id = std::string(16, '\2');
  welcome.process = {65535, 0xffffffff};
  welcome.job = 9;
  welcome.job_id = std::string(16, '\3');
  welcome.job_config = driver().job;
  welcome.actor = {true, 1, 2, std::string(16, '\4'), 3, std::string("a\0b", 3), 4, "name"};
  welcome.session_path = "/run/x";
  welcome.daemon_version = "9";
  welcome.language = 2;
  WelcomeInfo read = decode_welcome(message_of(encode_welcome(welcome).value())).value();
  EXPECT_EQ(read.session_id, welcome.session_id);
  EXPECT_EQ(read.node_id, welcome.node_id);
  EXPECT_EQ(read.process, welcome.process);
  EXPECT_EQ(read.job, 9u);
  EXPECT_EQ(read.job_config.language_envs, welcome.job_config.language_envs);
  EXPECT_TRUE(read.actor.present);
  EXPECT_EQ(read.actor.args, welcome.actor.args);
  EXPECT_EQ(read.actor.max_concurrency, 4u);
  EXPECT_EQ(read.session_path, "/run/x");
  EXPECT_EQ(read.language, 2);
}

TEST(FrameTest, RefusalsKeepTheirKind) {
  auto result = decode_welcome(message_of(encode_refusal(exhausted_error("full"), "9")));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(result.error().message(), "full");
}

TEST(FrameTest, PrefixesOutsideTheLimits) {
  for (uint32_t size_bytes : {0u, 4u, 9u, kMaxFrameBytes + 8, 0xffffffffu}) {
    std::string prefix(reinterpret_cast<const char*>(&size_bytes), 4);
    EXPECT_FALSE(decode_prefix(prefix_of(prefix)).ok()) << size_bytes;
  }
}

TEST(FrameTest, TooLargeToEncode) {
  HelloInfo hello = driver();
  hello.job.opaque.assign(kMaxFrameBytes, 'x');
  EXPECT_EQ(encode_hello(hello).error().kind(), ErrorKind::kInvalid);
}

TEST(FrameTest, ListsHaveLimits) {
  HelloInfo hello = driver();
  hello.job.language_envs.assign(17, LanguageEnv());
  EXPECT_FALSE(decode_hello(message_of(encode_hello(hello).value())).ok());
  hello.job.language_envs.assign(1, {1, LaunchMode::kExec, std::vector<std::string>(257, "a")});
  EXPECT_FALSE(decode_hello(message_of(encode_hello(hello).value())).ok());
}

TEST(FrameTest, SomethingElseIsNoHello) {
  EXPECT_FALSE(decode_hello("").ok());
  EXPECT_FALSE(decode_hello("GET / HTTP/1.1\r\n").ok());
  std::string welcome = encode_welcome(WelcomeInfo()).value();
  auto result = decode_hello(message_of(welcome));
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message(), HasSubstr("not a sabir process"));
}

TEST(FrameTest, VersionsMustMeet) {
  HelloInfo hello;
  EXPECT_EQ(choose_version(hello).value(), kProtocolVersion);
  hello.max_version = 100;
  EXPECT_TRUE(choose_version(hello).ok());
  hello.min_version = 2;
  EXPECT_EQ(choose_version(hello).error().kind(), ErrorKind::kUnsupported);
  hello.min_version = 0;
  hello.max_version = 0;
  EXPECT_EQ(choose_version(hello).error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace sabir::rpc
