// Sessions beside each other, strangers at the door, and drivers that die (fault table rows 5, 14, 18).
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "gmock/gmock.h"
#include "tests/integration/node/sabird_fixture.h"

namespace sabir::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

UniqueFd connect_to(const std::string& session_path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (session_path + "/node.sock").c_str(), sizeof(address.sun_path) - 1);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    socket.reset();
  }
  return socket;
}

std::string echo(RawProcess& driver, const std::string& text) {
  Result<uint32_t> function = driver.export_function("echo");
  return function.ok() ? driver.wait(driver.submit(*function, text)).result : function.error().to_string();
}

class SessionTest : public SabirdTest {};

TEST_F(SessionTest, TwoSideBySide) {
  auto first = start("a");
  auto second = start("b");
  auto first_driver = join(*first);
  auto second_driver = join(*second);
  ASSERT_TRUE(first_driver->declare(kLanguageC).ok());
  ASSERT_TRUE(second_driver->declare(kLanguageC).ok());
  EXPECT_EQ(echo(*first_driver, "one"), "one");
  EXPECT_EQ(echo(*second_driver, "two"), "two");
  first_driver.reset();
  EXPECT_EQ(first->wait_end(2 * kSecondNs), std::optional<int>(0));
  EXPECT_EQ(echo(*second_driver, "still"), "still");
}

TEST_F(SessionTest, ADirectoryInUseIsRefused) {
  auto first = start("a", false);
  pid_t pid = ::fork();
  if (pid == 0) {
    ::close(2);
    const char* path = ::getenv("SABIRD");
    ::execl(path != nullptr ? path : "runtime/daemon/sabird", "sabird", "--session-dir", first->session_path().c_str(),
            nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
  EXPECT_TRUE(exists(first->session_path() + "/node.sock"));
}

TEST_F(SessionTest, ANodeOfItsOwnServesDriversOneAfterTheOther) {
  auto sabird = start("a", false);
  size_t files = 0;
  size_t alone = processes_of(sabird->session_path()).size();
  for (int i = 0; i < 6; ++i) {
    auto driver = join(*sabird);
    ASSERT_TRUE(driver->declare(kLanguageC).ok());
    EXPECT_EQ(echo(*driver, "x"), "x");
    ASSERT_TRUE(driver->session().leave("", kCallTimeoutNs).ok());
    driver.reset();
    EXPECT_TRUE(wait_until([&] { return processes_of(sabird->session_path()).size() == alone; }));
    if (i == 1) {
      ::usleep(200'000);
      files = sabird->open_files();
    }
  }
  EXPECT_TRUE(wait_until([&] { return sabird->open_files() <= files; }))
      << sabird->open_files() << " open files, " << files << " before";
  ::kill(sabird->pid(), SIGTERM);
  EXPECT_EQ(sabird->wait_end(2 * kSecondNs), std::optional<int>(0));
}

TEST_F(SessionTest, ObserversLookAndStop) {
  auto sabird = start("a", false);
  rpc::HelloInfo hello;
  hello.kind = rpc::HelloKind::kObserver;
  auto observer = rpc::SessionClient::connect(sabird->session_path(), hello, kCallTimeoutNs);
  ASSERT_TRUE(observer.ok()) << observer.error().to_string();
  struct Silent : rpc::NoticeHandler {
    void on_log(std::vector<rpc::LogLines>) override {}
    void on_warn(std::string) override {}
    void on_collect() override {}
    void on_exit(std::string) override {}
    void on_group(std::string, Result<void>) override {}
    void on_objects(std::vector<rpc::ObjectChange>) override {}
    void on_disconnect() override {}
  } silent;
  ASSERT_TRUE((*observer)->start(&silent).ok());
  Json status = Json::parse((*observer)->status(kCallTimeoutNs).value());
  EXPECT_EQ(status["session"]["pid"], sabird->pid());
  EXPECT_FALSE((*observer)->lend(rpc::LendKind::kCells, kCallTimeoutNs).ok());
  EXPECT_TRUE((*observer)->stop(kCallTimeoutNs).ok());
  EXPECT_EQ(sabird->wait_end(2 * kSecondNs), std::optional<int>(0));
  (*observer)->close();
}

TEST_F(SessionTest, StrangersHurtOnlyThemselves) {
  auto sabird = start("a");
  auto driver = join(*sabird);
  ASSERT_TRUE(driver->declare(kLanguageC).ok());
  std::mt19937 random(20240501);
  for (int i = 0; i < 60; ++i) {
    UniqueFd socket = connect_to(sabird->session_path());
    ASSERT_TRUE(socket);
    std::string bytes(1 + random() % 3000, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    if (i % 3 == 0) {
      std::memcpy(bytes.data(), "\xff\xff\xff\x7f", std::min<size_t>(4, bytes.size()));  // a huge frame
    }
    [[maybe_unused]] ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  EXPECT_EQ(echo(*driver, "alive"), "alive");
  for (const char* token : {"", "0123456789abcdef0123456789abcdef"}) {
    auto stranger = RawProcess::worker(sabird->session_path(), token);
    ASSERT_FALSE(stranger.ok());
    EXPECT_EQ(stranger.error().kind(), ErrorKind::kNotFound) << stranger.error().to_string();
  }
  rpc::HelloInfo other;
  other.kind = rpc::HelloKind::kDriver;
  other.layout_hash = 12345;
  auto version = rpc::SessionClient::connect(sabird->session_path(), other, kCallTimeoutNs);
  ASSERT_FALSE(version.ok());
  EXPECT_EQ(version.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(echo(*driver, "alive"), "alive");
}

TEST_F(SessionTest, WithoutDescriptorsItShedsAndRecovers) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "UBSan's own checks need descriptors";
#endif
  auto sabird = start("a", true, {}, 64);
  auto driver = join(*sabird);
  ASSERT_TRUE(driver->declare(kLanguageC).ok());
  EXPECT_EQ(echo(*driver, "x"), "x");
  {
    std::vector<UniqueFd> crowd;
    for (int i = 0; i < 200; ++i) {
      crowd.push_back(connect_to(sabird->session_path()));
    }
    EXPECT_EQ(echo(*driver, "in the crowd"), "in the crowd");
    uint64_t before = sabird->cpu_ticks();
    ::usleep(500'000);
    EXPECT_LT(sabird->cpu_ticks() - before, 25u) << "it does not spin on what it cannot accept";
  }
  EXPECT_TRUE(wait_until([&] {
    auto next = RawProcess::driver(sabird->session_path(), job());
    return next.ok();
  })) << "room again";
  EXPECT_EQ(echo(*driver, "after"), "after");
}

TEST_F(SessionTest, ADriverThatIsKilledTakesEverythingAlong) {
  std::string path = root() + "/a";
  pid_t driver_pid = ::fork();
  if (driver_pid == 0) {
    auto sabird = start("a");
    auto driver = join(*sabird);
    bool ok = driver->declare(kLanguageC).ok() && echo(*driver, "x") == "x";
    while (ok) {
      ::pause();
    }
    ::_exit(1);
  }
  ASSERT_TRUE(wait_until([&] { return processes_of(path).size() >= 2; }));
  ::usleep(200'000);
  ::kill(driver_pid, SIGKILL);
  ::waitpid(driver_pid, nullptr, 0);
  EXPECT_TRUE(wait_until([&] { return processes_of(path).empty(); }, 2 * kSecondNs));
  EXPECT_TRUE(wait_until([&] { return !exists(path); }, 2 * kSecondNs));
}

TEST_F(SessionTest, OneJobEndsAndTheOtherGoesOn) {
  auto sabird = start("a", false);
  auto stays = join(*sabird);
  ASSERT_TRUE(stays->declare(kLanguageC).ok());
  EXPECT_EQ(echo(*stays, "x"), "x");
  size_t before = processes_of(sabird->session_path()).size();
  pid_t driver_pid = ::fork();
  if (driver_pid == 0) {
    auto goes = RawProcess::driver(sabird->session_path(), job());
    if (goes.ok() && (*goes)->declare(kLanguageC).ok()) {
      echo(**goes, "y");
      (*goes)->submit((*goes)->export_function("sleep").value(), "100000");
    }
    while (true) {
      ::pause();
    }
  }
  ASSERT_TRUE(wait_until([&] { return processes_of(sabird->session_path()).size() > before; }));
  ::usleep(300'000);
  ::kill(driver_pid, SIGKILL);
  ::waitpid(driver_pid, nullptr, 0);
  EXPECT_TRUE(wait_until([&] { return processes_of(sabird->session_path()).size() <= before; }, 2 * kSecondNs));
  EXPECT_EQ(echo(*stays, "on"), "on");
  EXPECT_TRUE(wait_until([&] {
    stays->take_deaths();
    return Json::parse(stays->session().status(kCallTimeoutNs).value())["counters"]["deaths_unsettled"] == 0;
  }));
}

}  // namespace
}  // namespace sabir::testing
