#include "runtime/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace sabir {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2] = {};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
  }

  std::string read_all() {
    char buffer[65536];
    ssize_t size_bytes = ::read(reader_.get(), buffer, sizeof(buffer));
    return size_bytes > 0 ? std::string(buffer, static_cast<size_t>(size_bytes)) : std::string();
  }

  UniqueFd reader_;
  UniqueFd writer_;
};

TEST_F(LogTest, WritesTimeLevelNameAndParts) {
  Logger log(writer_.get(), LogLevel::kInfo, "unit");
  log.warning("worker lost pid=", 17);
  EXPECT_THAT(read_all(), testing::MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+Z W unit [0-9]+: worker lost pid=17\n"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  Logger log(writer_.get(), LogLevel::kWarning, "unit");
  log.info("no");
  log.debug("no");
  EXPECT_EQ(read_all(), "");
  log.error("yes");
  EXPECT_THAT(read_all(), testing::HasSubstr(" E unit "));
}

TEST_F(LogTest, NeverWaitsForAFullPipe) {
  Logger log(writer_.get(), LogLevel::kInfo, "unit");
  for (int i = 0; i < 5000; ++i) {
    log.info(std::string(900, 'x'));
  }
  SUCCEED();
}

TEST(LoggerTest, TheDefaultSaysNothing) {
  Logger log;
  EXPECT_FALSE(log.enabled(LogLevel::kError));
  log.error("nobody hears it");
}

TEST(LogLevelTest, ParsesNames) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::kDebug);
  EXPECT_EQ(parse_log_level("off"), LogLevel::kOff);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace sabir
