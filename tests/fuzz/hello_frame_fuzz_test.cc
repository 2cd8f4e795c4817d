// Runs the fuzz target over seeded inputs: frames that are broken in one or a few places, and noise. The same in each
// run.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/rpc/frame.h"
#include "tests/fuzz/mutations.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace sabir::rpc {
namespace {

std::vector<std::string> valid_frames() {
  HelloInfo driver;
  driver.kind = HelloKind::kDriver;
  driver.library = "1.0";
  driver.job.name = "job";
  driver.job.language_envs = {{1, LaunchMode::kZygote, {"python3", "-m", "zygote"}}, {2, LaunchMode::kExec, {"w"}}};
  driver.job.opaque = "opaque";
  HelloInfo worker;
  worker.kind = HelloKind::kWorker;
  worker.token = "token";
  WelcomeInfo welcome;
  welcome.session_id = std::string(16, 's');
  welcome.job_config = driver.job;
  welcome.actor = {true, 1, 2, std::string(16, 'a'), 3, "arguments", 4, "name"};
  return {encode_hello(driver).value(), encode_hello(worker).value(), encode_hello(HelloInfo()).value(),
          encode_welcome(welcome).value(), encode_refusal(exhausted_error("full"))};
}

TEST(HelloFrameFuzzTest, SeededInputs) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    fuzz::Mutations mutations(seed, valid_frames(), kFramePrefixBytes);
    for (int i = 0; i < 5000; ++i) {
      std::string input = mutations.next();
      // A buffer of its own, so that a sanitizer sees a read behind the end.
      std::vector<uint8_t> bytes(input.begin(), input.end());
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
}

TEST(HelloFrameFuzzTest, ValidFramesAndTheirBeginnings) {
  for (const std::string& frame : valid_frames()) {
    for (size_t size_bytes = 0; size_bytes <= frame.size(); ++size_bytes) {
      std::vector<uint8_t> bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size_bytes));
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace sabir::rpc
