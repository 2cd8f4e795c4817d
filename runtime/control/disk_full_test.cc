// A file system without room, and with room again: a tmpfs of 2 MiB. Where mounting is not allowed the test is skipped;
// sqlite_storage_test does the same everywhere with a disk that only says that it is full.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/control/sqlite_storage.h"
#include "runtime/control/testing/store_folder.h"

namespace sabir::control {
namespace {

using testing::content_of;
using testing::read_all;
using testing::StoreFolder;
using testing::write_all;

constexpr int kNotAllowed = 77;

bool mount_small_disk(const std::string& path) {
  // As root, or as whoever may become root of a world of its own.
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return false;
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=2m,mode=0700") == 0;
}

void fill_and_free(const StoreFolder& folder) {
  write_all(folder.path() + "/ballast", std::string(512 << 10, 'x'));
  auto storage = folder.open();
  Tables model;
  Result<void> last = {};
  int kept = 0;
  for (; kept < 1000; ++kept) {
    Batch batch;
    batch.put("t", std::to_string(kept), std::string(10'000, static_cast<char>('a' + kept % 26)));
    last = storage->commit(batch);
    if (!last.ok()) {
      break;
    }
    model.apply(batch);
    storage->maintain();
  }
  ASSERT_GT(kept, 10);
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.error().kind(), ErrorKind::kExhausted) << last.error().message();
  EXPECT_EQ(content_of(*storage), model) << "reads go on, and what was refused is not there";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(storage->commit(Batch().put("t", "more", std::string(100'000, 'x'))).error().kind(),
              ErrorKind::kExhausted);
  }
  std::filesystem::remove(folder.path() + "/ballast");
  Batch small;
  small.put("t", "after", "1");
  Result<void> again = storage->commit(small);
  ASSERT_TRUE(again.ok()) << again.error().message();
  model.apply(small);
  storage.reset();
  EXPECT_EQ(content_of(*folder.open()), model);
}

void damage_without_room(const StoreFolder& folder) {
  // The log would make up for what the file lacks.
  std::filesystem::remove(folder.file() + "-wal");
  std::string half = read_all(folder.file());
  half.resize(half.size() / 2);
  write_all(folder.file(), half);
  write_all(folder.path() + "/ballast", std::string(std::filesystem::space(folder.path()).available - 4096, 'x'));
  Result<std::unique_ptr<SqliteStorage>> opened = SqliteStorage::open(folder.options());
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message().find("no copy could be made"), std::string::npos) << opened.error().message();
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().string().find(".damaged"), std::string::npos) << "half a copy: " << entry.path();
  }
  EXPECT_EQ(read_all(folder.file()), half);
}

TEST(DiskFullTest, ChangesAreRefusedReadsGoOnAndRoomIsEnough) {
  StoreFolder folder;
  pid_t child = ::fork();
  if (child == 0) {
    if (!mount_small_disk(folder.path())) {
      ::_exit(kNotAllowed);
    }
    fill_and_free(folder);
    damage_without_room(folder);
    ::_exit(HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == kNotAllowed) {
    GTEST_SKIP() << "mounting is not allowed here";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0) << "see above";
}

}  // namespace
}  // namespace sabir::control
