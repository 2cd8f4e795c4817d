#include "runtime/head/head_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/base/clock.h"

namespace sabir::head {
namespace {

class HeadStateTest : public ::testing::Test {
 protected:
  ~HeadStateTest() override { std::filesystem::remove_all(root_); }
  std::string path() const { return root_ + "/a/b/head"; }
  std::string file() const { return path() + "/head.json"; }
  static std::string words_of(const Result<HeadState>& state) {
    return state.ok() ? "opened" : state.error().message();
  }

  std::string root_ = [] {
    std::string name = ::testing::TempDir() + "/head-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
};

TEST_F(HeadStateTest, IsTheSameInItsNextLife) {
  IdBits node, cluster;
  std::string token;
  {
    Result<HeadState> first = HeadState::open(path());
    ASSERT_TRUE(first.ok()) << words_of(first);
    EXPECT_EQ(first->port, 0);
    EXPECT_FALSE(first->control_served);
    EXPECT_EQ(first->token_life_ns(1), -1);
    EXPECT_EQ(first->token().size(), 32u);
    node = first->node_id();
    cluster = first->cluster_id();
    token = first->token();
    first->port = 4711;
    first->control_served = true;
    ASSERT_TRUE(first->save().ok());
  }
  Result<HeadState> next = HeadState::open(path());
  ASSERT_TRUE(next.ok()) << words_of(next);
  EXPECT_EQ(next->node_id(), node);
  EXPECT_EQ(next->cluster_id(), cluster);
  EXPECT_EQ(next->token(), token);
  EXPECT_EQ(next->port, 4711);
  EXPECT_TRUE(next->control_served);
  struct stat status = {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u) << "the token is in it";
}

TEST_F(HeadStateTest, IsOneHeadsAtATime) {
  Result<HeadState> first = HeadState::open(path());
  Result<HeadState> second = HeadState::open(path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_NE(words_of(second).find(path()), std::string::npos) << words_of(second);
}

TEST_F(HeadStateTest, ATokenEndsWhateverRestartsBetween) {
  {
    Result<HeadState> first = HeadState::open(path());
    std::string before = first->token();
    first->renew_token(5 * kSecondNs, 1'000'000);
    EXPECT_NE(first->token(), before);
    ASSERT_TRUE(first->save().ok());
  }
  Result<HeadState> next = HeadState::open(path());
  EXPECT_EQ(next->token_life_ns(1'002'000), 3 * kSecondNs);
  EXPECT_EQ(next->token_life_ns(1'009'000), 0);
}

TEST_F(HeadStateTest, ADamagedFileIsReportedAndLeftAlone) {
  ASSERT_TRUE(HeadState::open(path()).ok());
  for (const char* text : {"", "{", "[]", "{\"format\": 1}", "{\"format\": 1, \"node_id\": \"ab\"}"}) {
    std::ofstream(file()) << text;
    Result<HeadState> damaged = HeadState::open(path());
    ASSERT_FALSE(damaged.ok()) << text;
    EXPECT_NE(words_of(damaged).find("is damaged"), std::string::npos) << words_of(damaged);
    std::ifstream in(file());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
  }
  std::ofstream(file()) << "{\"format\": 2}";
  EXPECT_EQ(HeadState::open(path()).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(HeadStateTest, NobodyElseMayLookIn) {
  ASSERT_TRUE(HeadState::open(path()).ok());
  ::chmod(path().c_str(), 0755);
  EXPECT_FALSE(HeadState::open(path()).ok());
  EXPECT_EQ(HeadState::open("relative").error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace sabir::head
