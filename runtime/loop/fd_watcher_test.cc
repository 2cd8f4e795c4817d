#include "runtime/loop/fd_watcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"

namespace sabir::loop {
namespace {

constexpr int64_t kLong = 20 * kSecondNs;
constexpr int64_t kShort = 5 * kMillisecondNs;

class FdWatcherTest : public testing::Test {
 protected:
  EventLoop loop_;
};

TEST_F(FdWatcherTest, EventfdUntilItIsRead) {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  int calls = 0;
  bool read_it = false;
  auto watcher = FdWatcher::create(loop_, fd.get(), [&](uint32_t ready) {
                   EXPECT_EQ(ready, kReadable);
                   ++calls;
                   if (read_it) {
                     eventfd_t value = 0;
                     eventfd_read(fd.get(), &value);
                   }
                 }).value();
  eventfd_write(fd.get(), 1);
  EXPECT_FALSE(loop_.run_until([&] { return calls > 0; }, kShort));  // watches nothing yet
  watcher->watch(kReadable);
  EXPECT_TRUE(loop_.run_until([&] { return calls > 2; }, kLong));  // level-triggered
  read_it = true;
  EXPECT_TRUE(loop_.run_until([&, before = calls] { return calls > before; }, kLong));
  int after = calls;
  EXPECT_FALSE(loop_.run_until([&] { return calls > after; }, kShort));
}

TEST_F(FdWatcherTest, PidfdSaysThatItsProcessEnded) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  UniqueFd read_end(pipe_ends[0]);
  UniqueFd write_end(pipe_ends[1]);
  pid_t child = fork();
  if (child == 0) {
    write_end.reset();
    char byte;
    (void)!read(read_end.get(), &byte, 1);
    _exit(0);
  }
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ASSERT_TRUE(pidfd.valid());
  bool ended = false;
  auto watcher = FdWatcher::create(loop_, pidfd.get(), [&](uint32_t) {
                   ended = true;
                   waitpid(child, nullptr, 0);
                 }).value();
  watcher->watch(kReadable);
  EXPECT_FALSE(loop_.run_until([&] { return ended; }, kShort));
  write_end.reset();
  EXPECT_TRUE(loop_.run_until([&] { return ended; }, kLong));
  watcher->watch(0);
}

TEST_F(FdWatcherTest, PipeWhoseWriterIsGone) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  UniqueFd read_end(pipe_ends[0]);
  UniqueFd write_end(pipe_ends[1]);
  uint32_t seen = 0;
  std::unique_ptr<FdWatcher> watcher;
  watcher = FdWatcher::create(loop_, read_end.get(), [&](uint32_t ready) {
              seen = ready;
              watcher.reset();  // from inside its callback
            }).value();
  watcher->watch(kReadable);
  write_end.reset();
  EXPECT_TRUE(loop_.run_until([&] { return seen != 0; }, kLong));
  EXPECT_EQ(seen, kReadable);
  char byte;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 0);
}

TEST_F(FdWatcherTest, SocketEvents) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  uint32_t seen = 0;
  auto watcher = FdWatcher::create(loop_, ours.get(), [&](uint32_t ready) { seen |= ready; }).value();
  watcher->watch(kReadable | kWritable | kHungUp);
  EXPECT_TRUE(loop_.run_until([&] { return seen == kWritable; }, kLong));
  watcher->watch(kReadable | kHungUp);
  seen = 0;
  ASSERT_EQ(write(theirs.get(), "x", 1), 1);
  EXPECT_TRUE(loop_.run_until([&] { return seen == kReadable; }, kLong));
  theirs.reset();
  EXPECT_TRUE(loop_.run_until([&] { return (seen & kHungUp) != 0; }, kLong));
}

TEST_F(FdWatcherTest, WhatCannotBeWatchedIsAnError) {
  UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(FdWatcher::create(loop_, file.get(), [](uint32_t) {}).ok());
  UniqueFd fd(eventfd(0, EFD_CLOEXEC));
  auto first = FdWatcher::create(loop_, fd.get(), [](uint32_t) {}).value();
  first->watch(kReadable);
  eventfd_write(fd.get(), 1);
  loop_.run_until([] { return false; }, kShort);
  EXPECT_FALSE(FdWatcher::create(loop_, fd.get(), [](uint32_t) {}).ok());
}

}  // namespace
}  // namespace sabir::loop
