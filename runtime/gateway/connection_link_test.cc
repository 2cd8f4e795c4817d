#include "runtime/gateway/connection_link.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace sabir::gateway {
namespace {

// Whoever sends may have a lock that ends of receives take.
TEST(ConnectionLinkTest, ASendOverAConnectionThatIsOverEndsNoReceive) {
  auto gate = std::make_shared<BulkGate>([] {});  // a bulk connection that does not come
  auto link = std::make_shared<ConnectionLink>(rpc::NodeKeyBytes{}, rpc::NodeKeyBytes{}, nullptr, gate, [] {});
  std::vector<uint8_t> bytes(10);
  bool received = false;
  (void)link->receive(bytes, [&](const Result<void>& result) { received = !result.ok(); });
  EXPECT_FALSE(received);
  link->end("lost");
  EXPECT_TRUE(received) << "the end of the connection ends it";

  // One that another thread is about to end, too: it has come to the gate, and not looked yet.
  bool other_ended = false;
  gate->with(link.get(), [&](const Result<std::shared_ptr<BulkGate::Bulk>>&) { other_ended = true; });
  std::optional<ErrorKind> sent;
  link->send(7, bytes, [&](const Result<void>& result) { sent = result.error().kind(); });
  EXPECT_EQ(sent, ErrorKind::kDisconnected);
  EXPECT_FALSE(other_ended);
  gate->close("the test ends");
  EXPECT_TRUE(other_ended);
}

}  // namespace
}  // namespace sabir::gateway
