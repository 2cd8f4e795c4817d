#include "runtime/daemon/bounded_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace sabir::daemon {
namespace {

class BoundedLogTest : public testing::Test {
 protected:
  BoundedLogTest() {
    char folder[] = "/tmp/sabir-log-XXXXXX";
    EXPECT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    path_ = folder_ + "/x.log";
  }
  ~BoundedLogTest() override {
    ::unlink(path_.c_str());
    ::unlink((path_ + ".1").c_str());
    ::rmdir(folder_.c_str());
  }
  static off_t size_of(const std::string& path) {
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_size : -1;
  }

  std::string folder_;
  std::string path_;
  loop::EventLoop loop_;
};

TEST_F(BoundedLogTest, OneOldFileIsKeptAndTheNumberStays) {
  auto log = BoundedLog::open(loop_, path_, 10);
  ASSERT_TRUE(log.ok()) << log.error().to_string();
  int fd = (*log)->fd();
  ASSERT_EQ(::write(fd, "0123456789", 10), 10);
  (*log)->look();
  EXPECT_EQ(size_of(path_), 10) << "it has its bound, and no more";
  ASSERT_EQ(::write(fd, "abc", 3), 3);
  (*log)->look();
  EXPECT_EQ(size_of(path_), 0);
  EXPECT_EQ(size_of(path_ + ".1"), 13);
  EXPECT_EQ((*log)->fd(), fd);
  ASSERT_EQ(::write(fd, "0123456789ab", 12), 12);
  (*log)->look();
  EXPECT_EQ(size_of(path_), 0);
  EXPECT_EQ(size_of(path_ + ".1"), 12) << "the oldest is gone";
}

TEST_F(BoundedLogTest, WithoutItsFolderThereIsAnError) {
  EXPECT_FALSE(BoundedLog::open(loop_, folder_ + "/none/x.log").ok());
}

}  // namespace
}  // namespace sabir::daemon
