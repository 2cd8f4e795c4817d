#include "runtime/rpc/frame.h"

#include <capnp/message.h>

#include "runtime/rpc/convert.h"
#include "runtime/rpc/frame_codec.h"
#include "schema/session.capnp.h"

namespace sabir::rpc {

static_assert(kProtocolVersion == schema::PROTOCOL_VERSION);

namespace {

constexpr uint64_t kHelloMagic = 0x53616269720a1a00;
// Hello's deepest path is hello > job > language environment > argument list > argument.
constexpr int kNestingLimit = 8;
constexpr uint64_t kMaxSegments = 64;
// Lists of a hello, so that what is kept of it is not much larger than the frame it came in.
constexpr kj::uint kMaxLanguageEnvs = 16;
constexpr kj::uint kMaxArguments = 256;

Result<std::string> checked(std::string frame) {
  if (frame.size() - kFramePrefixBytes > kMaxFrameBytes) {
    return invalid_error("the frame would have " + std::to_string(frame.size()) + " bytes, more than a frame may have");
  }
  return frame;
}

constexpr FrameLimits kFrameLimits{kMaxFrameBytes, kNestingLimit, kMaxSegments};

Result<HelloInfo> read_hello(schema::Hello::Reader from) {
  if (from.getMagic() != kHelloMagic) {
    return invalid_error("hello: not a sabir process");
  }
  HelloInfo hello;
  hello.min_version = from.getMinVersion();
  hello.max_version = from.getMaxVersion();
  hello.layout_hash = from.getLayoutHash();
  hello.library = to_string(from.getLibrary());
  switch (from.which()) {
    case schema::Hello::DRIVER: {
      auto envs = from.getDriver().getLanguageEnvs();
      if (envs.size() > kMaxLanguageEnvs) {
        return invalid_error("hello: too many language environments");
      }
      for (auto env : envs) {
        if (env.getArgv().size() > kMaxArguments) {
          return invalid_error("hello: too many arguments");
        }
        uint32_t slots = env.getSlotsPerProcess();
        if (slots == 0 || slots > kMaxSlotsPerProcess ||
            (slots > 1 && env.getMode() != schema::LanguageEnv::Mode::EXEC)) {
          return invalid_error("hello: " + std::to_string(slots) + " workers in a process: 1 to " +
                               std::to_string(kMaxSlotsPerProcess) +
                               ", more than one only where each is started by exec");
        }
      }
      hello.kind = HelloKind::kDriver;
      hello.job = read(from.getDriver());
      return hello;
    }
    case schema::Hello::WORKER:
      hello.kind = HelloKind::kWorker;
      hello.token = to_string(from.getWorker());
      return hello;
    case schema::Hello::OBSERVER:
      hello.kind = HelloKind::kObserver;
      return hello;
  }
  return unsupported_error("hello: a kind of process that this version does not know");
}

Result<WelcomeInfo> read_welcome(schema::Welcome::Reader from) {
  if (from.getFailure().getStatus() != 0) {
    return error_from(from.getFailure());
  }
  WelcomeInfo welcome;
  welcome.version = from.getVersion();
  welcome.session_id = to_string(from.getSessionId());
  welcome.node_id = to_string(from.getNodeId());
  welcome.process = {from.getSlot(), from.getIncarnation()};
  welcome.job = from.getJob();
  welcome.job_id = to_string(from.getJobId());
  welcome.job_config = read(from.getJobConfig());
  welcome.actor = read(from.getActor());
  welcome.session_path = to_string(from.getSessionPath());
  welcome.daemon_version = to_string(from.getDaemonVersion());
  welcome.language = from.getLanguage();
  return welcome;
}

}  // namespace

Result<uint32_t> decode_prefix(std::span<const uint8_t, kFramePrefixBytes> prefix, uint32_t max_frame_bytes) {
  uint32_t size_bytes = 0;
  for (size_t i = 0; i < kFramePrefixBytes; ++i) {
    size_bytes |= static_cast<uint32_t>(prefix[i]) << (8 * i);
  }
  if (size_bytes < sizeof(capnp::word) || size_bytes > max_frame_bytes || size_bytes % sizeof(capnp::word) != 0) {
    return invalid_error("no frame has " + std::to_string(size_bytes) + " bytes");
  }
  return size_bytes;
}

Result<std::string> encode_hello(const HelloInfo& hello) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Hello>();
  to.setMagic(kHelloMagic);
  to.setMinVersion(hello.min_version);
  to.setMaxVersion(hello.max_version);
  to.setLayoutHash(hello.layout_hash);
  to.setLibrary(text_of(hello.library));
  switch (hello.kind) {
    case HelloKind::kDriver:
      write(hello.job, to.initDriver());
      break;
    case HelloKind::kWorker:
      to.setWorker(text_of(hello.token));
      break;
    case HelloKind::kObserver:
      to.setObserver();
      break;
  }
  return checked(frame_of(message));
}

Result<HelloInfo> decode_hello(std::string_view message) {
  return decode_frame<schema::Hello, HelloInfo>(message, "hello", kFrameLimits, read_hello);
}

Result<std::string> encode_welcome(const WelcomeInfo& welcome) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Welcome>();
  to.setVersion(welcome.version);
  to.setSessionId(data_of(welcome.session_id));
  to.setNodeId(data_of(welcome.node_id));
  to.setSlot(welcome.process.slot);
  to.setIncarnation(welcome.process.incarnation);
  to.setJob(welcome.job);
  to.setJobId(data_of(welcome.job_id));
  write(welcome.job_config, to.initJobConfig());
  if (welcome.actor.present) {
    write(welcome.actor, to.initActor());
  }
  to.setSessionPath(text_of(welcome.session_path));
  to.setDaemonVersion(text_of(welcome.daemon_version));
  to.setLanguage(welcome.language);
  return checked(frame_of(message));
}

std::string encode_refusal(const Error& error, std::string_view daemon_version) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Welcome>();
  write(error, to.initFailure());
  to.setDaemonVersion(text_of(std::string(daemon_version)));
  return frame_of(message);
}

Result<WelcomeInfo> decode_welcome(std::string_view message) {
  return decode_frame<schema::Welcome, WelcomeInfo>(message, "welcome", kFrameLimits, read_welcome);
}

Result<uint32_t> choose_version(const HelloInfo& hello) {
  Release own = own_release();
  if (hello.min_version > own.protocol_version || hello.max_version < own.protocol_version) {
    std::string versions = std::to_string(hello.min_version);
    if (hello.max_version != hello.min_version) {
      versions += " to " + std::to_string(hello.max_version);
    }
    return unsupported_error("this session runs sabird " + own.version + ", which speaks protocol version " +
                             std::to_string(own.protocol_version) + ", and libsabir " + hello.library +
                             " speaks version " + versions + ": use the same release on both sides");
  }
  return own.protocol_version;
}

}  // namespace sabir::rpc
