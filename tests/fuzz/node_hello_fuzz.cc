// Feeds bytes to everything that a node parses before a stranger has logged in, and what a user pastes.
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/rpc/node_link/gatekeeper.h"
#include "runtime/rpc/node_link/hello.h"
#include "runtime/rpc/node_link/join_string.h"

using namespace sabir;             // NOLINT: a fuzzer's own file
using namespace sabir::node_link;  // NOLINT: a fuzzer's own file

namespace {

class NoMembers final : public Members {
 public:
  bool knows(const NodeKey&, const std::optional<Fingerprint>&) const override { return false; }
  bool fenced(const NodeKey&) const override { return false; }
};

}  // namespace

// The entry that libFuzzer calls, and the seeded test beside this file. Input: a frame as it would come over a
// connection.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  std::string_view input(reinterpret_cast<const char*>(data), size_bytes);
  auto join = JoinString::parse(input);
  if (join.ok()) {
    auto again = JoinString::parse(join->text());
    SABIR_CHECK(again.ok() && again->address == join->address && again->fingerprint == join->fingerprint);
  }
  if (input.size() >= 4) {
    auto announced = decode_login_prefix(input.substr(0, 4));
    SABIR_CHECK(!announced.ok() || (*announced % 8 == 0 && *announced <= kMaxLoginFrameBytes));
    input.remove_prefix(4);
  }
  auto hello = decode_hello(input);
  if (hello.ok()) {
    std::string frame = encode_hello(*hello);
    SABIR_CHECK(frame.size() <= 4 + kMaxLoginFrameBytes);
    auto again = decode_hello(std::string_view(frame).substr(4));
    SABIR_CHECK(again.ok() && *again == *hello);
    LocalNode local{.node = {NodeId::random(), 1}, .cluster = ClusterId::random(), .release = "1"};
    Verdict verdict = judge_hello(*hello, std::nullopt, local, NoMembers(), TokenBook(), 0);
    SABIR_CHECK(verdict.failure.refusal != Refusal::kNone, "nobody is let in without a token or a membership");
  }
  auto welcome = decode_welcome(input);
  if (welcome.ok()) {
    (void)judge_welcome(*welcome, hello.ok() ? *hello : Hello());
    SABIR_CHECK(encode_welcome(*welcome).size() <= 4 + kMaxLoginFrameBytes);
  }
  return 0;
}
