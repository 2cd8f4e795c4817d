// Starts real sabirds and looks after what they leave.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/fd.h"
#include "tests/integration/node/raw_process.h"

namespace sabir::testing {

inline constexpr uint8_t kLanguageC = 4;

// How much a sabird that does not grow may grow. AddressSanitizer keeps what was freed for a while.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr uint64_t kGrowthBytes = 512 << 20;
#else
inline constexpr uint64_t kGrowthBytes = 16 << 20;
#endif

// One that runs. Killed and reaped at the end.
class Sabird {
 public:
  Sabird(std::string session_path, pid_t pid, UniqueFd driver_socket)
      : session_path_(std::move(session_path)), pid_(pid), driver_socket_(std::move(driver_socket)) {}
  Sabird(const Sabird&) = delete;
  ~Sabird();

  const std::string& session_path() const { return session_path_; }
  pid_t pid() const { return pid_; }
  UniqueFd take_driver_socket() { return std::move(driver_socket_); }
  // Nothing: it still runs after that time.
  std::optional<int> wait_end(int64_t timeout_ns);
  size_t open_files() const;
  uint64_t resident_bytes() const;
  uint64_t cpu_ticks() const;  // hundredths of a second that it has used

 private:
  std::string session_path_;
  pid_t pid_;
  UniqueFd driver_socket_;
  bool reaped_ = false;
};

class SabirdTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::string root() const { return root_; }
  // `with_driver`: with --driver-fd.
  std::unique_ptr<Sabird> start(const std::string& name, bool with_driver = true,
                                std::vector<std::string> more_options = {}, uint64_t open_files_limit = 0);
  static rpc::JobConfig job(std::vector<std::string> worker_argv = {worker_path()});
  static std::string worker_path();
  std::unique_ptr<RawProcess> join(Sabird& sabird, rpc::JobConfig config = job());

  // Processes alive (no zombies) that mention the session in their command line or environment; this one excepted.
  static std::set<pid_t> processes_of(const std::string& session_path);
  static bool wait_until(const std::function<bool()>& done, int64_t timeout_ns = 10 * kSecondNs);
  static bool alive(pid_t pid);
  static bool exists(const std::string& path);

 private:
  std::string root_;
};

}  // namespace sabir::testing
