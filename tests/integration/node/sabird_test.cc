// A real sabird with real worker processes: calls, their ends, and what is left afterwards (fault table rows 1-3, 5,
// 8).
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "runtime/client/error_value.h"
#include "runtime/client/value_format.h"
#include "tests/integration/node/sabird_fixture.h"

namespace sabir::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr int64_t kGoneNs = 2 * kSecondNs;  // fault table: all of a job's processes

class CallTest : public SabirdTest {
 protected:
  void SetUp() override {
    SabirdTest::SetUp();
    begin(start("s"));
  }
  void begin(std::unique_ptr<Sabird> sabird, rpc::JobConfig config = job()) {
    sabird_ = std::move(sabird);
    driver_ = join(*sabird_, std::move(config));
    ASSERT_NE(driver_, nullptr);
    ASSERT_TRUE(driver_->declare(kLanguageC).ok());
  }
  void TearDown() override {
    driver_.reset();
    sabird_.reset();
    SabirdTest::TearDown();
  }
  shm::CellRef submit(const std::string& name, std::string_view args = "") {
    return driver_->submit(driver_->export_function(name).value(), args);
  }
  std::string call(const std::string& name, std::string_view args = "") {
    RawProcess::Outcome outcome = driver_->wait(submit(name, args));
    EXPECT_TRUE(outcome.done) << name << (outcome.claimer_died ? ": its worker died" : "");
    return outcome.result;
  }
  Json status() { return Json::parse(driver_->session().status(kCallTimeoutNs).value()); }
  // Everything that deaths left behind is settled and may be used again.
  bool settled() {
    return wait_until([&] {
      driver_->take_deaths();
      return status()["counters"]["deaths_unsettled"] == 0;
    });
  }

  std::unique_ptr<Sabird> sabird_;
  std::unique_ptr<RawProcess> driver_;
};

TEST_F(CallTest, CallsRunInAWorker) {
  EXPECT_EQ(call("echo", "hello"), "hello");
  pid_t worker = std::atoi(call("pid").c_str());
  EXPECT_NE(worker, ::getpid());
  EXPECT_TRUE(processes_of(sabird_->session_path()).contains(worker));
  EXPECT_EQ(::getpgid(worker), worker) << "a process group of its own";
  uint32_t echo = driver_->export_function("echo").value();
  for (int round = 0; round < 20; ++round) {
    std::vector<shm::CellRef> refs;
    for (int i = 0; i < 100; ++i) {
      refs.push_back(driver_->submit(echo, std::to_string(i)));
    }
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(driver_->wait(refs[static_cast<size_t>(i)]).result, std::to_string(i));
    }
  }
}

TEST_F(CallTest, AnIdleNodeHasNoTimer) {
  call("nothing");
  EXPECT_TRUE(wait_until([&] { return driver_->node().header().watching.load() == 0; }));
  uint64_t looks = status()["counters"]["looks"];
  ::usleep(300'000);
  EXPECT_LE(status()["counters"]["looks"].get<uint64_t>(), looks + 6);
  EXPECT_EQ(call("echo", "again"), "again") << "and wakes up";
}

TEST_F(CallTest, AKilledWorkerIsNoticedAndReplaced) {
  SteadyClock clock;
  call("nothing");
  for (int i = 0; i < 5; ++i) {
    int64_t begin_ns = clock.now_ns();
    RawProcess::Outcome outcome = driver_->wait(submit("crash"));
    EXPECT_TRUE(outcome.claimer_died);
    EXPECT_LT(clock.now_ns() - begin_ns, kSecondNs);
    EXPECT_EQ(call("echo", "still here"), "still here");
  }
  EXPECT_TRUE(settled());
}

TEST_F(CallTest, TheDeathLogSaysHow) {
  EXPECT_TRUE(driver_->wait(submit("exit", "7")).claimer_died);
  uint64_t count = driver_->node().header().death_count.load();
  ASSERT_GE(count, 1u);
  const shm::DeathRecord& record = driver_->node().segment().deaths[count - 1];
  int status = static_cast<int>(record.wait_status.load());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_EQ(record.reason.load(), static_cast<uint32_t>(shm::DeathReason::kExited));
}

TEST_F(CallTest, ChildrenOfAWorkerGoWithIt) {
  pid_t child = std::atoi(call("litter").c_str());
  ASSERT_TRUE(alive(child));
  EXPECT_TRUE(driver_->wait(submit("crash")).claimer_died);
  EXPECT_TRUE(wait_until([&] { return !alive(child); }, kGoneNs));
}

TEST_F(CallTest, ABlockedWorkerLendsItsCpu) {
  std::vector<shm::CellRef> blocked = {submit("block", "700"), submit("block", "700")};
  SteadyClock clock;
  int64_t begin_ns = clock.now_ns();
  ::usleep(100'000);
  EXPECT_EQ(call("echo", "meanwhile"), "meanwhile");
  EXPECT_LT(clock.now_ns() - begin_ns, 650 * kMillisecondNs) << "both CPUs were lent";
  for (shm::CellRef ref : blocked) {
    EXPECT_TRUE(driver_->wait(ref).done);
  }
  EXPECT_EQ(call("echo", "after"), "after");
}

TEST_F(CallTest, OutputComesToTheDriver) {
  call("print", "hello from afar");
  EXPECT_TRUE(wait_until([&] { return driver_->log_text().find("hello from afar") != std::string::npos; }));
}

TEST_F(CallTest, AFloodOfOutputIsDroppedAndCounted) {
  call("nothing");
  uint64_t before = sabird_->resident_bytes();
  call("flood", "64");
  EXPECT_LT(sabird_->resident_bytes(), before + kGrowthBytes);
  EXPECT_EQ(call("echo", "alive"), "alive");
}

TEST_F(CallTest, AStoppedWorkerIsNotDeadAndCanBeKilled) {
  pid_t worker = std::atoi(call("pid").c_str());
  shm::CellRef hanging = submit("hang");
  std::set<pid_t> before = processes_of(sabird_->session_path());
  EXPECT_FALSE(driver_->wait(hanging, 300 * kMillisecondNs).claimer_died) << "stopped is not dead (D1)";
  EXPECT_TRUE(alive(worker));
  EXPECT_EQ(call("echo", "others work"), "others work");
  driver_.reset();
  EXPECT_TRUE(wait_until([&] { return processes_of(sabird_->session_path()).empty(); }, kGoneNs));
}

TEST_F(CallTest, MissingResourcesAreSaid) {
  ASSERT_TRUE(driver_->declare(kLanguageC, {{"GPU", 40'000}}).ok());
  shm::CellRef ref = submit("nothing");
  EXPECT_TRUE(wait_until([&] { return driver_->warnings().find("GPU") != std::string::npos; })) << driver_->warnings();
  EXPECT_FALSE(driver_->wait(ref, 100 * kMillisecondNs).done) << "it waits, visibly";
  Json queues = status()["nodes"][0]["queues"];
  EXPECT_TRUE(std::any_of(queues.begin(), queues.end(), [](const Json& entry) {
    return entry["infeasible"].get<std::string>().find("GPU") != std::string::npos && entry["queued"] == 1;
  })) << queues;
}

TEST_F(CallTest, StatusTellsWhatIs) {
  call("nothing");
  Json now = status();
  EXPECT_EQ(now["session"]["path"], sabird_->session_path());
  EXPECT_EQ(now["session"]["pid"], sabird_->pid());
  EXPECT_EQ(now["nodes"][0]["resources_total"]["CPU"], 2.0);
  EXPECT_EQ(now["nodes"][0]["store"]["capacity_bytes"], 67108864);
  EXPECT_GE(now["nodes"][0]["workers"].size(), 1u);
  EXPECT_EQ(now["jobs"][0]["state"], "running");
  EXPECT_EQ(now["jobs"][0]["driver_pid"], ::getpid());
  EXPECT_TRUE(wait_until([&] { return status()["nodes"][0]["resources_available"]["CPU"] == 2.0; }))
      << "idle leases count as available";
}

TEST_F(CallTest, WorkersThatCannotStartFailTheirCallsWithTheReason) {
  driver_.reset();
  sabird_.reset();
  begin(start("t"), job({"/bin/sh", "-c", "echo my last words >&2; exit 3"}));
  RawProcess::Outcome outcome = driver_->wait(submit("nothing"));
  ASSERT_TRUE(outcome.done);
  EXPECT_TRUE(outcome.is_error);
  std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(outcome.result.data()), outcome.result.size());
  auto value = client::parse_value(bytes, client::kCallAlignment);
  ASSERT_TRUE(value);
  client::ErrorSummary error = client::read_error_map(value->data);
  EXPECT_EQ(error.kind, ErrorKind::kSystem);
  EXPECT_THAT(error.message, HasSubstr("my last words"));
}

TEST_F(CallTest, NothingIsLeftOfManyDeaths) {
  call("nothing");
  ASSERT_TRUE(settled());
  ::usleep(100'000);
  size_t files = sabird_->open_files();
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(driver_->wait(submit("crash")).claimer_died);
  }
  call("nothing");
  EXPECT_TRUE(settled());
  EXPECT_TRUE(wait_until([&] { return sabird_->open_files() <= files + 8; }))
      << sabird_->open_files() << " open files, " << files << " before";
  Json now = status();
  EXPECT_LE(now["nodes"][0]["workers"].size(), 3u);
}

TEST_F(CallTest, TheNodeEndsWithItsDriver) {
  call("nothing");
  driver_.reset();
  std::optional<int> status = sabird_->wait_end(kGoneNs);
  ASSERT_TRUE(status);
  EXPECT_EQ(*status, 0);
  EXPECT_TRUE(processes_of(sabird_->session_path()).empty());
  EXPECT_FALSE(exists(sabird_->session_path()));
}

TEST_F(CallTest, SigtermEndsItInOrder) {
  pid_t child = std::atoi(call("litter").c_str());
  ::kill(sabird_->pid(), SIGTERM);
  EXPECT_EQ(sabird_->wait_end(kGoneNs), std::optional<int>(0));
  EXPECT_TRUE(driver_->disconnected() || wait_until([&] { return driver_->disconnected(); }));
  EXPECT_FALSE(alive(child));
  EXPECT_TRUE(processes_of(sabird_->session_path()).empty());
  EXPECT_FALSE(exists(sabird_->session_path()));
}

TEST_F(CallTest, AKilledSabirdLeavesNoWorker) {
  pid_t child = std::atoi(call("litter").c_str());
  ASSERT_GE(processes_of(sabird_->session_path()).size(), 2u);
  ::kill(sabird_->pid(), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !alive(child); }, kGoneNs)) << "what a worker forked";
  EXPECT_TRUE(wait_until([&] { return processes_of(sabird_->session_path()).empty(); }, kGoneNs));
  EXPECT_TRUE(wait_until([&] { return driver_->disconnected(); }, kGoneNs));
  EXPECT_TRUE(exists(sabird_->session_path())) << "stale now ...";
  std::unique_ptr<Sabird> next = start("next");
  EXPECT_FALSE(exists(sabird_->session_path())) << "... and removed by whoever starts next";
}

}  // namespace
}  // namespace sabir::testing
