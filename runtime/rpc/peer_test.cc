#include "runtime/rpc/peer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/base/clock.h"

namespace sabir::rpc {
namespace {

class PeerTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/sabir-peer-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    path_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::string path_;
};

TEST_F(PeerTest, OnlyTheOwnUid) {
  EXPECT_TRUE(check_peer_uid(1000, 1000).ok());
  EXPECT_FALSE(check_peer_uid(1001, 1000).ok());
  // Root is not the owner either: one uid is one trust domain.
  EXPECT_FALSE(check_peer_uid(0, 1000).ok());
}

TEST_F(PeerTest, CredentialsNameTheProcessThatConnected) {
  UniqueFd listener = listen_at(path_).value();
  pid_t child = fork();
  if (child == 0) {
    auto socket = connect_to(path_, kSecondNs);
    pause();
    _exit(0);
  }
  pollfd state{listener.get(), POLLIN, 0};
  ASSERT_EQ(poll(&state, 1, 10'000), 1);
  UniqueFd socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(socket.valid());
  PeerCredentials peer = peer_credentials(socket.get()).value();
  EXPECT_EQ(peer.pid, child);
  EXPECT_EQ(peer.uid, geteuid());
  ASSERT_TRUE(peer.pidfd.valid());
  pollfd alive{peer.pidfd.get(), POLLIN, 0};
  EXPECT_EQ(poll(&alive, 1, 0), 0);
  kill(child, SIGKILL);
  EXPECT_EQ(poll(&alive, 1, 10'000), 1);
  int status = 0;
  waitpid(child, &status, 0);
}

TEST_F(PeerTest, CredentialsOfSomethingElse) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  UniqueFd a(ends[0]);
  UniqueFd b(ends[1]);
  EXPECT_FALSE(peer_credentials(a.get()).ok());
}

TEST_F(PeerTest, StaleSocketIsReplaced) {
  { UniqueFd first = listen_at(path_).value(); }
  EXPECT_EQ(connect_to(path_, kSecondNs).error().kind(), ErrorKind::kDisconnected);
  UniqueFd second = listen_at(path_).value();
  EXPECT_TRUE(connect_to(path_, kSecondNs).ok());
}

TEST_F(PeerTest, PathsMayBeLongerThanAnAddress) {
  std::string deep = path_ + "/" + std::string(200, 'x');
  ASSERT_EQ(mkdir(deep.c_str(), 0700), 0);
  UniqueFd listener = listen_at(deep).value();
  EXPECT_TRUE(connect_to(deep, kSecondNs).ok());
}

TEST_F(PeerTest, FullBacklogIsATimeout) {
  UniqueFd listener = listen_at(path_).value();
  std::vector<UniqueFd> clients;
  while (clients.size() < 10'000) {
    auto client = connect_to(path_, 20 * kMillisecondNs);
    if (!client.ok()) {
      EXPECT_EQ(client.error().kind(), ErrorKind::kTimeout);
      return;
    }
    clients.push_back(std::move(client).value());
  }
  FAIL() << "the backlog has no end";
}

TEST_F(PeerTest, SessionDirectoryMustBePrivate) {
  EXPECT_TRUE(check_session_directory(path_, geteuid()).ok());
  EXPECT_FALSE(check_session_directory(path_, geteuid() + 1).ok());
  chmod(path_.c_str(), 0750);
  EXPECT_FALSE(check_session_directory(path_, geteuid()).ok());
  chmod(path_.c_str(), 0700);
  std::string link = path_ + "/link";
  ASSERT_EQ(symlink("/tmp", link.c_str()), 0);
  EXPECT_FALSE(check_session_directory(link, geteuid()).ok());
  EXPECT_FALSE(check_session_directory(path_ + "/none", geteuid()).ok());
}

}  // namespace
}  // namespace sabir::rpc
