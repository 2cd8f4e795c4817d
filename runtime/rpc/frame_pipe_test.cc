#include "runtime/rpc/frame_pipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/rpc/frame.h"

namespace sabir::rpc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kLongNs = 20 * kSecondNs;

std::string frame_of(const std::string& message) {
  uint8_t size[kFramePrefixBytes];
  auto count = static_cast<uint32_t>(message.size());
  for (size_t i = 0; i < sizeof(size); ++i) {
    size[i] = static_cast<uint8_t>(count >> 8 * i);
  }
  return std::string(reinterpret_cast<char*>(size), sizeof(size)) + message;
}

class FramePipeTest : public testing::Test {
 protected:
  FramePipeTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ends_[0] = UniqueFd(ends[0]);
    ends_[1] = UniqueFd(ends[1]);
  }
  std::unique_ptr<FramePipe> make(int end, size_t max_waiting_bytes = FramePipe::kMaxWaitingBytes) {
    return std::make_unique<FramePipe>(
        loop_, std::move(ends_[end]), [this, end](std::string_view message) { heard_[end].emplace_back(message); },
        [this, end](const std::string& why) { ended_[end].push_back(why); }, max_waiting_bytes);
  }

  loop::EventLoop loop_;
  UniqueFd ends_[2];
  std::vector<std::string> heard_[2];
  std::vector<std::string> ended_[2];
};

TEST_F(FramePipeTest, FramesOfAllSizesArriveInOrder) {
  auto a = make(0);
  auto b = make(1);
  std::vector<std::string> said;
  for (size_t size : {8, 104, 70'000, 5'000'000, 16, 1'048'576, 24}) {
    said.emplace_back(size, static_cast<char>('a' + said.size()));
    a->send(frame_of(said.back()));
  }
  EXPECT_GT(a->waiting_bytes(), 0u);
  ASSERT_TRUE(loop_.run_until([&] { return heard_[1].size() == said.size(); }, kLongNs));
  EXPECT_TRUE(heard_[1] == said);
  EXPECT_EQ(a->waiting_bytes(), 0u);
  EXPECT_THAT(ended_[0], IsEmpty());
}

TEST_F(FramePipeTest, AnOtherEndThatDoesNotReadCountsAsGone) {
  constexpr size_t kLimitBytes = 4 << 20;
  auto a = make(0, kLimitBytes);
  std::string frame = frame_of(std::string(100'000, 'x'));
  for (int i = 0; i < 1000 && ended_[0].empty(); ++i) {
    a->send(frame);
    EXPECT_LE(a->waiting_bytes(), kLimitBytes);
  }
  ASSERT_EQ(ended_[0].size(), 1u);
  EXPECT_THAT(ended_[0][0], HasSubstr("does not read"));
  a->send(frame);
  EXPECT_EQ(ended_[0].size(), 1u) << "it is told once";
}

TEST_F(FramePipeTest, AMessageThatNoOtherEndWouldTakeIsNotSent) {
  auto a = make(0);
  auto b = make(1);
  a->send(std::string(FramePipe::kMaxFrameBytes + kFramePrefixBytes + 1, 'x'));
  ASSERT_EQ(ended_[0].size(), 1u);
  EXPECT_THAT(ended_[0][0], HasSubstr("too large"));
}

TEST_F(FramePipeTest, TheLastWordsAreHeardAlsoIfSomethingWaitsToBeSent) {
  auto a = make(0);
  auto b = make(1);
  b->send(frame_of("the last words: "));
  while (a->waiting_bytes() == 0) {
    a->send(frame_of(std::string(100'000, 'x')));
  }
  b.reset();
  ASSERT_TRUE(loop_.run_until([&] { return !ended_[0].empty(); }, kLongNs));
  ASSERT_EQ(heard_[0].size(), 1u);
  EXPECT_EQ(heard_[0][0], "the last words: ");
  EXPECT_EQ(ended_[0].size(), 1u);
  EXPECT_EQ(a->waiting_bytes(), 0u);
}

TEST_F(FramePipeTest, WhoSendsToOneThatIsGoneHearsItOut) {
  auto a = make(0);
  auto b = make(1);
  b->send(frame_of("the last words: "));
  b.reset();
  a->send(frame_of("too late"));
  EXPECT_THAT(ended_[0], IsEmpty());
  ASSERT_TRUE(loop_.run_until([&] { return !ended_[0].empty(); }, kLongNs));
  ASSERT_EQ(heard_[0].size(), 1u);
}

TEST_F(FramePipeTest, TheEndOfTheOtherIsTold) {
  auto a = make(0);
  ends_[1].reset();
  ASSERT_TRUE(loop_.run_until([&] { return !ended_[0].empty(); }, kLongNs));
  EXPECT_EQ(ended_[0].size(), 1u);
}

}  // namespace
}  // namespace sabir::rpc
