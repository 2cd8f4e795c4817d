#include "runtime/control/sqlite_storage.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>
#include <vector>

#include "runtime/control/testing/fault_vfs.h"
#include "runtime/control/testing/store_folder.h"

namespace sabir::control {
namespace {

using testing::content_of;
using testing::FaultDisk;
using testing::StoreFolder;

class SqliteStorageTest : public ::testing::Test {
 protected:
  void SetUp() override { FaultDisk::get().mend(); }
  void TearDown() override { FaultDisk::get().mend(); }

  SqliteStorage::Options on_fault_disk() {
    SqliteStorage::Options options = folder_.options();
    options.vfs = FaultDisk::kName;
    return options;
  }

  StoreFolder folder_;
};

TEST_F(SqliteStorageTest, KeepsWhatWasCommitted) {
  auto storage = folder_.open();
  EXPECT_EQ(storage->epoch(), 1u);
  std::string binary("\0\xff k", 4);
  ASSERT_TRUE(
      storage->commit(Batch().put("t", "b", "2").put("t", "a", "").put("u", binary, binary).put("t", "c", "3")).ok());
  ASSERT_TRUE(storage->commit(Batch().erase("t", "c").erase("t", "never").put("t", "b", "22")).ok());
  storage.reset();
  storage = folder_.open();
  EXPECT_EQ(storage->epoch(), 2u);
  EXPECT_EQ(storage->commits(), 2u);
  EXPECT_EQ(*storage->get("t", "b"), "22");
  EXPECT_EQ(*storage->get("t", "a"), "");
  EXPECT_EQ(*storage->get("u", binary), binary);
  EXPECT_EQ(storage->get("t", "c").error().kind(), ErrorKind::kNotFound);
  std::vector<std::string> keys;
  ASSERT_TRUE(storage->scan("t", [&](std::string_view key, std::string_view) { keys.emplace_back(key); }).ok());
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "b"}));
}

TEST_F(SqliteStorageTest, IsForThisUserAlone) {
  auto storage = folder_.open();
  ASSERT_TRUE(storage->commit(Batch().put("t", "k", "v")).ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status = {};
    ASSERT_EQ(::stat((folder_.file() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(SqliteStorageTest, WhoOpensLaterFencesWhoOpenedEarlier) {
  auto first = folder_.open();
  ASSERT_TRUE(first->commit(Batch().put("t", "k", "first")).ok());
  auto second = folder_.open();
  EXPECT_EQ(second->epoch(), first->epoch() + 1);
  Result<void> late = first->commit(Batch().put("t", "k", "late"));
  EXPECT_EQ(late.error().kind(), ErrorKind::kDisconnected);
  EXPECT_NE(late.error().message().find("epoch 1, the storage 2"), std::string::npos) << late.error().message();
  EXPECT_EQ(*second->get("t", "k"), "first");
  ASSERT_TRUE(second->commit(Batch().put("t", "k", "second")).ok());
  EXPECT_EQ(first->commit(Batch()).error().kind(), ErrorKind::kDisconnected) << "for good";
  EXPECT_EQ(*first->get("t", "k"), "second") << "it may read";
}

TEST_F(SqliteStorageTest, SeveralBatchesAreOneTransaction) {
  auto storage = SqliteStorage::open(on_fault_disk()).value();
  ASSERT_TRUE(storage->commit(Batch().put("t", "k", "0")).ok());
  Batch first;
  first.put("t", "k", "1");
  Batch second;
  second.put("t", "k2", std::string(100 << 10, 'x'));
  std::vector<const Batch*> both = {&first, &second};
  FaultDisk::get().set(FaultDisk::Fault::kFull, 3);
  EXPECT_EQ(storage->commit_all(both).error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(*storage->get("t", "k"), "0");
  FaultDisk::get().mend();
  ASSERT_TRUE(storage->commit_all(both).ok());
  EXPECT_EQ(*storage->get("t", "k"), "1");
  EXPECT_EQ(storage->commits(), 3u);
}

TEST_F(SqliteStorageTest, AFullDiskRefusesReadsGoOnAndRoomIsEnough) {
  auto storage = SqliteStorage::open(on_fault_disk()).value();
  ASSERT_TRUE(storage->commit(Batch().put("t", "k", "before")).ok());
  for (uint32_t after = 0; after < 4; ++after) {
    Tables before = content_of(*storage);
    FaultDisk::get().set(FaultDisk::Fault::kFull, after);
    for (int i = 0; i < 3; ++i) {
      Result<void> refused = storage->commit(Batch().put("t", "k", std::string(20'000, 'x')));
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().kind(), ErrorKind::kExhausted) << refused.error().message();
      EXPECT_EQ(content_of(*storage), before);
    }
    EXPECT_GT(FaultDisk::get().met(), 0u);
    FaultDisk::get().mend();
    ASSERT_TRUE(storage->commit(Batch().put("t", "k", std::to_string(after))).ok());
  }
  storage.reset();
  EXPECT_EQ(*folder_.open()->get("t", "k"), "3");
}

TEST_F(SqliteStorageTest, ALogThatCannotMoveIntoTheFileIsKept) {
  SqliteStorage::Options options = on_fault_disk();
  options.checkpoint_pages = 4;
  auto storage = SqliteStorage::open(options).value();
  std::string large(50'000, 'x');
  ASSERT_TRUE(storage->commit(Batch().put("t", "k", large)).ok());
  FaultDisk::get().set(FaultDisk::Fault::kFull);
  storage->maintain();
  EXPECT_GT(FaultDisk::get().met(), 0u);
  EXPECT_EQ(storage->commit(Batch().put("t", "l", large)).error().kind(), ErrorKind::kExhausted);
  FaultDisk::get().mend();
  ASSERT_TRUE(storage->commit(Batch().put("t", "l", large)).ok());
  storage->maintain();
  ASSERT_TRUE(storage->commit(Batch().put("t", "m", "1")).ok());
  storage.reset();
  storage = folder_.open();
  EXPECT_EQ(*storage->get("t", "k"), large);
  EXPECT_EQ(*storage->get("t", "l"), large);
}

TEST_F(SqliteStorageTest, AFailingDiskEndsTheWriterForGood) {
  for (auto fault : {FaultDisk::Fault::kBadWrite, FaultDisk::Fault::kBadSync}) {
    SqliteStorage::Options options = on_fault_disk();
    options.durable = true;
    auto storage = SqliteStorage::open(options).value();
    ASSERT_TRUE(storage->commit(Batch().put("t", "k", "before")).ok());
    FaultDisk::get().set(fault);
    EXPECT_EQ(storage->commit(Batch().put("t", "k", "lost?")).error().kind(), ErrorKind::kSystem);
    FaultDisk::get().mend();
    EXPECT_EQ(storage->commit(Batch().put("t", "k", "after")).error().kind(), ErrorKind::kSystem)
        << "nobody knows what the failed one left on the disk";
    storage.reset();
    std::string value = *SqliteStorage::open(options).value()->get("t", "k");
    EXPECT_TRUE(value == "before" || value == "lost?") << value;
  }
}

TEST_F(SqliteStorageTest, ADiskThatCannotBeReadIsNotTakenForDamage) {
  ASSERT_TRUE(folder_.open()->commit(Batch().put("t", "k", "v")).ok());
  FaultDisk::get().set(FaultDisk::Fault::kBadRead);
  Result<std::unique_ptr<SqliteStorage>> failed = SqliteStorage::open(on_fault_disk());
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().kind(), ErrorKind::kSystem);
  EXPECT_EQ(failed.error().message().find("damaged"), std::string::npos) << failed.error().message();
  FaultDisk::get().mend();
  EXPECT_EQ(*folder_.open()->get("t", "k"), "v");
}

TEST_F(SqliteStorageTest, NoRoomForAnEpochIsSaid) {
  ASSERT_TRUE(folder_.open()->commit(Batch().put("t", "k", "v")).ok());
  FaultDisk::get().set(FaultDisk::Fault::kFull);
  EXPECT_EQ(SqliteStorage::open(on_fault_disk()).error().kind(), ErrorKind::kExhausted);
  FaultDisk::get().mend();
  EXPECT_EQ(*folder_.open()->get("t", "k"), "v");
}

TEST_F(SqliteStorageTest, AbsenceIsNewOnlyToWhoExpectsIt) {
  SqliteStorage::Options options = folder_.options();
  options.must_exist = true;
  EXPECT_EQ(SqliteStorage::open(options).error().kind(), ErrorKind::kNotFound);
  folder_.open();
  EXPECT_TRUE(SqliteStorage::open(options).ok());
}

// Random batches, restarts, full disks and checkpoints, against tables in memory.
TEST_F(SqliteStorageTest, BehavesLikeAMap) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StoreFolder folder;
    std::mt19937 random(seed);
    auto pick = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
    SqliteStorage::Options options = folder.options();
    options.vfs = FaultDisk::kName;
    options.durable = seed % 2 == 0;
    options.checkpoint_pages = 20;
    auto storage = SqliteStorage::open(options).value();
    Tables model;
    int refused = 0;
    for (int step = 0; step < 250; ++step) {
      std::vector<Batch> batches(1 + pick(4));
      std::vector<const Batch*> group;
      for (Batch& batch : batches) {
        for (uint32_t writes = pick(6); writes > 0; --writes) {
          std::string table = "t" + std::to_string(pick(3));
          std::string key = std::string(pick(3), 'k') + std::to_string(pick(12));
          if (pick(3) == 0) {
            batch.erase(table, key);
          } else {
            batch.put(table, key,
                      std::string(pick(20) == 0 ? pick(40'000) : pick(40), static_cast<char>('a' + pick(26))));
          }
        }
        group.push_back(&batch);
      }
      bool fault = pick(5) == 0;
      if (fault) {
        FaultDisk::get().set(FaultDisk::Fault::kFull, pick(12));
      }
      Result<void> done = storage->commit_all(group);
      if (pick(4) == 0) {
        storage->maintain();
      }
      FaultDisk::get().mend();
      if (done.ok()) {
        for (const Batch& batch : batches) {
          model.apply(batch);
        }
      } else {
        ++refused;
        ASSERT_TRUE(fault) << done.error().message();
        ASSERT_EQ(done.error().kind(), ErrorKind::kExhausted) << done.error().message();
      }
      if (pick(10) == 0) {
        storage.reset();
        storage = SqliteStorage::open(options).value();
      }
      if (pick(10) == 0) {
        ASSERT_EQ(content_of(*storage), model) << "step " << step;
      }
    }
    ASSERT_EQ(content_of(*storage), model);
    EXPECT_GT(refused, 10);
    EXPECT_GT(storage->epoch(), 10u) << "restarts";
  }
}

}  // namespace
}  // namespace sabir::control
