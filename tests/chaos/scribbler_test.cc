// A process that writes nonsense into the shared segment under load (T1, T3, T4): sabird lives, does not grow, another
// session notices nothing, and when the processes are gone nothing of them is left.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/chaos/scribble.h"
#include "tests/integration/node/sabird_fixture.h"

namespace sabir::testing {
namespace {

using Json = nlohmann::json;

int64_t duration_ns() {
  const char* seconds = std::getenv("SABIR_CHAOS_SECONDS");
  return (seconds != nullptr ? std::atoi(seconds) : 4) * kSecondNs;
}

uint64_t seed() {
  const char* text = std::getenv("SABIR_CHAOS_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : static_cast<uint64_t>(::getpid()) * 2654435761u;
}

bool echo(RawProcess& driver, uint32_t function, int64_t timeout_ns) {
  shm::CellRef ref = driver.submit(function, "ping");
  return ref.cell != shm::kNoCell && driver.wait(ref, timeout_ns).result == "ping";
}

class ScribblerTest : public SabirdTest {
 protected:
  // Forks a member of the session. It is killed by end_children().
  void member(Sabird& sabird, const std::function<void(RawProcess&)>& run) {
    pid_t pid = ::fork();
    if (pid == 0) {
      ::close(2);  // it may well die of what it reads
      while (true) {
        auto driver = RawProcess::driver(sabird.session_path(), job());
        if (driver.ok() && (*driver)->declare(kLanguageC).ok()) {
          run(**driver);
        }
        ::usleep(1'000);
      }
    }
    children_.push_back(pid);
  }
  void end_children() {
    for (pid_t pid : children_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    children_.clear();
  }
  void TearDown() override {
    end_children();
    SabirdTest::TearDown();
  }

  static Json status(RawProcess& process) {
    Result<std::string> text = process.session().status(kCallTimeoutNs);
    return text.ok() ? Json::parse(*text) : Json::object();
  }

  // The whole story: `scribble` runs beside a load in one session while another session is served.
  void run_chaos(const std::function<void(RawProcess&)>& scribble) {
    auto wrecked = start("wrecked", false);
    auto other = start("other");
    auto calm = join(*other);
    ASSERT_TRUE(calm->declare(kLanguageC).ok());
    uint32_t function = calm->export_function("echo").value();
    ASSERT_TRUE(echo(*calm, function, kCallTimeoutNs));
    member(*wrecked, [](RawProcess& driver) {
      Result<uint32_t> function = driver.export_function("echo");
      while (function.ok() && !driver.disconnected()) {
        echo(driver, *function, kSecondNs / 10);
      }
    });
    member(*wrecked, scribble);
    ::usleep(300'000);
    uint64_t resident_before = wrecked->resident_bytes();
    SteadyClock clock;
    int64_t end_ns = clock.now_ns() + duration_ns();
    while (clock.now_ns() < end_ns) {
      ASSERT_TRUE(alive(wrecked->pid())) << "sabird died";
      ASSERT_TRUE(echo(*calm, function, kCallTimeoutNs)) << "the other session suffers";
      ::usleep(20'000);
    }
    end_children();

    // The session that was wrecked serves a newcomer, and has forgotten everything else.
    auto newcomer = RawProcess::driver(wrecked->session_path(), job());
    ASSERT_TRUE(newcomer.ok()) << newcomer.error().to_string();
    EXPECT_TRUE(wait_until([&] {
      (*newcomer)->take_deaths();
      Json now = status(**newcomer);
      // The newcomer, and the worker that is ready for it.
      return now["counters"]["deaths_unsettled"] == 0 && now["counters"]["processes"] <= 2;
    })) << status(**newcomer)["counters"].dump()
        << "\n"
        << status(**newcomer)["nodes"][0]["workers"].dump();
    Json now = status(**newcomer);
    EXPECT_EQ(now["nodes"][0]["store"]["loans_bytes"], 0);
    EXPECT_EQ(now["counters"]["entries"], 0);
    ASSERT_TRUE((*newcomer)->declare(kLanguageC).ok());
    EXPECT_TRUE(echo(**newcomer, (*newcomer)->export_function("echo").value(), kCallTimeoutNs));
    EXPECT_LT(wrecked->resident_bytes(), resident_before + kGrowthBytes) << "sabird grew";
    newcomer->reset();
    ::kill(wrecked->pid(), SIGTERM);
    EXPECT_EQ(wrecked->wait_end(10 * kSecondNs), std::optional<int>(0)) << "also no sanitizer complained";
  }

 private:
  std::vector<pid_t> children_;
};

TEST_F(ScribblerTest, RandomWords) {
  uint64_t start_seed = seed();
  std::printf("SABIR_CHAOS_SEED=%llu\n", static_cast<unsigned long long>(start_seed));
  run_chaos([&](RawProcess& process) {
    Scribbler scribbler(process.calls(), start_seed + process.slot());
    for (int i = 0; !process.disconnected(); ++i) {
      scribbler.scribble();
      if (i % 16 == 0) {
        process.ring_daemon();
        ::usleep(50);
      }
    }
  });
}

TEST_F(ScribblerTest, EachBadWordEverywhere) {
  uint64_t start_seed = seed();
  run_chaos([&](RawProcess& process) {
    Scribbler scribbler(process.calls(), start_seed + process.slot());
    for (uint32_t i = 0; !process.disconnected(); ++i) {
      scribbler.scribble_table(i);
      process.ring_daemon();
      ::usleep(500);
    }
  });
}

}  // namespace
}  // namespace sabir::testing
