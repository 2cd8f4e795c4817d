// Broken Cap'n Proto RPC from processes that have said a proper hello: seeded mutations of a valid conversation. The
// node closes the one connection, and serves everybody else as before.
#include <capnp/rpc.capnp.h>
#include <capnp/serialize.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/rpc/handshake.h"
#include "runtime/rpc/testing/fake_node.h"
#include "schema/session.capnp.h"

namespace sabir::rpc {
namespace {

constexpr int64_t kLong = 20 * kSecondNs;

std::string bytes_of(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  return {reinterpret_cast<const char*>(words.asBytes().begin()), words.asBytes().size()};
}

// Bootstrap, then calls on the answer that is still to come.
std::vector<std::string> conversation() {
  std::vector<std::string> messages;
  {
    capnp::MallocMessageBuilder message;
    message.initRoot<capnp::rpc::Message>().initBootstrap().setQuestionId(0);
    messages.push_back(bytes_of(message));
  }
  for (uint16_t method = 0; method <= 20; ++method) {
    capnp::MallocMessageBuilder message;
    auto call = message.initRoot<capnp::rpc::Message>().initCall();
    call.setQuestionId(method + 1u);
    call.initTarget().initPromisedAnswer().setQuestionId(0);
    call.setInterfaceId(capnp::typeId<schema::Session>());
    call.setMethodId(method);
    auto payload = call.initParams();
    auto params = payload.getContent().initAs<schema::Session::CreateActorParams>();
    params.setRequestId(method + 1u);
    params.initSpec().setName("name");
    payload.initCapTable(1)[0].setSenderHosted(3);
    messages.push_back(bytes_of(message));
  }
  {
    capnp::MallocMessageBuilder message;
    message.initRoot<capnp::rpc::Message>().initFinish().setQuestionId(1);
    messages.push_back(bytes_of(message));
  }
  {
    capnp::MallocMessageBuilder message;
    auto release = message.initRoot<capnp::rpc::Message>().initRelease();
    release.setId(0);
    release.setReferenceCount(1);
    messages.push_back(bytes_of(message));
  }
  return messages;
}

std::string mutated(std::mt19937& random, const std::vector<std::string>& messages) {
  std::string bytes;
  for (size_t i = 0; i < 2 + random() % 20; ++i) {
    std::string message = i == 0 && random() % 8 != 0 ? messages[0] : messages[random() % messages.size()];
    for (size_t k = 0; k < random() % 3; ++k) {
      // Mostly behind the table, so that the message as such is taken in.
      size_t at = random() % 16 == 0 ? random() % message.size() : 8 + random() % (message.size() - 8);
      message[at] =
          random() % 2 == 0 ? static_cast<char>(random()) : static_cast<char>(message[at] ^ (1 << random() % 8));
    }
    bytes += message;
  }
  return bytes;
}

TEST(SessionRpcFuzzTest, SeededConversations) {
  FakeNode node;
  FakeNotices notices;
  auto neighbour = node.client(&notices);
  std::vector<std::string> messages = conversation();
  std::mt19937 random(20240501);
  for (int i = 0; i < 400; ++i) {
    UniqueFd socket = node.dial();
    ASSERT_TRUE(shake_hands(socket.get(), FakeNode::driver_hello(), kLong).ok());
    std::string bytes = mutated(random, messages);
    (void)!send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    shutdown(socket.get(), SHUT_WR);
    char buffer[4096];
    pollfd state{socket.get(), POLLIN, 0};
    while (poll(&state, 1, 20'000) == 1) {
      if (recv(socket.get(), buffer, sizeof(buffer), 0) <= 0) {
        break;
      }
    }
    if (i % 50 == 0) {
      ASSERT_TRUE(neighbour->kv_put("k", "v", true, kLong).ok()) << "after conversation " << i;
    }
  }
  EXPECT_TRUE(neighbour->status(kLong).ok());
  EXPECT_TRUE(eventually([&] { return node.connections() == 1; }));
}

}  // namespace
}  // namespace sabir::rpc
