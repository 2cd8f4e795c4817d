#include "runtime/rpc/node_link/login.h"

#include <sys/socket.h>

#include <utility>

namespace sabir::node_link {

namespace {

// The first byte of whoever speaks TLS: a handshake record.
constexpr char kTlsFirstByte = 0x16;
// A fatal alert, no_application_protocol: "not this protocol here".
constexpr char kTlsAlert[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x78};

}  // namespace

Login::Login(const LoginContext& context, UniqueFd socket, int64_t timeout_ns, std::function<void(Failure)> on_done)
    : context_(context),
      on_done_(std::move(on_done)),
      address_(peer_address(socket.get())),
      io_(context.loop, timeout_ns) {
  // Plain until the first byte says what is spoken.
  io_.use(make_plain_wire(std::move(socket)));
  io_.when_ready(loop::kReadable, [this](Failure failure) {
    if (failure.refusal != Refusal::kNone) {
      return end(std::move(failure));
    }
    char first = 0;
    if (recv(io_.wire().fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
      return end({Refusal::kUnreachable, "closed without a word"});
    }
    bool speaks_tls = first == kTlsFirstByte;
    if (context_.tls == nullptr && speaks_tls) {
      refused_ = {Refusal::kMalformed, "a TLS client, and this node was started with --insecure"};
      return send_and_finish({kTlsAlert, sizeof(kTlsAlert)});
    }
    if (context_.tls != nullptr && !speaks_tls) {
      return refuse({Refusal::kNeedsTls, "this node speaks TLS only, and the other side plain text"});
    }
    if (speaks_tls) {
      UniqueFd taken = io_.take_wire()->release();
      io_.use(context_.tls->accept(std::move(taken)));
    }
    io_.handshake([this](Failure handshake) {
      if (handshake.refusal != Refusal::kNone) {
        return end(std::move(handshake));
      }
      io_.receive([this](Failure received, const std::string& message) { on_hello(std::move(received), message); });
    });
  });
}

void Login::on_hello(Failure failure, const std::string& message) {
  if (failure.refusal == Refusal::kNone) {
    failure = judge(message);
  }
  if (failure.refusal != Refusal::kNone) {
    return refuse(std::move(failure));
  }
  welcome();
}

Failure Login::judge(const std::string& message) {
  auto hello = decode_hello(message);
  if (!hello.ok()) {
    bool unsupported = hello.error().kind() == ErrorKind::kUnsupported;
    return {unsupported ? Refusal::kVersion : Refusal::kMalformed, hello.error().message()};
  }
  hello_ = std::move(hello).value();
  verdict_ = judge_hello(hello_, io_.wire().peer_fingerprint(), context_.local, context_.members, context_.tokens,
                         context_.clock.now_ns());
  if (verdict_.failure.refusal != Refusal::kNone) {
    return verdict_.failure;
  }
  return context_.handler.on_offer(hello_.node, hello_.lane, verdict_.joiner);
}

void Login::welcome() {
  Welcome welcome;
  welcome.version = verdict_.version;
  welcome.release = context_.local.release;
  welcome.node = context_.local.node;
  welcome.cluster = context_.local.cluster;
  io_.send(encode_welcome(welcome), [this](Failure failure) {
    if (failure.refusal != Refusal::kNone) {
      return end(std::move(failure));
    }
    Established established;
    established.wire = io_.take_wire();
    established.peer = hello_.node;
    established.fingerprint = established.wire->peer_fingerprint();
    established.address = address_;
    established.release = hello_.release;
    established.cluster = context_.local.cluster;
    established.version = verdict_.version;
    established.lane = hello_.lane;
    established.joiner = verdict_.joiner;
    PortHandler& handler = context_.handler;
    end({});
    handler.on_accepted(std::move(established));
  });
}

void Login::refuse(Failure failure) {
  Welcome welcome;
  welcome.failure = failure;
  welcome.release = context_.local.release;
  refused_ = std::move(failure);
  send_and_finish(encode_welcome(welcome));
}

void Login::send_and_finish(std::string bytes) {
  io_.send(std::move(bytes), [this](const Failure& sent) {
    if (sent.refusal != Refusal::kNone) {
      return end(std::move(refused_));
    }
    io_.finish([this](const Failure&) { end(std::move(refused_)); });
  });
}

void Login::end(Failure failure) {
  // It may destroy this object.
  std::exchange(on_done_, nullptr)(std::move(failure));
}

}  // namespace sabir::node_link
