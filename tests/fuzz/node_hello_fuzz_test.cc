// Runs the fuzz target over seeded inputs: frames and join strings that are broken in one or a few places, and noise.
// The same in each run.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/rpc/node_link/hello.h"
#include "runtime/rpc/node_link/join_string.h"
#include "tests/fuzz/mutations.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace sabir::node_link {
namespace {

std::vector<std::string> valid_inputs() {
  IdBits bits;
  bits.bytes.fill(7);
  Hello joiner{.release = "1.0", .node = {NodeId(bits), 0}, .token = std::string(32, 't')};
  Hello member{.release = "1.0",
               .node = {NodeId(bits), 3},
               .cluster = ClusterId(bits),
               .lane = Lane::kBulk,
               .expected = {NodeId(bits), 9}};
  Welcome welcome{.release = "1.0", .node = {NodeId(bits), 9}, .cluster = ClusterId(bits)};
  Welcome refusal{.failure = {Refusal::kVersion, "why"}, .release = "1.0"};
  Token token = *Token::from_bytes(std::string(32, 't'));
  return {encode_hello(joiner),
          encode_hello(member),
          encode_welcome(welcome),
          encode_welcome(refusal),
          JoinString{{"10.0.0.7", 6380}, token, Fingerprint()}.text(),
          JoinString{{"fe80::1%eth0", 6380}, token, std::nullopt}.text()};
}

TEST(NodeHelloFuzzTest, SeededInputs) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    fuzz::Mutations mutations(seed, valid_inputs());
    for (int i = 0; i < 5000; ++i) {
      std::string input = mutations.next();
      // A buffer of its own, so that a sanitizer sees a read behind the end.
      std::vector<uint8_t> bytes(input.begin(), input.end());
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
}

TEST(NodeHelloFuzzTest, ValidInputsAndTheirBeginnings) {
  for (const std::string& input : valid_inputs()) {
    for (size_t size_bytes = 0; size_bytes <= input.size(); ++size_bytes) {
      std::vector<uint8_t> bytes(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size_bytes));
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace sabir::node_link
