// What a broken or hostile peer may do to the node's socket: its own connection ends, and nothing else.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "runtime/base/clock.h"
#include "runtime/rpc/frame.h"
#include "runtime/rpc/handshake.h"
#include "runtime/rpc/testing/fake_node.h"

namespace sabir::rpc {
namespace {

using testing::HasSubstr;

constexpr int64_t kLong = 20 * kSecondNs;

void send_bytes(const UniqueFd& socket, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    ssize_t count = send(socket.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) {
      return;  // the node has closed already
    }
    sent += count > 0 ? static_cast<size_t>(count) : 0;
  }
}

std::string prefix_of(uint32_t size_bytes) {
  return std::string(reinterpret_cast<const char*>(&size_bytes), sizeof(size_bytes));
}

// Whether the node has closed, read to the end.
bool closed(const UniqueFd& socket) {
  return eventually([&socket] {
    char buffer[4096];
    ssize_t count = recv(socket.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno == ECONNRESET);
  });
}

class AbuseTest : public testing::Test {
 protected:
  // A neighbour is served as before, and nothing stays of the abuser.
  void expect_unharmed() {
    EXPECT_TRUE(neighbour_->kv_put("k", "v", true, kLong).ok());
    EXPECT_TRUE(eventually([this] { return node_.connections() == 1; }));
    FakeNotices notices;
    EXPECT_TRUE(node_.client(&notices)->status(kLong).ok());
  }

  static constexpr uint64_t kTotalBytes = 4 << 20;

  static SessionServerOptions options() {
    SessionServerOptions options;
    options.hello_timeout_ns = 300 * kMillisecondNs;
    options.max_calls_in_flight = 16;
    options.max_total_bytes = kTotalBytes;
    return options;
  }

  UniqueFd member() {
    UniqueFd socket = node_.dial();
    EXPECT_TRUE(shake_hands(socket.get(), FakeNode::driver_hello(), kLong).ok());
    return socket;
  }

  FakeNode node_{options()};
  FakeNotices notices_;
  std::unique_ptr<SessionClient> neighbour_ = node_.client(&notices_);
};

TEST_F(AbuseTest, RandomBytesBeforeTheHello) {
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(1 + random() % 300, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    UniqueFd socket = node_.dial();
    send_bytes(socket, bytes);
    shutdown(socket.get(), SHUT_WR);
    EXPECT_TRUE(closed(socket));
  }
  expect_unharmed();
}

TEST_F(AbuseTest, LengthsThatNoFrameHas) {
  for (uint32_t size_bytes : {0u, 1u, 7u, 12u, kMaxFrameBytes + 8, 0x7fffffffu, 0xffffffffu, 0xfffffff8u}) {
    UniqueFd socket = node_.dial();
    send_bytes(socket, prefix_of(size_bytes));
    EXPECT_TRUE(closed(socket)) << size_bytes;
  }
  expect_unharmed();
}

TEST_F(AbuseTest, SilenceAndSlownessEndAtTheDeadline) {
  std::string hello = encode_hello(FakeNode::driver_hello()).value();
  UniqueFd silent = node_.dial();
  UniqueFd half = node_.dial();
  UniqueFd dripping = node_.dial();
  send_bytes(half, hello.substr(0, hello.size() / 2));
  for (int i = 0; i < 5; ++i) {
    send_bytes(dripping, hello.substr(static_cast<size_t>(i), 1));
    usleep(10'000);
  }
  EXPECT_TRUE(closed(silent));
  EXPECT_TRUE(closed(half));
  EXPECT_TRUE(closed(dripping));
  expect_unharmed();
}

TEST_F(AbuseTest, HelloInPiecesInTimeIsFine) {
  std::string hello = encode_hello(FakeNode::driver_hello()).value();
  UniqueFd socket = node_.dial();
  for (char byte : hello) {
    send_bytes(socket, std::string(1, byte));
  }
  EXPECT_TRUE(eventually([this] { return node_.handler().ready() == 2; }));
}

// How many descriptors of this process, which the node is part of, lead to the same file.
size_t descriptors_of(int file) {
  struct stat wanted {};
  fstat(file, &wanted);
  size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    struct stat status {};
    count += fstat(fd, &status) == 0 && status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev ? 1 : 0;
  }
  return count;
}

TEST_F(AbuseTest, DescriptorsThatNobodyAskedForAreDropped) {
  UniqueFd gift(memfd_create("gift", MFD_CLOEXEC));
  UniqueFd socket = node_.dial();
  std::string hello = encode_hello(FakeNode::driver_hello()).value();
  iovec part{hello.data(), 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  int fd = gift.get();
  memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  ASSERT_EQ(sendmsg(socket.get(), &message, 0), 1);
  send_bytes(socket, hello.substr(1));
  EXPECT_TRUE(eventually([this] { return node_.handler().ready() == 2; }));
  EXPECT_EQ(descriptors_of(gift.get()), 1u);
}

TEST_F(AbuseTest, WrongVersionsAreToldSo) {
  HelloInfo hello = FakeNode::driver_hello();
  hello.min_version = 7;
  hello.max_version = 9;
  UniqueFd socket = node_.dial();
  auto result = shake_hands(socket.get(), hello, kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(result.error().message(), HasSubstr("version 7 to 9"));
  expect_unharmed();
}

TEST_F(AbuseTest, HandlersRefusalArrivesWithItsKind) {
  node_.handler().refuse_hellos(unsupported_error("another layout"));
  auto result = SessionClient::connect(node_.path(), FakeNode::driver_hello(), kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(result.error().message(), "another layout");
}

TEST_F(AbuseTest, GarbageInsteadOfRpc) {
  std::mt19937 random(2);
  for (int i = 0; i < 100; ++i) {
    UniqueFd socket = member();
    std::string bytes(8 + random() % 2000, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    if (i % 2 == 0) {
      // A message that is one as far as its table goes.
      uint32_t words = static_cast<uint32_t>(bytes.size() / 8 - 1);
      bytes.resize((words + 1) * 8);
      memset(bytes.data(), 0, 8);
      memcpy(bytes.data() + 4, &words, 4);
    }
    send_bytes(socket, bytes);
    shutdown(socket.get(), SHUT_WR);
    EXPECT_TRUE(closed(socket));
  }
  EXPECT_TRUE(eventually([this] { return node_.handler().disconnects() == 100; }));
  expect_unharmed();
}

TEST_F(AbuseTest, SegmentCountsAndSizesBeyondTheLimits) {
  for (uint32_t last_segment : {0xffffffffu, 0xfffffffeu, 512u, 100000u}) {
    UniqueFd socket = member();
    send_bytes(socket, prefix_of(last_segment) + prefix_of(1));
    EXPECT_TRUE(closed(socket)) << last_segment;
  }
  UniqueFd socket = member();
  send_bytes(socket, prefix_of(0) + prefix_of(0xffffffffu));
  EXPECT_TRUE(closed(socket));
  expect_unharmed();
}

// Messages that are announced and never end: together no more than the node keeps for all. Who asks for little is
// served; who gives up gives room back.
TEST_F(AbuseTest, MessagesOfAllConnectionsHaveOneLimit) {
  constexpr uint32_t kWords = (1 << 20) / 8;
  std::vector<UniqueFd> hoarders;
  for (uint64_t held = 0; held + kWords * 8 <= kTotalBytes; held += kWords * 8) {
    hoarders.push_back(member());
    send_bytes(hoarders.back(), prefix_of(0) + prefix_of(kWords) + std::string(1000, '\0'));
  }
  UniqueFd last = member();
  send_bytes(last, prefix_of(0) + prefix_of(kWords));
  EXPECT_TRUE(closed(last));
  EXPECT_TRUE(neighbour_->kv_put("k", "v", true, kLong).ok());
  hoarders.clear();
  EXPECT_TRUE(eventually([this] { return node_.connections() == 1; }));
  EXPECT_TRUE(neighbour_->kv_put("large", std::string(900'000, 'x'), true, kLong).ok());
  expect_unharmed();
}

TEST_F(AbuseTest, HellosOfAllConnectionsHaveTheSameLimit) {
  std::vector<UniqueFd> hoarders;
  for (uint64_t held = 0; held <= kTotalBytes; held += kMaxFrameBytes) {
    hoarders.push_back(node_.dial());
    send_bytes(hoarders.back(), prefix_of(kMaxFrameBytes));
  }
  char answer[4] = {};
  EXPECT_TRUE(eventually([&] { return recv(hoarders.back().get(), answer, sizeof(answer), MSG_DONTWAIT) == 4; }))
      << "it is told";
  hoarders.clear();
  expect_unharmed();
}

TEST_F(AbuseTest, FloodOfUnfinishedQuestions) {
  UniqueFd socket = member();
  // A Bootstrap message, again and again, each with its own question id; answers are never read or finished.
  std::string flood;
  for (uint32_t question = 0; question < 1000; ++question) {
    uint64_t words[] = {
        uint64_t{5} << 32,   // one segment of 5 words
        0x0001000100000000,  // root: a struct of 1 word and 1 pointer
        8,                   // Message.which = bootstrap
        0x0001000100000000,  // its struct: 1 word, 1 pointer
        question,            // questionId
        0,
    };
    flood.append(reinterpret_cast<const char*>(words), sizeof(words));
  }
  send_bytes(socket, flood);
  EXPECT_TRUE(closed(socket));
  expect_unharmed();
}

TEST_F(AbuseTest, KilledClientIsGoneAtOnce) {
  int report[2];
  ASSERT_EQ(pipe2(report, O_CLOEXEC), 0);
  UniqueFd read_end(report[0]);
  UniqueFd write_end(report[1]);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    UniqueFd socket = node_.dial();
    auto welcome = shake_hands(socket.get(), FakeNode::driver_hello(), kLong);
    char byte = welcome.ok() ? 'y' : 'n';
    (void)!write(write_end.get(), &byte, 1);
    pause();
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(read_end.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(node_.handler().peer_pid(), static_cast<uint32_t>(child));
  EXPECT_TRUE(eventually([this] { return node_.handler().ready() == 2; }));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(eventually([this] { return node_.handler().disconnects() == 1; }));
  expect_unharmed();
}

TEST_F(AbuseTest, OutOfDescriptorsShedsTheNewestAndRecovers) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  // The lowest free descriptor becomes the limit: every new one fails, in the whole process.
  int free_fd = fcntl(2, F_DUPFD, 0);
  close(free_fd);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, (node_.path() + "/node.sock").c_str(), sizeof(address.sun_path) - 1);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(free_fd);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  for (UniqueFd& client : clients) {
    EXPECT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  for (UniqueFd& client : clients) {
    EXPECT_TRUE(closed(client));
  }
  EXPECT_TRUE(neighbour_->kv_put("k", "v", true, kLong).ok());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  expect_unharmed();
}

TEST(LimitTest, ConnectionsAreLimitedAndToldSo) {
  SessionServerOptions options;
  options.max_connections = 2;
  FakeNode node(std::move(options));
  FakeNotices notices;
  auto a = node.client(&notices);
  auto b = node.client(&notices);
  auto c = SessionClient::connect(node.path(), FakeNode::driver_hello(), kLong);
  ASSERT_FALSE(c.ok());
  EXPECT_EQ(c.error().kind(), ErrorKind::kExhausted);
  a->close();
  EXPECT_TRUE(eventually([&] { return node.connections() == 1; }));
  EXPECT_TRUE(SessionClient::connect(node.path(), FakeNode::driver_hello(), kLong).ok());
}

// The node as a process of its own, to be stopped and killed.
class NodeProcess {
 public:
  NodeProcess() {
    char pattern[] = "/tmp/sabir-rpc-XXXXXX";
    EXPECT_NE(mkdtemp(pattern), nullptr);
    path_ = pattern;
    int ready[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
    UniqueFd read_end(ready[0]);
    UniqueFd write_end(ready[1]);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      loop::EventLoop loop;
      FakeHandler handler;
      SessionServer server(loop, handler, Logger());
      char byte = server.listen(path_).ok() ? 'y' : 'n';
      (void)!write(write_end.get(), &byte, 1);
      loop.run();
      _exit(0);
    }
    char byte = 0;
    EXPECT_EQ(read(read_end.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'y');
  }
  ~NodeProcess() {
    signal(SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
    unlink((path_ + "/node.sock").c_str());
    rmdir(path_.c_str());
  }

  const std::string& path() const { return path_; }
  void signal(int number) { kill(pid_, number); }

 private:
  std::string path_;
  pid_t pid_ = -1;
};

TEST(NodeDeathTest, KilledNodeEndsCallsAndSession) {
  NodeProcess node;
  FakeNotices notices;
  auto client = SessionClient::connect(node.path(), FakeNode::driver_hello(), kLong).value();
  ASSERT_TRUE(client->start(&notices).ok());
  ASSERT_TRUE(client->status(kLong).ok());
  node.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return notices.has("disconnect"); }));
  EXPECT_EQ(client->status(kLong).error().kind(), ErrorKind::kDisconnected);
  client->close();
}

TEST(NodeDeathTest, StoppedNodeIsATimeoutAndComesBack) {
  NodeProcess node;
  FakeNotices notices;
  auto client = SessionClient::connect(node.path(), FakeNode::driver_hello(), kLong).value();
  ASSERT_TRUE(client->start(&notices).ok());
  ASSERT_TRUE(client->status(kLong).ok());
  node.signal(SIGSTOP);
  EXPECT_EQ(client->kv_put("k", "v", false, 100 * kMillisecondNs).error().kind(), ErrorKind::kTimeout);
  EXPECT_EQ(SessionClient::connect(node.path(), FakeNode::driver_hello(), 100 * kMillisecondNs).error().kind(),
            ErrorKind::kTimeout);
  node.signal(SIGCONT);
  EXPECT_FALSE(client->kv_put("k", "w", false, kLong).value());
  EXPECT_EQ(client->kv_get("k", kLong).value(), "v");
}

TEST(NodeDeathTest, CloseDoesNotWaitForAStoppedNode) {
  NodeProcess node;
  FakeNotices notices;
  auto client = SessionClient::connect(node.path(), FakeNode::driver_hello(), kLong).value();
  ASSERT_TRUE(client->start(&notices).ok());
  node.signal(SIGSTOP);
  SteadyClock clock;
  int64_t start_ns = clock.now_ns();
  client->close();
  EXPECT_LT(clock.now_ns() - start_ns, 10 * kSecondNs);
}

TEST(NodeDeathTest, NobodyListens) {
  EXPECT_FALSE(SessionClient::connect("/tmp/sabir-no-such-session", FakeNode::driver_hello(), kSecondNs).ok());
  char pattern[] = "/tmp/sabir-rpc-XXXXXX";
  ASSERT_NE(mkdtemp(pattern), nullptr);
  EXPECT_EQ(SessionClient::connect(pattern, FakeNode::driver_hello(), kSecondNs).error().kind(),
            ErrorKind::kDisconnected);
  rmdir(pattern);
}

}  // namespace
}  // namespace sabir::rpc
