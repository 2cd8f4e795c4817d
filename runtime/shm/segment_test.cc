#include "runtime/shm/segment.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/shm/testing/test_segments.h"

namespace sabir::shm {
namespace {

using testing::TestSegments;

ErrorKind kind_of_node(int fd) {
  Result<NodeView> view = NodeView::map(fd);
  return view.ok() ? ErrorKind{} : view.error().kind();
}
ErrorKind kind_of_calls(int fd) {
  Result<CallsView> view = CallsView::map(fd);
  return view.ok() ? ErrorKind{} : view.error().kind();
}

TEST(SegmentTest, WhatOneWritesTheOtherReads) {
  TestSegments segments;
  Result<NodeView> node = NodeView::map(segments.all.node_fd.get());
  ASSERT_TRUE(node.ok()) << node.error().to_string();
  segments.node_segment().header.death_count.store(5);
  EXPECT_EQ(node->header().death_count.load(), 5u);
  EXPECT_EQ(node->header().cpu_count, 2u);

  Result<CallsView> calls = CallsView::map(segments.all.calls_fd.get());
  ASSERT_TRUE(calls.ok()) << calls.error().to_string();
  calls->cell(kMaxCells - 1).call_id = 77;
  EXPECT_EQ(segments.calls().cell(kMaxCells - 1).call_id, 77u);
}

// T2: nobody but its maker can write `node`, now or later.
TEST(SegmentTest, NodeCannotBeMadeWritable) {
  TestSegments segments;
  int fd = segments.all.node_fd.get();
  EXPECT_EQ(::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  EXPECT_EQ(::write(fd, "x", 1), -1);
  Result<NodeView> node = NodeView::map(fd);
  ASSERT_TRUE(node.ok());
  auto* page = const_cast<NodeSegment*>(&node->segment());
  EXPECT_EQ(::mprotect(page, kPageBytes, PROT_READ | PROT_WRITE), -1);
}

// T2: no size ever changes, so no access faults.
TEST(SegmentTest, NoSegmentCanBeTruncatedOrGrown) {
  TestSegments segments;
  for (int fd : {segments.all.node_fd.get(), segments.all.calls_fd.get(), segments.all.objects_fd.get()}) {
    EXPECT_EQ(::ftruncate(fd, kPageBytes), -1);
    EXPECT_EQ(::ftruncate(fd, off_t{1} << 40), -1);
    EXPECT_EQ(::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1) << "no further seals either";
  }
}

TEST(SegmentTest, ForeignDescriptorsAreErrors) {
  TestSegments segments;
  EXPECT_EQ(kind_of_node(-1), ErrorKind::kInvalid);
  int pipe_fds[2];
  ASSERT_EQ(::pipe2(pipe_fds, O_CLOEXEC), 0);
  UniqueFd reader(pipe_fds[0]), writer(pipe_fds[1]);
  EXPECT_EQ(kind_of_calls(reader.get()), ErrorKind::kInvalid);
  UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(kind_of_calls(file.get()), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_calls(segments.all.node_fd.get()), ErrorKind::kInvalid) << "wrong size";
  EXPECT_EQ(kind_of_node(segments.all.calls_fd.get()), ErrorKind::kInvalid) << "wrong seals";
}

TEST(SegmentTest, TruncatedAndUnsealedSegmentsAreErrors) {
  UniqueFd small = std::move(create_memfd("small", kPageBytes)).value();
  ASSERT_TRUE(seal_memfd(small.get(), true).ok());
  EXPECT_EQ(kind_of_node(small.get()), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_calls(small.get()), ErrorKind::kInvalid);
  UniqueFd unsealed = std::move(create_memfd("unsealed", sizeof(CallsSegment))).value();
  EXPECT_EQ(kind_of_calls(unsealed.get()), ErrorKind::kInvalid);
}

TEST(SegmentTest, APunchedSegmentIsAnErrorAndMappedOnesReadZeros) {
  TestSegments segments;
  int fd = segments.all.calls_fd.get();
  segments.calls().cell(3).call_id = 9;
  ASSERT_EQ(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, sizeof(CallsSegment)), 0);
  EXPECT_EQ(segments.calls().cell(3).call_id, 0u);
  EXPECT_EQ(kind_of_calls(fd), ErrorKind::kInvalid);
  EXPECT_NE(::fallocate(segments.all.node_fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPageBytes), 0)
      << "FUTURE_WRITE forbids it";
}

// T6.
TEST(SegmentTest, AnotherLayoutIsUnsupported) {
  TestSegments segments;
  segments.node_segment().header.layout_hash = kLayoutHash + 1;
  segments.calls().header().layout_hash = kLayoutHash - 1;
  EXPECT_EQ(kind_of_node(segments.all.node_fd.get()), ErrorKind::kUnsupported);
  EXPECT_EQ(kind_of_calls(segments.all.calls_fd.get()), ErrorKind::kUnsupported);
}

TEST(SegmentTest, AForkedChildHasNoneOfIt) {
  TestSegments segments;
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    unsigned char resident = 0;
    bool gone = ::mincore(&segments.calls().segment(), kPageBytes, &resident) != 0;
    ::_exit(gone ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(SegmentTest, IndicesOutOfSharedWordsAreChecked) {
  TestSegments segments;
  const CallsView& calls = segments.calls();
  EXPECT_NE(calls.find_cell(kMaxCells - 1), nullptr);
  EXPECT_EQ(calls.find_cell(kMaxCells), nullptr);
  EXPECT_EQ(calls.find_queue(kMaxQueues), nullptr);
  EXPECT_EQ(calls.find_page(kMaxProcesses), nullptr);
  EXPECT_EQ(calls.find_entry(kMaxEntries), nullptr);
  EXPECT_EQ(segments.node().find_class(kMaxClasses), nullptr);
  EXPECT_EQ(segments.node().find_actor(kMaxActors), nullptr);
  EXPECT_EQ(segments.node().cell_owner(kMaxCells), 0);

  constexpr uint32_t kUnits = kMaxBlockChunks * (kBlockChunkBytes / kBlockUnitBytes);
  EXPECT_NE(calls.find_block(kUnits - 1, kBlockUnitBytes), nullptr);
  EXPECT_EQ(calls.find_block(kUnits - 1, kBlockUnitBytes + 1), nullptr);
  EXPECT_EQ(calls.find_block(kUnits, 0), nullptr);
  EXPECT_EQ(calls.find_block(1, kMaxBlockBytes + 1), nullptr);
  EXPECT_EQ(calls.find_block(~0u, ~uint64_t{0}), nullptr);
}

// Huge pages are mapped as such only when address and offset agree modulo 2 MiB.
TEST(MappingTest, ReservationsAreAligned) {
  for (size_t size : {size_t{1}, kPageBytes, kHugePageBytes + 1}) {
    Result<Mapping> reserved = reserve(size);
    ASSERT_TRUE(reserved.ok());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(reserved->address()) % kHugePageBytes, 0u);
    EXPECT_GE(reserved->size_bytes(), size);
  }
  TestSegments segments;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&segments.calls().segment()) % kHugePageBytes, 0u);
}

}  // namespace
}  // namespace sabir::shm
