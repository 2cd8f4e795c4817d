#include "runtime/loop/socket_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <kj/vector.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "runtime/loop/poll_port.h"

namespace sabir::loop {
namespace {

class SocketStreamTest : public testing::Test {
 protected:
  SocketStreamTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peer_fd_ = ends[1];
    ours_ = stream(UniqueFd(ends[0]));
    theirs_ = stream(UniqueFd(ends[1]));
  }

  ~SocketStreamTest() noexcept override = default;

  kj::Own<SocketStream> stream(UniqueFd socket) {
    int fd = socket.get();
    return kj::heap<SocketStream>(std::move(socket), port_.watch(fd));
  }

  PollPort port_{[] {}};
  kj::EventLoop loop_{port_};
  kj::WaitScope scope_{loop_};
  int peer_fd_;
  kj::Own<SocketStream> ours_;
  kj::Own<SocketStream> theirs_;
};

TEST_F(SocketStreamTest, PiecesLargerThanAnyBufferArriveWhole) {
  std::vector<std::string> texts;
  kj::Vector<kj::ArrayPtr<const kj::byte>> pieces;
  std::string all;
  for (int i = 0; i < 3000; ++i) {  // more than one sendmsg takes
    texts.push_back(std::string(static_cast<size_t>(i % 700), static_cast<char>('a' + i % 26)));
    all += texts.back();
  }
  for (const std::string& text : texts) {
    pieces.add(reinterpret_cast<const kj::byte*>(text.data()), text.size());
  }
  auto write = ours_->write(pieces.asPtr()).eagerlyEvaluate(nullptr);
  std::string received(all.size(), '\0');
  EXPECT_EQ(theirs_->tryRead(received.data(), received.size(), received.size()).wait(scope_), all.size());
  write.wait(scope_);
  EXPECT_EQ(received, all);
}

TEST_F(SocketStreamTest, NothingToWriteIsDoneAtOnce) {
  ours_->write(nullptr, 0).wait(scope_);
  kj::ArrayPtr<const kj::byte> empty[2];
  ours_->write(kj::arrayPtr(empty, 2)).wait(scope_);
}

TEST_F(SocketStreamTest, ReadsWhatIsThere) {
  ours_->write("hello", 5).wait(scope_);
  char buffer[16];
  EXPECT_EQ(theirs_->tryRead(buffer, 1, sizeof(buffer)).wait(scope_), 5u);
  auto read = theirs_->tryRead(buffer, 3, sizeof(buffer));
  ours_->write("ab", 2).wait(scope_);
  EXPECT_FALSE(read.poll(scope_));
  ours_->write("c", 1).wait(scope_);
  EXPECT_EQ(read.wait(scope_), 3u);
}

TEST_F(SocketStreamTest, EndOfStream) {
  ours_->write("ab", 2).wait(scope_);
  ours_->shutdownWrite();
  char buffer[16];
  EXPECT_EQ(theirs_->tryRead(buffer, 4, sizeof(buffer)).wait(scope_), 2u);
  EXPECT_EQ(theirs_->tryRead(buffer, 1, sizeof(buffer)).wait(scope_), 0u);
  // The other direction still works.
  theirs_->write("x", 1).wait(scope_);
  EXPECT_EQ(ours_->tryRead(buffer, 1, 1).wait(scope_), 1u);
}

TEST_F(SocketStreamTest, WriterHearsThatThePeerIsGone) {
  auto gone = ours_->whenWriteDisconnected();
  auto also = ours_->whenWriteDisconnected();
  EXPECT_FALSE(gone.poll(scope_));
  theirs_ = nullptr;
  gone.wait(scope_);
  also.wait(scope_);
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&] { ours_->write("x", 1).wait(scope_); })) {
    EXPECT_EQ(exception->getType(), kj::Exception::Type::DISCONNECTED);
  } else {
    FAIL() << "wrote to nobody";
  }
}

TEST_F(SocketStreamTest, HalfAnEndIsNoDisconnectForAWriter) {
  auto gone = ours_->whenWriteDisconnected();
  theirs_->shutdownWrite();
  EXPECT_FALSE(gone.poll(scope_));
  EXPECT_FALSE(gone.poll(scope_));
}

TEST_F(SocketStreamTest, BlockedWriteEndsWhenThePeerGoes) {
  std::string large(16 << 20, 'x');
  auto write = ours_->write(large.data(), large.size());
  EXPECT_FALSE(write.poll(scope_));
  theirs_ = nullptr;
  EXPECT_TRUE(kj::runCatchingExceptions([&] { write.wait(scope_); }) != nullptr);
}

TEST_F(SocketStreamTest, DroppedReadMayBeRepeated) {
  char buffer[4];
  { auto read = theirs_->tryRead(buffer, 1, 4).eagerlyEvaluate(nullptr); }
  auto read = theirs_->tryRead(buffer, 1, 4);
  ours_->write("x", 1).wait(scope_);
  EXPECT_EQ(read.wait(scope_), 1u);
}

TEST_F(SocketStreamTest, DescriptorsTravelWithTheFirstByte) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  UniqueFd read_end(pipe_ends[0]);
  UniqueFd write_end(pipe_ends[1]);
  int fds[] = {write_end.get()};
  const kj::byte bytes[] = {'h', 'i'};
  ours_->write_with_fds(kj::arrayPtr(bytes, 2), kj::arrayPtr(fds, 1)).wait(scope_);
  char data[8];
  iovec part{data, sizeof(data)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ASSERT_EQ(recvmsg(peer_fd_, &message, 0), 2);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  int received = -1;
  memcpy(&received, CMSG_DATA(header), sizeof(received));
  UniqueFd copy(received);
  EXPECT_EQ(write(copy.get(), "z", 1), 1);
  EXPECT_EQ(read(read_end.get(), data, 1), 1);
  EXPECT_EQ(data[0], 'z');
}

TEST(PollPortTest, WakesAreNotLostAndMayBeOne) {
  std::atomic<int> wakes{0};
  kj::Own<kj::PromiseFulfiller<void>> fulfiller;
  PollPort port([&] {
    if (++wakes > 0 && fulfiller.get() != nullptr) {
      fulfiller->fulfill();
    }
  });
  kj::EventLoop loop(port);
  kj::WaitScope scope(loop);
  for (int i = 0; i < 100; ++i) {
    auto pair = kj::newPromiseAndFulfiller<void>();
    fulfiller = kj::mv(pair.fulfiller);
    std::thread other([&] { port.wake(); });
    pair.promise.wait(scope);
    other.join();
  }
  EXPECT_EQ(wakes, 100);
}

}  // namespace
}  // namespace sabir::loop
