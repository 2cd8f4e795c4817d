#include "runtime/client/launch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "runtime/base/clock.h"
#include "runtime/base/session_dir.h"

namespace sabir::client {
namespace {

class LaunchTest : public testing::Test {
 protected:
  LaunchTest() {
    char path[] = "/tmp/sabir-launch-XXXXXX";
    directory_ = ::mkdtemp(path);
  }
  ~LaunchTest() override { (void)!std::system(("rm -rf " + directory_).c_str()); }

  std::string write_script(const std::string& text) {
    std::string path = directory_ + "/daemon";
    std::FILE* file = std::fopen(path.c_str(), "w");
    std::fprintf(file, "#!/bin/sh\n%s\n", text.c_str());
    std::fclose(file);
    ::chmod(path.c_str(), 0700);
    return path;
  }

  NodeOptions options(const std::string& script) {
    NodeOptions options;
    options.daemon_path = write_script(script);
    options.session_root = directory_;
    return options;
  }

  std::string directory_;
};

TEST_F(LaunchTest, WithoutADaemonTheErrorSaysWhereItLooked) {
  Result<std::string> found = find_daemon(directory_ + "/nothing");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().kind(), ErrorKind::kNotFound);
  EXPECT_NE(found.error().message().find(directory_), std::string::npos);
}

TEST_F(LaunchTest, NoSessionIsNotFound) {
  for (const char* address : {"", "auto", "local", "/nonexistent/session"}) {
    Result<std::string> found = find_session(address, directory_ + "/root");
    ASSERT_FALSE(found.ok()) << address;
    EXPECT_EQ(found.error().kind(), ErrorKind::kNotFound) << address;
    EXPECT_FALSE(find_session(address, directory_ + "/root", Sessions::kOfDriversToo).ok()) << address;
  }
}

TEST_F(LaunchTest, ASessionThatEndsWithItsDriverIsFoundByWhoAsksForIt) {
  std::string root = directory_ + "/root";
  Result<SessionDir> own = SessionDir::create(root + "/own");
  ASSERT_TRUE(own.ok()) << own.error().to_string();
  ASSERT_TRUE(own->mark_private().ok() && own->publish("info.json", "{}").ok());
  EXPECT_FALSE(find_session("", root).ok());
  for (Result<std::string> found : {find_session("auto", root), find_session("", root, Sessions::kOfDriversToo)}) {
    ASSERT_TRUE(found.ok()) << found.error().to_string();
    EXPECT_EQ(*found, own->path());
  }
}

TEST_F(LaunchTest, ALongRootIsRefusedBeforeAnythingStarts) {
  std::string root = directory_ + "/" + std::string(90, 'r');
  NodeOptions options = this->options("exit 0");
  options.session_root = root;
  Result<StartedNode> node = start_node(options);
  ASSERT_FALSE(node.ok());
  EXPECT_EQ(node.error().kind(), ErrorKind::kInvalid);
  EXPECT_NE(node.error().message().find("too long"), std::string::npos);
}

TEST_F(LaunchTest, TheDaemonGetsItsArgumentsAndASocketAndNothingElse) {
  NodeOptions options = this->options("echo \"$@\" >&2; ls /proc/self/fd >&2");
  options.resources = {{"CPU", 25000}, {"slot", 10000}};
  options.store_bytes = 4096;
  UniqueFd inherited(::dup(2));  // without close-on-exec
  Result<StartedNode> node = start_node(options);
  ASSERT_TRUE(node.ok()) << node.error().to_string();
  reap_node(node->pid, 10 * kSecondNs);
  std::string words = last_words(node->words.get());
  EXPECT_NE(words.find("--session-dir " + node->session_path), std::string::npos) << words;
  EXPECT_NE(words.find("--resource CPU=2.5 --resource slot=1 --store-bytes 4096 --driver-fd 3"), std::string::npos);
  // 0 to 3, and the one that ls reads the directory with.
  EXPECT_NE(words.find("\n0\n1\n2\n3\n4"), std::string::npos) << words;
  EXPECT_EQ(words.find("\n5"), std::string::npos) << words;
}

TEST_F(LaunchTest, LastWordsOfADetachedDaemonAreInTheError) {
  Result<std::string> session = start_detached_node(options("echo cannot do that >&2; exit 7"), 20 * kSecondNs);
  ASSERT_FALSE(session.ok());
  EXPECT_NE(session.error().message().find("cannot do that"), std::string::npos);
}

TEST_F(LaunchTest, AHungDaemonIsKilled) {
  Result<StartedNode> node = start_node(options("exec sleep 1000"));
  ASSERT_TRUE(node.ok());
  reap_node(node->pid, 10 * kMillisecondNs);
  EXPECT_NE(::kill(node->pid, 0), 0);
}

}  // namespace
}  // namespace sabir::client
