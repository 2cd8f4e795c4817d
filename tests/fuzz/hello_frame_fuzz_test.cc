// Runs the fuzz target over seeded inputs: frames that are broken in one or a few places, and noise. The same in each
// run.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/rpc/frame.h"

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

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed), corpus_(valid_frames()) {}

  std::string next() {
    if (pick(8) == 0) {
      return noise(pick(600));
    }
    std::string frame = corpus_[pick(corpus_.size())];
    for (size_t i = 0, changes = 1 + pick(6); i < changes && !frame.empty(); ++i) {
      change(frame);
    }
    return frame;
  }

 private:
  size_t pick(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::string noise(size_t size_bytes) {
    std::string bytes(size_bytes, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random_());
    }
    return bytes;
  }

  void change(std::string& frame) {
    size_t at = pick(frame.size());
    switch (pick(6)) {
      case 0:
        frame[at] = static_cast<char>(frame[at] ^ (1 << pick(8)));
        break;
      case 1:
        frame[at] = static_cast<char>(random_());
        break;
      case 2:
        frame.resize(at);
        break;
      case 3:
        frame.append(noise(8 * (1 + pick(4))));
        break;
      case 4: {
        // Words are what Cap'n Proto's pointers are made of: one that points elsewhere, or a count of everything.
        uint64_t words[] = {0xffffffffffffffff, 0x00000000ffffffff, 0xfffffffd00000001, random_(), 2, 0};
        size_t word = at / 8 * 8 + kFramePrefixBytes;
        if (word + 8 <= frame.size()) {
          memcpy(frame.data() + word, &words[pick(6)], 8);
        }
        break;
      }
      case 5: {
        const std::string& other = corpus_[pick(corpus_.size())];
        frame = frame.substr(0, at) + other.substr(pick(other.size()));
        break;
      }
    }
  }

  std::mt19937 random_;
  std::vector<std::string> corpus_;
};

TEST(HelloFrameFuzzTest, SeededInputs) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    for (int i = 0; i < 5000; ++i) {
      std::string input = generator.next();
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
