// Damaged files: said, kept, never taken for an empty store. Logs that end early: tolerated, transaction by
// transaction.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <vector>

#include "runtime/control/sqlite.h"
#include "runtime/control/sqlite_storage.h"
#include "runtime/control/testing/store_folder.h"

namespace sabir::control {
namespace {

using testing::content_of;
using testing::exists;
using testing::read_all;
using testing::StoreFolder;
using testing::write_all;

class SqliteDamageTest : public ::testing::Test {
 protected:
  // The i-th change of a store that has some of everything: small rows, rows over several pages, erased ones.
  static Batch change(uint32_t i) {
    Batch batch;
    batch.put("jobs", "job" + std::to_string(i % 40), std::string(i % 90, static_cast<char>('a' + i % 26)));
    batch.put("functions", std::to_string(i % 7), std::string(i % 7 * 3'000, static_cast<char>(i)));
    batch.erase("jobs", "job" + std::to_string((i * 13) % 50));
    return batch;
  }
  void fill(SqliteStorage& storage, uint32_t changes) {
    for (uint32_t i = 0; i < changes; ++i) {
      ASSERT_TRUE(storage.commit(change(i)).ok());
    }
  }

  // Opening must refuse, name a copy that is the file as it was, and leave the file alone.
  void expect_refused_and_kept(const std::string& what) {
    std::string bytes = read_all(folder_.file());
    Result<std::unique_ptr<SqliteStorage>> opened = SqliteStorage::open(folder_.options());
    ASSERT_FALSE(opened.ok()) << what;
    EXPECT_EQ(opened.error().kind(), ErrorKind::kSystem) << what;
    const std::string& text = opened.error().message();
    EXPECT_NE(text.find("is damaged"), std::string::npos) << what << ": " << text;
    std::vector<std::string> kept = copies();
    ASSERT_EQ(kept.size(), 1u) << what;
    EXPECT_NE(text.find(kept[0]), std::string::npos) << what << ": " << text;
    EXPECT_EQ(read_all(kept[0]), bytes) << what;
    EXPECT_EQ(read_all(folder_.file()), bytes) << what;
  }

  std::vector<std::string> copies() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      std::string name = entry.path().string();
      if (name.find(".damaged-") != std::string::npos && name.find("-wal") == std::string::npos) {
        names.push_back(name);
      }
    }
    return names;
  }
  void remove_copies() {
    for (const std::string& name : copies()) {
      std::filesystem::remove(name);
      std::filesystem::remove(name + "-wal");
    }
  }

  StoreFolder folder_;
};

TEST_F(SqliteDamageTest, AFlippedByteIsFoundOrHarmless) {
  auto storage = folder_.open();
  fill(*storage, 150);
  Tables content = content_of(*storage);
  storage.reset();
  ASSERT_FALSE(exists(folder_.file() + "-wal")) << "all is in the file";
  const std::string good = read_all(folder_.file());
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    size_t offset = i % 3 == 0 ? random() % 200 : random() % good.size();
    std::string bad = good;
    bad[offset] = static_cast<char>(bad[offset] ^ (1 << (random() % 8)));
    std::string what = "offset " + std::to_string(offset);
    write_all(folder_.file(), bad);
    Result<std::unique_ptr<SqliteStorage>> opened = SqliteStorage::open(folder_.options());
    if (opened.ok()) {
      EXPECT_EQ(content_of(**opened), content) << what;
      opened->reset();
    } else if (opened.error().kind() == ErrorKind::kUnsupported) {
      EXPECT_GE(offset, 60u) << "the version";
      EXPECT_LT(offset, 64u) << "the version";
    } else {
      ++refused;
      expect_refused_and_kept(what);
    }
    remove_copies();
    std::filesystem::remove(folder_.file() + "-wal");
    std::filesystem::remove(folder_.file() + "-shm");
  }
  EXPECT_GT(refused, 50);
}

TEST_F(SqliteDamageTest, ATruncatedFileIsFound) {
  auto storage = folder_.open();
  fill(*storage, 150);
  storage.reset();
  const std::string good = read_all(folder_.file());
  for (size_t size : {size_t{0}, size_t{1}, size_t{99}, size_t{100}, size_t{4096}, size_t{8192}, good.size() / 2,
                      good.size() - 4096, good.size() - 1}) {
    write_all(folder_.file(), std::string_view(good).substr(0, size));
    expect_refused_and_kept("size " + std::to_string(size));
    remove_copies();
  }
}

TEST_F(SqliteDamageTest, GarbageIsFound) {
  std::mt19937 random(1);
  std::string noise(20'000, '\0');
  std::generate(noise.begin(), noise.end(), [&] { return static_cast<char>(random()); });
  std::string begins_well = noise;
  begins_well.replace(0, 16, std::string_view("SQLite format 3\0", 16));
  begins_well.replace(18, 2, "\2\2");
  for (const std::string& bytes : {noise, std::string(8192, '\0'), std::string("a text\n"), begins_well}) {
    write_all(folder_.file(), bytes);
    expect_refused_and_kept(bytes.substr(0, 8));
    remove_copies();
  }
}

TEST_F(SqliteDamageTest, AnotherProgramsDatabaseIsLeftAlone) {
  write_all(folder_.file(), "");
  {
    SqliteConnection other = SqliteConnection::open(folder_.file(), "", 0).value();
    ASSERT_TRUE(other.run("PRAGMA journal_mode = WAL").ok());
    ASSERT_TRUE(other.run("CREATE TABLE rows (tab, key, value, sum)").ok());
  }
  expect_refused_and_kept("another program's");
}

TEST_F(SqliteDamageTest, ALostRowIsFoundThoughTheDatabaseIsInOrder) {
  auto storage = folder_.open();
  fill(*storage, 50);
  storage.reset();
  {
    SqliteConnection hand = SqliteConnection::open(folder_.file(), "", 0).value();
    ASSERT_TRUE(
        hand.run("DELETE FROM rows WHERE tab = 'jobs' AND key = (SELECT min(key) FROM rows WHERE tab = 'jobs')").ok());
  }
  expect_refused_and_kept("one row less");
}

TEST_F(SqliteDamageTest, AFileThatIsGoneIsNotTakenForANewOne) {
  auto storage = folder_.open();
  fill(*storage, 5);
  std::filesystem::rename(folder_.file(), folder_.path() + "/elsewhere");
  Result<std::unique_ptr<SqliteStorage>> opened = SqliteStorage::open(folder_.options());
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message().find("its log"), std::string::npos) << opened.error().message();
  EXPECT_FALSE(exists(folder_.file()));
}

TEST_F(SqliteDamageTest, ManyAttemptsLeaveOneCopy) {
  auto storage = folder_.open();
  fill(*storage, 20);
  storage.reset();
  std::string bytes = read_all(folder_.file());
  write_all(folder_.file(), std::string_view(bytes).substr(0, 5000));
  for (int i = 0; i < 3; ++i) {
    expect_refused_and_kept("attempt " + std::to_string(i));
  }
  struct stat status = {};
  ASSERT_EQ(::stat(copies()[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(SqliteDamageTest, ANewerSchemaIsRefusedAndLeftAlone) {
  auto storage = folder_.open();
  fill(*storage, 5);
  storage.reset();
  {
    SqliteConnection newer = SqliteConnection::open(folder_.file(), "", 0).value();
    ASSERT_TRUE(newer.run("PRAGMA user_version = " + std::to_string(kSchemaVersion + 1)).ok());
  }
  std::string bytes = read_all(folder_.file());
  Result<std::unique_ptr<SqliteStorage>> opened = SqliteStorage::open(folder_.options());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(opened.error().message().find("newer Sabir (schema 2, this one knows 1)"), std::string::npos)
      << opened.error().message();
  EXPECT_EQ(read_all(folder_.file()), bytes);
  EXPECT_TRUE(copies().empty());
}

// What a crash leaves: a log that ends anywhere, or whose last part never reached the disk.
TEST_F(SqliteDamageTest, ATornLogHoldsWholeTransactions) {
  constexpr uint32_t kChanges = 60;
  std::vector<Tables> states(1);  // after so many commits
  auto storage = folder_.open();
  for (uint32_t i = 0; i < kChanges; ++i) {
    ASSERT_TRUE(storage->commit(change(i)).ok());
    states.push_back(states.back());
    states.back().apply(change(i));
  }
  const std::string file = read_all(folder_.file());
  const std::string log = read_all(folder_.file() + "-wal");
  ASSERT_GT(log.size(), 100'000u);
  storage.reset();
  std::mt19937 random(1);
  uint64_t commits_before = 0;
  for (int i = 0; i <= 100; ++i) {
    size_t size = log.size() * static_cast<size_t>(i) / 100;
    size -= std::min(size, static_cast<size_t>(random() % 5000));
    if (i == 100) {
      size = log.size();
    }
    std::string torn = log.substr(0, size);
    if (i % 2 == 1) {
      torn.resize(log.size());  // the file has grown, its content never came
    }
    StoreFolder crashed;
    write_all(crashed.file(), file);
    write_all(crashed.file() + "-wal", torn);
    Result<std::unique_ptr<SqliteStorage>> opened = SqliteStorage::open(crashed.options());
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    uint64_t commits = (*opened)->commits();
    ASSERT_LE(commits, kChanges);
    EXPECT_EQ(content_of(**opened), states[commits]) << "size " << size;
    EXPECT_TRUE((*opened)->commit(Batch().put("t", "after", "1")).ok());
    if (i % 2 == 0) {
      EXPECT_GE(commits + 2, commits_before);
      commits_before = commits;
    }
  }
  EXPECT_EQ(commits_before, kChanges) << "the whole log";
}

}  // namespace
}  // namespace sabir::control
