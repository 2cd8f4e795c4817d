#include "runtime/node/log_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabir::node {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> split(const std::vector<std::string>& pieces) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  auto collect = [&](std::string_view line) { lines.emplace_back(line); };
  for (const std::string& piece : pieces) {
    splitter.feed(piece, collect);
  }
  splitter.finish(collect);
  return lines;
}

TEST(LineSplitterTest, WholeLinesWhateverThePieces) {
  EXPECT_THAT(split({"one\ntwo\n"}), ElementsAre("one", "two"));
  EXPECT_THAT(split({"o", "ne", "\nt", "wo"}), ElementsAre("one", "two"));
  EXPECT_THAT(split({"a\n\nb\n"}), ElementsAre("a", "", "b"));
  EXPECT_THAT(split({""}), ElementsAre());
}

TEST(LineSplitterTest, ProgressBarsAndWindowsEnds) {
  EXPECT_THAT(split({"10%\r20%\r30%\n"}), ElementsAre("10%", "20%", "30%"));
  EXPECT_THAT(split({"a\r\nb\r\n"}), ElementsAre("a", "b"));
  EXPECT_THAT(split({"\r\r10%\r"}), ElementsAre("10%"));
}

TEST(LineSplitterTest, LongLinesComeInPieces) {
  std::string text(LineSplitter::kMaxLineBytes * 2 + 10, 'x');
  std::vector<std::string> lines = split({text.substr(0, 100), text.substr(100) + "\nend\n"});
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].size(), LineSplitter::kMaxLineBytes);
  EXPECT_EQ(lines[2].size(), 10u);
  EXPECT_EQ(lines[3], "end");
}

TEST(LineTailTest, KeepsTheLast) {
  LineTail tail;
  for (int i = 0; i < 100; ++i) {
    tail.add("line " + std::to_string(i));
  }
  EXPECT_EQ(tail.text().substr(0, 8), "line 80\n");
  tail.add(std::string(100'000, 'y'));
  EXPECT_LE(tail.text().size(), LineTail::kMaxBytes);
}

class LogFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sabir-log-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    for (const char* name : {"/l", "/l.1", "/l.2", "/l.3"}) {
      ::unlink((directory_ + name).c_str());
    }
    ::rmdir(directory_.c_str());
  }
  std::string read(const std::string& name) {
    std::ifstream in(directory_ + name);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::string directory_;
};

TEST_F(LogFileTest, RotatesAndStaysBounded) {
  Result<LogFile> file = LogFile::open(directory_ + "/l", {.max_file_bytes = 10, .max_files = 3});
  ASSERT_TRUE(file.ok());
  for (int i = 1; i <= 5; ++i) {
    file->append("number " + std::to_string(i) + "\n");
  }
  EXPECT_EQ(read("/l"), "number 5\n");
  EXPECT_EQ(read("/l.1"), "number 4\n");
  EXPECT_EQ(read("/l.2"), "number 3\n");
  EXPECT_EQ(read("/l.3"), "");
  EXPECT_EQ(file->lost_writes(), 0u);
}

TEST_F(LogFileTest, AppendsToWhatIsThere) {
  { LogFile::open(directory_ + "/l", {})->append("one\n"); }
  LogFile::open(directory_ + "/l", {})->append("two\n");
  EXPECT_EQ(read("/l"), "one\ntwo\n");
}

}  // namespace
}  // namespace sabir::node
