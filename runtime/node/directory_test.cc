#include "runtime/node/directory.h"

#include "runtime/node/node_parts_for_test.h"

namespace sabir::node {
namespace {

class DirectoryTest : public ::testing::Test {
 protected:
  std::vector<uint32_t> listed_queues(shm::ClassIndex class_index) {
    const shm::ClassRecord& record = parts_.segments.node.segment().classes[class_index];
    std::vector<uint32_t> queues;
    for (uint32_t i = 0; i < record.queue_count.load(); ++i) {
      queues.push_back(record.queues[i].load());
    }
    return queues;
  }
  std::vector<uint32_t> listed_workers(shm::ClassIndex class_index) {
    const shm::ClassRecord& record = parts_.segments.node.segment().classes[class_index];
    std::vector<uint32_t> workers;
    for (uint32_t i = 0; i < record.worker_count.load(); ++i) {
      workers.push_back(record.workers[i].load());
    }
    return workers;
  }

  NodeParts parts_;
};

TEST_F(DirectoryTest, OneQueuePerProcessAndClass) {
  Process& process = parts_.add();
  Directory::Queue first = parts_.directory.open_queue(process, 3).value();
  EXPECT_TRUE(first.is_new);
  Directory::Queue again = parts_.directory.open_queue(process, 3).value();
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.index, first.index);
  EXPECT_NE(parts_.directory.open_queue(process, 4).value().index, first.index);
  const shm::QueueRecord& record = parts_.segments.node.segment().queues[first.index];
  EXPECT_EQ(record.owner_slot.load(), process.key.slot);
  EXPECT_EQ(record.owner_incarnation.load(), process.key.incarnation);
  EXPECT_EQ(record.in_use.load(), 1u);
}

TEST_F(DirectoryTest, WorkersQueuesComeFirstNewestFirst) {
  Process& driver = parts_.add(shm::ProcessKind::kDriver);
  Process& older = parts_.add();
  Process& newer = parts_.add();
  uint32_t of_driver = parts_.directory.open_queue(driver, 0).value().index;
  uint32_t of_older = parts_.directory.open_queue(older, 0).value().index;
  uint32_t of_newer = parts_.directory.open_queue(newer, 0).value().index;
  EXPECT_EQ(listed_queues(0), (std::vector<uint32_t>{of_newer, of_older, of_driver}));
  parts_.directory.close_queue(of_older);
  EXPECT_EQ(listed_queues(0), (std::vector<uint32_t>{of_newer, of_driver}));
  parts_.directory.close_queue(of_older);
  EXPECT_EQ(listed_queues(0).size(), 2u);
}

TEST_F(DirectoryTest, AClassHasRoomForSoManyQueues) {
  for (uint32_t i = 0; i < shm::kMaxQueuesPerClass; ++i) {
    ASSERT_TRUE(parts_.directory.open_queue(parts_.add(), 0).ok());
  }
  Result<Directory::Queue> full = parts_.directory.open_queue(parts_.add(), 0);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind(), ErrorKind::kExhausted);
}

TEST_F(DirectoryTest, LeasesAreWordsAndLists) {
  Process& worker = parts_.add();
  shm::SlotIndex slot = worker.key.slot;
  parts_.directory.grant({slot, 7, 2, 5, 0b101});
  shm::LeaseWord word = shm::LeaseWord::unpack(parts_.segments.node.segment().leases[slot].word.load());
  EXPECT_EQ(word.epoch, 7u);
  EXPECT_EQ(word.class_plus_one, 3u);
  EXPECT_EQ(word.first_queue_plus_one, 6u);
  EXPECT_EQ(parts_.segments.node.segment().leases[slot].gpu_mask.load(), 0b101u);
  EXPECT_EQ(listed_workers(2), std::vector<uint32_t>{slot});
  parts_.directory.withdraw(slot);
  word = shm::LeaseWord::unpack(parts_.segments.node.segment().leases[slot].word.load());
  EXPECT_FALSE(word.granted());
  EXPECT_EQ(word.epoch, 7u) << "the worker answers with this one";
  parts_.directory.unlist_worker(slot, 2);
  EXPECT_TRUE(listed_workers(2).empty());
}

// L2, D4: else a worker would go on with that ring when it is another process's, perhaps of another class or job.
TEST_F(DirectoryTest, LeasesForgetAClosedQueue) {
  Process& submitter = parts_.add();
  Process& worker = parts_.add();
  Process& other = parts_.add();
  shm::QueueIndex queue = parts_.directory.open_queue(submitter, 2).value().index;
  parts_.directory.grant({worker.key.slot, 7, 2, queue, 0});
  parts_.directory.grant({other.key.slot, 8, 2, queue + 1, 0});
  parts_.directory.close_queue(queue);
  auto word = [&](const Process& process) {
    return shm::LeaseWord::unpack(parts_.segments.node.segment().leases[process.key.slot].word.load());
  };
  EXPECT_EQ(word(worker).first_queue_plus_one, 0u);
  EXPECT_TRUE(word(worker).granted());
  EXPECT_EQ(word(worker).epoch, 7u) << "the lease goes on";
  EXPECT_EQ(word(other).first_queue_plus_one, queue + 2);
}

TEST_F(DirectoryTest, AClosedQueueIsNotOpenedBeforeItMayBe) {
  Process& process = parts_.add();
  shm::QueueIndex queue = parts_.directory.open_queue(process, 2).value().index;
  parts_.directory.close_queue(queue);
  EXPECT_NE(parts_.directory.open_queue(parts_.add(), 2).value().index, queue);
  parts_.directory.reuse_queue(queue);
  EXPECT_EQ(parts_.directory.open_queue(parts_.add(), 2).value().index, queue);
}

TEST_F(DirectoryTest, ADeadActorsReasonIsWholeCharacters) {
  std::string reason(231, 'x');
  reason += "\xc3\xa4\xc3\xa4";  // the first of two bytes would just fit
  parts_.directory.write_actor({4, {2, shm::ActorState::kDead, 0}, reason}, 1);
  const shm::ActorRecord& record = parts_.segments.node.segment().actors[4];
  EXPECT_EQ(record.death_reason_bytes.load(), 231u);
  EXPECT_EQ(shm::ActorWord::unpack(record.word.load()).state, shm::ActorState::kDead);
}

TEST_F(DirectoryTest, ChunksAreLentOnceAndKnownPrivately) {
  Process& first = parts_.add();
  Process& second = parts_.add();
  uint32_t chunk = parts_.lends.lend_cells(first).value();
  EXPECT_NE(parts_.lends.lend_cells(second).value(), chunk);
  EXPECT_TRUE(parts_.lends.owns_cell(first.id(), chunk * shm::kCellsPerChunk + 5));
  EXPECT_FALSE(parts_.lends.owns_cell(second.id(), chunk * shm::kCellsPerChunk));
  EXPECT_FALSE(parts_.lends.owns_cell({first.key.slot, first.key.incarnation + 1}, chunk * shm::kCellsPerChunk));
  EXPECT_FALSE(parts_.lends.owns_cell(first.id(), shm::kMaxCells - 1));
  EXPECT_FALSE(parts_.lends.owns_cell(first.id(), ~shm::CellIndex{0}));
  EXPECT_EQ(parts_.segments.node.view().cell_owner(chunk * shm::kCellsPerChunk), first.key.slot);
  uint32_t blocks = parts_.lends.lend_blocks_to_node().value();
  EXPECT_EQ(parts_.lends.block_chunk_holder(blocks), std::optional(store::kNodeItself));
  EXPECT_EQ(parts_.lends.block_chunk_holder(blocks + 1), std::nullopt);
}

}  // namespace
}  // namespace sabir::node
