#include "runtime/node/launcher.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/node/reaper.h"

namespace sabir::node {
namespace {

using ::testing::HasSubstr;

constexpr char kZygote[] = "runtime/node/test_zygote";
constexpr rpc::LaunchMode kZygoteMode = rpc::LaunchMode::kZygote;
constexpr rpc::LaunchMode kExecMode = rpc::LaunchMode::kExec;

class LauncherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    char name[] = "/tmp/sabir-launch-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
    Result<LogFile> file = LogFile::open(directory_ + "/workers.log", {});
    ASSERT_TRUE(file.ok());
    logs_ = std::make_unique<Logs>(
        loop_, std::move(*file), Logs::Options{},
        [this](SourceId source) { return launcher_->origin(source).value_or(Logs::Origin{}); },
        [this](uint32_t, std::vector<rpc::LogLines>& lines) {
          for (const rpc::LogLines& entry : lines) {
            driver_text_ += entry.text;
          }
          return true;
        });
    launcher_ = std::make_unique<Launcher>(
        loop_, *logs_, guard_, Logger(),
        Launcher::Options{.session_path = "/session", .open_files_limit = {}, .oom_score_adj = {}, .warm_delay_ns = 0},
        [this](LaunchId launch, const std::string& text) { failures_[launch] = text; });
    reaper_ = std::make_unique<Reaper>(
        loop_, [this](pid_t pid) { return launcher_->knows(pid); },
        [this](pid_t pid, int status) { launcher_->reaped(pid, status); });
  }
  void TearDown() override {
    reaper_.reset();
    launcher_.reset();
    logs_.reset();
    // Nothing of ours is left, not even a zombie.
    for (int i = 0; i < 200 && ::waitpid(-1, nullptr, WNOHANG) >= 0; ++i) {
      ::usleep(5'000);
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    std::string remove = "rm -r " + directory_;
    EXPECT_EQ(std::system(remove.c_str()), 0);
  }
  void add_job(rpc::LaunchMode mode, std::vector<std::string> argv) {
    launcher_->add_job(1, {{.language = 1, .mode = mode, .argv = std::move(argv)}});
  }
  LaunchWorker request(LaunchId id) {
    LaunchWorker worker;
    worker.launch = id;
    worker.job = 1;
    worker.language = 1;
    return worker;
  }
  bool wait(const std::function<bool()>& done) {
    for (int i = 0; i < 500; ++i) {
      if (loop_.run_until(done, 20 * kMillisecondNs)) {
        return true;
      }
    }
    return false;
  }
  std::string wait_failure(LaunchId id) {
    EXPECT_TRUE(wait([&] { return failures_.contains(id); }));
    return failures_[id];
  }
  std::string log_text() {
    std::ifstream in(directory_ + "/workers.log");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::string directory_;
  loop::EventLoop loop_;
  Guard guard_;
  std::unique_ptr<Logs> logs_;
  std::unique_ptr<Launcher> launcher_;
  std::unique_ptr<Reaper> reaper_;
  std::map<LaunchId, std::string> failures_;
  std::string driver_text_;
};

TEST_F(LauncherTest, ExecGivesSessionAndToken) {
  add_job(kExecMode, {"/bin/sh", "-c", "echo token=$SABIR_WORKER_TOKEN session=$SABIR_SESSION; exit 9"});
  launcher_->launch(request(1));
  std::string text = wait_failure(1);
  EXPECT_THAT(text, HasSubstr("exit code 9 before it joined the session; its last output:\ntoken="));
  EXPECT_THAT(text, HasSubstr("session=/session"));
  EXPECT_THAT(log_text(), HasSubstr(" out token="));
  EXPECT_THAT(driver_text_, HasSubstr("session=/session\n"));
}

TEST_F(LauncherTest, ExecOfNothingFailsWithItsName) {
  add_job(kExecMode, {"/no/such/program"});
  launcher_->launch(request(1));
  EXPECT_TRUE(failures_.empty()) << "not from inside launch()";
  EXPECT_THAT(wait_failure(1), HasSubstr("/no/such/program: No such file or directory"));
  launcher_->launch({.launch = 2, .job = 1, .language = 9, .actor = {}});
  EXPECT_THAT(wait_failure(2), HasSubstr("language 9"));
}

TEST_F(LauncherTest, AbortKillsTheWholeGroup) {
  add_job(kExecMode, {"/bin/sh", "-c", "sleep 1000 & sleep 1000"});
  launcher_->launch(request(1));
  loop_.run_until([] { return false; }, 50 * kMillisecondNs);
  launcher_->abort(1, "took too long");
  EXPECT_EQ(wait_failure(1), "took too long");
}

class SharedLaunchTest : public LauncherTest {
 protected:
  // A process for the workers 1, 2 and 3; it says its token and stays.
  void start() {
    add_job(kExecMode, {"/bin/sh", "-c", "echo $SABIR_WORKER_TOKEN,$SABIR_WORKER_SLOTS,$$,; exec sleep 1000"});
    LaunchWorker worker = request(1);
    worker.more = {2, 3};
    launcher_->launch(worker);
    ASSERT_TRUE(wait([&] { return driver_text_.find('\n') != std::string::npos; }));
    std::istringstream words(driver_text_);
    std::string slots;
    std::string pid;
    std::getline(words, token_, ',');
    std::getline(words, slots, ',');
    std::getline(words, pid, ',');
    EXPECT_EQ(slots, "3");
    pid_ = std::stoi(pid);
  }

  std::string token_;
  pid_t pid_ = 0;
};

TEST_F(SharedLaunchTest, EachHelloIsTheNextWorkers) {
  start();
  EXPECT_FALSE(launcher_->find(token_, pid_ + 1).has_value()) << "another process has the token";
  for (LaunchId id : {1, 2, 3}) {
    ASSERT_EQ(launcher_->find(token_, pid_), std::optional<LaunchId>(id));
    launcher_->claim(id, pid_);
  }
  EXPECT_FALSE(launcher_->find(token_, pid_).has_value()) << "used up";
  EXPECT_FALSE(launcher_->knows(pid_)) << "the process table has it";
  ::kill(pid_, SIGKILL);
}

TEST_F(LauncherTest, AWorkersOwnNumberOfSlotsIsNotThatOfItsAncestor) {
  ::setenv("SABIR_WORKER_SLOTS", "7", 1);
  add_job(kExecMode, {"/bin/sh", "-c", "echo slots=$SABIR_WORKER_SLOTS; exit 1"});
  launcher_->launch(request(1));
  EXPECT_THAT(wait_failure(1), HasSubstr("slots=1"));
  ::unsetenv("SABIR_WORKER_SLOTS");
}

TEST_F(SharedLaunchTest, WhatHasNotJoinedFailsWhenTheTableSaysSo) {
  start();
  SourceId source = launcher_->claim(1, pid_).source;
  EXPECT_EQ(launcher_->process_over(pid_ + 1, "killed"), "");
  EXPECT_TRUE(failures_.empty()) << "another one";
  launcher_->abort(3, "took too long");  // kills the process; its end is the table's to tell
  EXPECT_FALSE(launcher_->find(token_, pid_).has_value()) << "not wanted any more";
  EXPECT_TRUE(failures_.empty());
  EXPECT_EQ(launcher_->process_over(pid_, "killed by signal 9"), "took too long") << "for the one that has joined";
  EXPECT_THAT(wait_failure(2), HasSubstr("killed by signal 9 before all of its workers had joined"));
  EXPECT_THAT(wait_failure(3), HasSubstr("killed by signal 9"));
  EXPECT_FALSE(failures_.contains(1));
  logs_->close_source(source);
}

TEST_F(SharedLaunchTest, AnEndThatNobodyAskedForHasNoReason) {
  start();
  SourceId source = launcher_->claim(1, pid_).source;
  ::kill(pid_, SIGKILL);
  EXPECT_EQ(launcher_->process_over(pid_, "killed by signal 9"), "");
  EXPECT_THAT(wait_failure(3), HasSubstr("killed by signal 9 before all of its workers had joined"));
  logs_->close_source(source);
}

TEST_F(SharedLaunchTest, ItsEndBeforeAnyHelloFailsAll) {
  start();
  ::kill(pid_, SIGKILL);
  for (LaunchId id : {1, 2, 3}) {
    EXPECT_THAT(wait_failure(id), HasSubstr("killed by signal 9"));
  }
}

TEST_F(LauncherTest, ZygoteForksAndTheTokenNamesTheLaunch) {
  add_job(kZygoteMode, {kZygote, "good"});
  launcher_->launch(request(1));
  ASSERT_TRUE(wait([&] { return log_text().find("worker ") != std::string::npos; }));
  std::string log = log_text();
  std::string token = log.substr(log.find("worker ") + 7, 32);
  EXPECT_FALSE(launcher_->find("nonsense", 1).has_value());
  ASSERT_EQ(launcher_->find(token, 0).has_value(), launcher_->find(token, 1).has_value());
  pid_t pid = 0;
  ASSERT_TRUE(wait([&] {
    for (SourceId source = 1; source < 5; ++source) {
      std::optional<Logs::Origin> origin = launcher_->origin(source);
      pid = origin && origin->job == 1 ? static_cast<pid_t>(origin->pid) : pid;
    }
    return pid != 0;
  }));
  EXPECT_EQ(launcher_->find(token, pid), std::optional<LaunchId>(1));
  LaunchedProcess process = launcher_->claim(1, pid);
  EXPECT_EQ(process.pid, pid);
  EXPECT_FALSE(launcher_->find(token, pid).has_value()) << "used up";
  ::kill(pid, SIGKILL);
  logs_->close_source(process.source);
}

TEST_F(LauncherTest, TheWarmZygoteTakesOver) {
  add_job(kZygoteMode, {kZygote, "good"});
  ASSERT_TRUE(wait([&] { return launcher_->zygote_count() == 2; }));
  ASSERT_TRUE(wait([&] { return launcher_->zygote_count() == 1; }));
  launcher_->launch(request(1));
  ASSERT_TRUE(wait([&] { return log_text().find("worker ") != std::string::npos; }));
  launcher_->abort(1, "enough");
  EXPECT_THAT(wait_failure(1), HasSubstr("enough; its last output:\nworker "));
  launcher_->remove_job(1);
  EXPECT_EQ(launcher_->zygote_count(), 0u);
}

TEST_F(LauncherTest, AZygoteThatCannotStartSaysWhy) {
  add_job(kZygoteMode, {kZygote, "die"});
  launcher_->launch(request(1));
  std::string text = wait_failure(1);
  EXPECT_THAT(text, HasSubstr("exit code 3"));
  EXPECT_THAT(text, HasSubstr("cannot import sabir\nno such module"));
  launcher_->launch(request(2));
  EXPECT_THAT(wait_failure(2), HasSubstr("exit code 3")) << "it is started again for the next request";
}

TEST_F(LauncherTest, WhatADeadZygoteOwedFails) {
  add_job(kZygoteMode, {kZygote, "stop"});
  launcher_->launch(request(1));
  launcher_->launch(request(2));
  EXPECT_THAT(wait_failure(1), HasSubstr("exit code 5"));
  EXPECT_THAT(wait_failure(2), HasSubstr("exit code 5"));
}

TEST_F(LauncherTest, AZygoteThatBabblesIsEnded) {
  add_job(kZygoteMode, {kZygote, "babble"});
  launcher_->launch(request(1));
  EXPECT_THAT(wait_failure(1), HasSubstr("no JSON"));
}

TEST_F(LauncherTest, AMuteZygoteDoesNotHoldALaunch) {
  add_job(kZygoteMode, {kZygote, "mute"});
  launcher_->launch(request(1));
  launcher_->abort(1, "took too long");
  EXPECT_EQ(wait_failure(1), "took too long");
}

TEST_F(LauncherTest, AFloodIsBoundedAndCounted) {
  add_job(kExecMode, {"/bin/sh", "-c", "yes flood | head -c 20000000; echo end >&2; exit 1"});
  launcher_->launch(request(1));
  EXPECT_THAT(wait_failure(1), HasSubstr("end"));
  EXPECT_LE(log_text().size(), size_t{16 << 20} + (64 << 10));
}

}  // namespace
}  // namespace sabir::node
