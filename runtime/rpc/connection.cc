#include "runtime/rpc/connection.h"

#include <kj/debug.h>

#include <array>
#include <utility>

#include "runtime/rpc/frame.h"
#include "runtime/rpc/session_service.h"

namespace sabir::rpc {

namespace {

// As for every Cap'n Proto reader of the project.
constexpr int kNestingLimit = 64;

// Lets the holder of a NoticeSink end the connection.
struct CloseSignal {
  kj::ForkedPromise<void> promise;
  std::function<void()> fire;
};

CloseSignal make_close_signal() {
  auto pair = kj::newPromiseAndFulfiller<void>();
  auto fulfiller = std::make_shared<kj::Own<kj::PromiseFulfiller<void>>>(kj::mv(pair.fulfiller));
  return {pair.promise.fork(), [fulfiller] { (*fulfiller)->fulfill(); }};
}

}  // namespace

Connection::Connection(const ConnectionContext& context, UniqueFd socket, PeerCredentials peer)
    : context_(context),
      peer_(std::move(peer)),
      stream_(context.kj_loop.stream(std::move(socket))),
      closed_(nullptr),
      messages_(*stream_, {.max_message_bytes = context.options.max_message_bytes,
                           .max_open_questions = 2 * context.options.max_calls_in_flight,
                           .budget = &context.budget}) {
  CloseSignal close = make_close_signal();
  closed_ = kj::mv(close.promise);
  notices_ = Notices::make(std::move(close.fire));
}

Connection::~Connection() noexcept(false) {
  rpc_ = nullptr;
  network_ = nullptr;
  notices_->detach();
  if (joined_) {
    context_.handler.on_disconnect(process_);
  }
}

kj::Promise<void> Connection::run() {
  auto late = context_.kj_loop.delay(context_.options.hello_timeout_ns).then([]() -> kj::Promise<void> {
    return KJ_EXCEPTION(OVERLOADED, "no hello in time");
  });
  return read_hello()
      .exclusiveJoin(kj::mv(late))
      .then([this]() -> kj::Promise<void> { return welcomed_ ? serve() : kj::READY_NOW; })
      .exclusiveJoin(closed_.addBranch())
      .then([this] { log_end("closed"); },
            [this](kj::Exception&& exception) { log_end(exception.getDescription().cStr()); });
}

kj::Promise<void> Connection::read_hello() {
  auto prefix = kj::heapArray<kj::byte>(kFramePrefixBytes);
  auto read = stream_->read(prefix.begin(), prefix.size());
  return read.then([this, prefix = kj::mv(prefix)]() -> kj::Promise<void> {
    auto size_bytes = decode_prefix(std::span<const uint8_t, kFramePrefixBytes>(prefix.begin(), kFramePrefixBytes),
                                    context_.options.max_frame_bytes);
    if (!size_bytes.ok()) {
      return KJ_EXCEPTION(FAILED, "bad frame", size_bytes.error().message().c_str());
    }
    auto share = context_.budget.take(*size_bytes);
    if (!share) {
      return refuse(exhausted_error("the node has no room for a hello of this size now"));
    }
    // Not initialised: what is only announced costs nothing yet.
    auto message = kj::heapArray<char>(*size_bytes);
    auto read = stream_->read(message.begin(), message.size());
    return read.then([this, message = kj::mv(message), share = std::move(*share)] {
      return answer_hello({message.begin(), message.size()});
    });
  });
}

kj::Promise<void> Connection::answer_hello(std::string_view message) {
  auto hello = decode_hello(message);
  if (!hello.ok()) {
    return refuse(hello.error());
  }
  auto version = choose_version(*hello);
  if (!version.ok()) {
    return refuse(version.error());
  }
  HelloKind kind = hello->kind;
  // The pid and uid stay, for the log.
  PeerCredentials peer{peer_.uid, peer_.pid, std::move(peer_.pidfd)};
  auto welcomed = context_.handler.on_hello(std::move(hello).value(), std::move(peer));
  if (!welcomed.ok()) {
    return refuse(welcomed.error());
  }
  welcomed->version = *version;
  return welcome(kind, std::move(welcomed).value());
}

kj::Promise<void> Connection::welcome(HelloKind kind, WelcomeInfo welcome) {
  process_ = welcome.process;
  observer_ = kind == HelloKind::kObserver;
  joined_ = !observer_;
  auto fds = kj::heapArrayBuilder<int>(kWelcomeFds);
  for (const UniqueFd* fd : {&welcome.node_fd, &welcome.calls_fd, &welcome.objects_fd, &welcome.daemon_doorbell_fd}) {
    if (joined_ && !fd->valid()) {
      return KJ_EXCEPTION(FAILED, "a welcome without its segments");
    }
    if (joined_) {
      fds.add(fd->get());
    }
  }
  auto frame = encode_welcome(welcome);
  if (!frame.ok()) {
    return refuse(frame.error());
  }
  auto bytes = std::make_unique<std::string>(std::move(frame).value());
  auto fd_array = fds.finish();
  auto write =
      stream_->write_with_fds(kj::arrayPtr(reinterpret_cast<const kj::byte*>(bytes->data()), bytes->size()), fd_array);
  // The descriptors are open until the kernel has taken them.
  return write.then([this] { welcomed_ = true; })
      .attach(std::move(bytes), kj::mv(fd_array), kj::heap<WelcomeInfo>(std::move(welcome)));
}

kj::Promise<void> Connection::refuse(const Error& error) {
  context_.logger.info("refused pid=", peer_.pid, " uid=", peer_.uid, ": ", error.to_string());
  auto frame = std::make_unique<std::string>(encode_refusal(error));
  return stream_->write(frame->data(), frame->size()).attach(std::move(frame));
}

kj::Promise<void> Connection::serve() {
  capnp::ReaderOptions reader;
  reader.traversalLimitInWords = context_.options.max_message_bytes / sizeof(capnp::word);
  reader.nestingLimit = kNestingLimit;
  auto network = kj::heap<capnp::TwoPartyVatNetwork>(messages_, capnp::rpc::twoparty::Side::SERVER, reader);
  auto& rpc = rpc_.emplace(capnp::makeRpcServer(
      *network,
      make_session_service({.handler = context_.handler,
                            .options = context_.options,
                            .process = process_,
                            .observer = observer_,
                            .notices = notices_,
                            .delay = [&kj_loop = context_.kj_loop](int64_t ns) { return kj_loop.delay(ns); }})));
  rpc.setFlowLimit(context_.options.max_call_bytes / sizeof(capnp::word));
  auto gone = network->onDisconnect();
  network_ = kj::mv(network);
  if (joined_) {
    context_.handler.on_ready(process_, notices_);
  }
  return gone;
}

void Connection::log_end(std::string_view why) {
  if (!messages_.violation().empty()) {
    context_.logger.warning("closed the connection of pid=", peer_.pid, " uid=", peer_.uid, ": ",
                            messages_.violation());
  } else if (welcomed_) {
    context_.logger.debug("connection of pid=", peer_.pid, " slot=", process_.slot, " ended: ", why);
  } else {
    context_.logger.info("connection of pid=", peer_.pid, " uid=", peer_.uid, " ended before it joined: ", why);
  }
}

}  // namespace sabir::rpc
