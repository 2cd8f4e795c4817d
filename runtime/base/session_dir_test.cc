#include "runtime/base/session_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "gtest/gtest.h"

namespace sabir {
namespace {

bool exists(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0;
}

class SessionDirTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sabir-dir-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
  }
  void TearDown() override {
    remove_stale_sessions(root_);
    ::rmdir(root_.c_str());
  }

  // A directory as a node leaves it that was killed.
  std::string make_stale(const std::string& name) {
    std::string path = root_ + "/" + name;
    pid_t child = ::fork();
    if (child == 0) {
      Result<SessionDir> dir = SessionDir::create(path);
      bool ok = dir.ok() && dir->publish("info.json", "{}").ok();
      std::ofstream(path + "/logs/workers.log") << "line\n";
      ::_exit(ok ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    return path;
  }

  std::string root_;
};

TEST_F(SessionDirTest, IsPrivateAndLiveWhileHeld) {
  std::string path = root_ + "/one";
  Result<SessionDir> dir = SessionDir::create(path);
  ASSERT_TRUE(dir.ok()) << dir.error().to_string();
  EXPECT_TRUE(verify_private_directory(path).ok());
  EXPECT_TRUE(is_session_live(path));
  EXPECT_TRUE(find_live_sessions(root_).empty()) << "not before its info is there";
  ASSERT_TRUE(dir->publish("info.json", "{\"pid\": 1}").ok());
  std::vector<SessionFiles> live = find_live_sessions(root_);
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0].path, path);
  EXPECT_EQ(read_session_info(path).value(), "{\"pid\": 1}");
  EXPECT_EQ(remove_stale_sessions(root_), 0u);
  dir->remove();
  EXPECT_FALSE(exists(path));
  dir->remove();
}

TEST_F(SessionDirTest, ALiveOneIsNotTaken) {
  std::string path = root_ + "/one";
  Result<SessionDir> dir = SessionDir::create(path);
  ASSERT_TRUE(dir.ok());
  Result<SessionDir> second = SessionDir::create(path);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_TRUE(is_session_live(path));
  dir->remove();
}

TEST_F(SessionDirTest, AStaleOneIsRecognisedAndRemoved) {
  std::string path = make_stale("dead");
  EXPECT_TRUE(exists(path + "/info.json"));
  EXPECT_FALSE(is_session_live(path));
  EXPECT_TRUE(find_live_sessions(root_).empty());
  EXPECT_EQ(remove_stale_sessions(root_), 1u);
  EXPECT_FALSE(exists(path));
}

TEST_F(SessionDirTest, AStaleOneOfThatNameIsReplaced) {
  std::string path = make_stale("dead");
  Result<SessionDir> dir = SessionDir::create(path);
  ASSERT_TRUE(dir.ok()) << dir.error().to_string();
  EXPECT_FALSE(exists(path + "/info.json"));
  EXPECT_TRUE(is_session_live(path));
  dir->remove();
}

TEST_F(SessionDirTest, NewestFirst) {
  Result<SessionDir> older = SessionDir::create(root_ + "/older");
  Result<SessionDir> newer = SessionDir::create(root_ + "/newer");
  ASSERT_TRUE(older.ok() && newer.ok());
  ASSERT_TRUE(older->publish("info.json", "{}").ok());
  ASSERT_TRUE(newer->publish("info.json", "{}").ok());
  timespec times[2] = {{1000, 0}, {1000, 0}};
  ::utimensat(AT_FDCWD, (root_ + "/older/info.json").c_str(), times, 0);
  std::vector<SessionFiles> live = find_live_sessions(root_);
  ASSERT_EQ(live.size(), 2u);
  EXPECT_EQ(live[0].path, root_ + "/newer");
  older->remove();
  newer->remove();
}

TEST_F(SessionDirTest, AHeadsStateIsNoStaleSession) {
  std::string path = root_ + "/head";
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  ASSERT_GE(::close(::open((path + "/head.json").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
  timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0), 0);
  EXPECT_EQ(remove_stale_sessions(root_), 0u);
  EXPECT_TRUE(exists(path + "/head.json"));
  ::unlink((path + "/head.json").c_str());
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0), 0);
  EXPECT_EQ(remove_stale_sessions(root_), 1u) << "without it, nobody will ever want it";
}

TEST_F(SessionDirTest, WhatIsNotOursIsLeftAlone) {
  std::string path = root_ + "/fresh";
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  EXPECT_EQ(remove_stale_sessions(root_), 0u) << "somebody may be making it";
  EXPECT_TRUE(exists(path));
  ::rmdir(path.c_str());
  std::string link = root_ + "/link";
  std::string target = make_stale("target");
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  EXPECT_FALSE(is_session_live(link));
  EXPECT_EQ(remove_stale_sessions(root_), 1u) << "the target by its own name, not through the link";
  EXPECT_TRUE(exists(link));
  ::unlink(link.c_str());
}

TEST_F(SessionDirTest, OpenDirectoriesAndLongPathsAreRefused) {
  std::string open_path = root_ + "/open";
  ASSERT_EQ(::mkdir(open_path.c_str(), 0755), 0);
  EXPECT_EQ(verify_private_directory(open_path).error().kind(), ErrorKind::kInvalid);
  EXPECT_FALSE(ensure_private_directory(open_path).ok());
  ::rmdir(open_path.c_str());
  Result<SessionDir> dir = SessionDir::create(root_ + "/" + std::string(100, 'x'));
  ASSERT_FALSE(dir.ok());
  EXPECT_EQ(dir.error().kind(), ErrorKind::kInvalid);
}

TEST_F(SessionDirTest, ManyAtOnceLoseNothing) {
  std::string path = root_ + "/same";
  for (int round = 0; round < 20; ++round) {
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      pid_t child = ::fork();
      if (child == 0) {
        if (i % 2 == 0) {
          remove_stale_sessions(root_);
          ::_exit(0);
        }
        Result<SessionDir> dir = SessionDir::create(path);
        // Whoever has it keeps it, whatever the others do.
        bool ok =
            !dir.ok() || (dir->publish("info.json", "{}").ok() && is_session_live(path) && exists(path + "/info.json"));
        ::_exit(ok ? 0 : 1);
      }
      children.push_back(child);
    }
    for (pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      EXPECT_EQ(status, 0);
    }
  }
}

}  // namespace
}  // namespace sabir
