#include "runtime/rpc/node_link/hello.h"

#include <capnp/message.h>

#include <optional>
#include <span>

#include "runtime/rpc/convert.h"
#include "runtime/rpc/frame.h"
#include "runtime/rpc/frame_codec.h"
#include "runtime/rpc/node_link/secrets.h"
#include "schema/node_link.capnp.h"

namespace sabir::node_link {

static_assert(kNodeProtocolVersion == schema::NODE_PROTOCOL_VERSION);

namespace {

constexpr uint64_t kMagic = 0x53616269720a1a01;
constexpr rpc::FrameLimits kLimits{kMaxLoginFrameBytes, 4, 8};
constexpr size_t kMaxReleaseBytes = 64;
constexpr size_t kMaxMessageBytes = 1024;

template <typename Id>
capnp::Data::Reader data_of(const Id& id) {
  return {id.bits().bytes.data(), id.is_nil() ? 0 : Id::kSizeBytes};
}

// Empty is nil; any other length than an id's is malformed.
template <typename Id>
bool read_id(capnp::Data::Reader data, Id& id) {
  if (data.size() == 0) {
    id = Id();
    return true;
  }
  std::optional<IdBits> bits = IdBits::from_bytes({data.asChars().begin(), data.size()});
  id = bits ? Id(*bits) : Id();
  return bits.has_value();
}

Result<Hello> read_hello(schema::NodeHello::Reader from) {
  if (from.getMagic() != kMagic) {
    return invalid_error("hello: not a sabir node");
  }
  Hello hello;
  hello.min_version = from.getMinVersion();
  hello.max_version = from.getMaxVersion();
  hello.release = rpc::to_string(from.getRelease()).substr(0, kMaxReleaseBytes);
  hello.node.incarnation = from.getIncarnation();
  hello.expected.incarnation = from.getExpectedIncarnation();
  if (!read_id(from.getNodeId(), hello.node.id) || !read_id(from.getClusterId(), hello.cluster) ||
      !read_id(from.getExpectedNodeId(), hello.expected.id)) {
    return invalid_error("hello: an id that is none");
  }
  auto lane = static_cast<uint16_t>(from.getLane());
  if (lane > static_cast<uint16_t>(Lane::kBulk)) {
    return unsupported_error("hello: a kind of connection that this version does not know");
  }
  hello.lane = static_cast<Lane>(lane);
  hello.token = rpc::to_string(from.getToken());
  if (!hello.token.empty() && hello.token.size() != Token::kSizeBytes) {
    return invalid_error("hello: a token that is none");
  }
  return hello;
}

Result<Welcome> read_welcome(schema::NodeWelcome::Reader from) {
  Welcome welcome;
  welcome.failure.refusal = static_cast<Refusal>(from.getRefusal());
  welcome.failure.message = rpc::to_string(from.getMessage()).substr(0, kMaxMessageBytes);
  welcome.version = from.getVersion();
  welcome.release = rpc::to_string(from.getRelease()).substr(0, kMaxReleaseBytes);
  welcome.node.incarnation = from.getIncarnation();
  if (!read_id(from.getNodeId(), welcome.node.id) || !read_id(from.getClusterId(), welcome.cluster)) {
    return invalid_error("welcome: an id that is none");
  }
  return welcome;
}

}  // namespace

std::string NodeKey::text() const { return id.hex().substr(0, 12) + "/" + std::to_string(incarnation); }

std::string encode_hello(const Hello& hello) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::NodeHello>();
  to.setMagic(kMagic);
  to.setMinVersion(hello.min_version);
  to.setMaxVersion(hello.max_version);
  to.setRelease(rpc::text_of(hello.release.substr(0, kMaxReleaseBytes)));
  to.setNodeId(data_of(hello.node.id));
  to.setIncarnation(hello.node.incarnation);
  to.setClusterId(data_of(hello.cluster));
  to.setLane(static_cast<schema::Lane>(hello.lane));
  to.setToken(rpc::data_of(hello.token));
  to.setExpectedNodeId(data_of(hello.expected.id));
  to.setExpectedIncarnation(hello.expected.incarnation);
  return rpc::frame_of(message);
}

std::string encode_welcome(const Welcome& welcome) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::NodeWelcome>();
  to.setRefusal(static_cast<uint16_t>(welcome.failure.refusal));
  to.setMessage(rpc::text_of(welcome.failure.message.substr(0, kMaxMessageBytes)));
  to.setVersion(welcome.version);
  to.setRelease(rpc::text_of(welcome.release.substr(0, kMaxReleaseBytes)));
  to.setNodeId(data_of(welcome.node.id));
  to.setIncarnation(welcome.node.incarnation);
  to.setClusterId(data_of(welcome.cluster));
  return rpc::frame_of(message);
}

Result<uint32_t> decode_login_prefix(std::string_view prefix) {
  if (prefix.size() != rpc::kFramePrefixBytes) {
    return invalid_error("a prefix has 4 bytes");
  }
  return rpc::decode_prefix(std::span<const uint8_t, rpc::kFramePrefixBytes>(
                                reinterpret_cast<const uint8_t*>(prefix.data()), rpc::kFramePrefixBytes),
                            kMaxLoginFrameBytes);
}

Result<Hello> decode_hello(std::string_view message) {
  return rpc::decode_frame<schema::NodeHello, Hello>(message, "hello", kLimits, read_hello);
}

Result<Welcome> decode_welcome(std::string_view message) {
  return rpc::decode_frame<schema::NodeWelcome, Welcome>(message, "welcome", kLimits, read_welcome);
}

}  // namespace sabir::node_link
