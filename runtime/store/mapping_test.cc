#include "runtime/store/mapping.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "runtime/shm/limits.h"

namespace sabir::store {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kSegmentBytes = 32 * kMiB;

UniqueFd make_segment() {
  UniqueFd fd = shm::create_memfd("mapping_test", kSegmentBytes).value();
  EXPECT_TRUE(shm::seal_memfd(fd.get(), false).ok());
  return fd;
}

// Runs `body` in a forked child; how it ended, as of waitpid.
int in_child(const std::function<void()>& body) {
  pid_t child = fork();
  if (child == 0) {
    // A crash is what some of these want: no report by a sanitizer, no core.
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    body();
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

bool crashed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV; }

TEST(ObjectsViewTest, ChecksBounds) {
  UniqueFd fd = make_segment();
  ObjectsView view = ObjectsView::map(fd.get()).value();
  EXPECT_EQ(view.size_bytes(), kSegmentBytes);
  EXPECT_TRUE(view.view(0, kSegmentBytes).ok());
  EXPECT_TRUE(view.view(kSegmentBytes, 0).ok());
  EXPECT_FALSE(view.view(0, kSegmentBytes + 1).ok());
  EXPECT_FALSE(view.view(kSegmentBytes - 1, 2).ok());
  EXPECT_FALSE(view.view(kSegmentBytes + 1, 0).ok());
  EXPECT_FALSE(view.view(~uint64_t{0}, 2).ok());
  EXPECT_FALSE(view.view(2, ~uint64_t{0}).ok());
  const uint8_t* first = view.view(0, 1)->data();
  EXPECT_TRUE(view.contains(first));
  EXPECT_TRUE(view.contains(first + kSegmentBytes - 1));
  EXPECT_FALSE(view.contains(first + kSegmentBytes));
  EXPECT_FALSE(view.contains(&view));
}

// A segment that could shrink would be a SIGBUS in waiting (T2).
TEST(ObjectsViewTest, RefusesWhatIsNotSealed) {
  UniqueFd fd = shm::create_memfd("mapping_test", kSegmentBytes).value();
  EXPECT_EQ(ObjectsView::map(fd.get()).error().kind(), ErrorKind::kInvalid);
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  EXPECT_FALSE(ObjectsView::map(pipe_fds[0]).ok());
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

TEST(WritableAliasTest, ShowsTheSameBytesAtACongruentAddress) {
  UniqueFd fd = make_segment();
  ObjectsView view = ObjectsView::map(fd.get()).value();
  for (uint64_t offset : {uint64_t{0}, 5 * kMiB + shm::kPageBytes, 7 * kMiB + 100}) {
    WritableAlias alias = WritableAlias::map(fd.get(), offset, 3 * kMiB + 5).value();
    alias.populate(offset, 3 * kMiB + 5);
    std::memset(alias.at(offset), 0x5a, 3 * kMiB + 5);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(alias.at(offset)) % shm::kHugePageBytes, offset % shm::kHugePageBytes);
    EXPECT_EQ(view.view(offset, 1)->front(), 0x5a);
    EXPECT_EQ(view.view(offset + 3 * kMiB + 4, 1)->front(), 0x5a);
    EXPECT_TRUE(alias.contains(offset + 5, 3 * kMiB));
    EXPECT_FALSE(alias.contains(offset + 6, 3 * kMiB));
    EXPECT_FALSE(alias.contains(offset - 1, 1));
    EXPECT_FALSE(alias.contains(offset, ~uint64_t{0}));
  }
}

TEST(WritableAliasTest, PopulatesInAnyOrder) {
  UniqueFd fd = make_segment();
  WritableAlias alias = WritableAlias::map(fd.get(), shm::kPageBytes, 8 * kMiB).value();
  alias.populate(shm::kPageBytes + 5, 10);
  alias.populate(shm::kPageBytes, 2 * kMiB);
  alias.populate(shm::kPageBytes + kMiB, kMiB);
  alias.populate(shm::kPageBytes + 7 * kMiB, kMiB);
  std::memset(alias.at(shm::kPageBytes), 1, 8 * kMiB);
}

// O1: a stray write of user code crashes the guilty process, not its neighbours' data.
TEST(StrayWriteTest, CrashesTheWriterAndNobodyElse) {
  UniqueFd fd = make_segment();
  ObjectsView view = ObjectsView::map(fd.get()).value();
  WritableAlias alias = WritableAlias::map(fd.get(), 0, kMiB).value();
  std::memset(alias.at(0), 7, kMiB);
  const uint8_t* object = view.view(0, kMiB)->data();
  EXPECT_TRUE(crashed(in_child([&] {
    ObjectsView own = ObjectsView::map(fd.get()).value();
    *const_cast<volatile uint8_t*>(own.view(100, 1)->data()) = 9;
  })));
  EXPECT_TRUE(crashed(in_child([&] { *const_cast<volatile uint8_t*>(object + 100) = 9; })));
  EXPECT_EQ(object[100], 7);
}

TEST(ForkTest, ViewsGoOnAndAliasesDoNot) {
  UniqueFd fd = make_segment();
  ObjectsView view = ObjectsView::map(fd.get()).value();
  WritableAlias alias = WritableAlias::map(fd.get(), 0, kMiB).value();
  alias.at(0)[5] = 7;
  EXPECT_EQ(in_child([&] { _exit(view.view(5, 1)->front() == 7 ? 0 : 1); }), 0);
  int status = in_child([&] { *static_cast<volatile uint8_t*>(alias.at(5)) = 9; });
#if !defined(__SANITIZE_THREAD__)  // whose own memory may take the place that the alias had
  EXPECT_TRUE(crashed(status));
#endif
  EXPECT_EQ(view.view(5, 1)->front(), 7) << status;
}

TEST(KillTest, AWriterKilledHalfwayHurtsNobody) {
  UniqueFd fd = make_segment();
  ObjectsView view = ObjectsView::map(fd.get()).value();
  int status = in_child([&] {
    WritableAlias alias = WritableAlias::map(fd.get(), 4 * kMiB, 8 * kMiB).value();
    std::memset(alias.at(4 * kMiB), 1, 3 * kMiB);
    raise(SIGKILL);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  WritableAlias alias = WritableAlias::map(fd.get(), 4 * kMiB, 8 * kMiB).value();
  std::memset(alias.at(4 * kMiB), 2, 8 * kMiB);
  EXPECT_EQ(view.view(4 * kMiB, 1)->front(), 2);
}

}  // namespace
}  // namespace sabir::store
