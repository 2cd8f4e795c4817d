// Feeds bytes to everything that parses before a process has proved anything but its uid.
#include <cstdint>
#include <cstring>
#include <string>

#include "runtime/base/check.h"
#include "runtime/rpc/frame.h"

using namespace sabir::rpc;  // NOLINT: a fuzzer's own file

// The entry that libFuzzer calls, and the seeded test beside this file. Input: a frame as it would come over the
// socket.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  if (size_bytes >= kFramePrefixBytes) {
    auto announced = decode_prefix(std::span<const uint8_t, kFramePrefixBytes>(data, kFramePrefixBytes));
    SABIR_CHECK(!announced.ok() || (*announced % 8 == 0 && *announced <= kMaxFrameBytes));
    data += kFramePrefixBytes;
    size_bytes -= kFramePrefixBytes;
  }
  std::string_view message(reinterpret_cast<const char*>(data), size_bytes);
  auto hello = decode_hello(message);
  if (hello.ok()) {
    // What was accepted is within the limits and says the same again.
    SABIR_CHECK(hello->job.language_envs.size() <= 16);
    auto frame = encode_hello(*hello);
    if (frame.ok()) {
      auto again = decode_hello(std::string_view(*frame).substr(kFramePrefixBytes));
      SABIR_CHECK(again.ok() && again->kind == hello->kind && again->library == hello->library &&
                  again->token == hello->token && again->job.language_envs == hello->job.language_envs);
    }
    (void)choose_version(*hello).ok();
  }
  (void)decode_welcome(message).ok();
  return 0;
}
