#include "runtime/rpc/node_link/dial.h"

#include <errno.h>
#include <string.h>

#include <utility>

#include "runtime/base/check.h"

namespace sabir::node_link {

Dial::Dial(loop::EventLoop& loop, DialTarget target, Hello hello, DialOptions options, Done done)
    : loop_(loop),
      target_(std::move(target)),
      hello_(std::move(hello)),
      options_(options),
      done_(std::move(done)),
      io_(loop, options.timeout_ns),
      deadline_(loop,
                [this] {
                  end({Refusal::kTimeout, "connect to " + target_.address.text()});
                }),
      connect_deadline_(loop, [this] { on_connected(false); }),
      last_{Refusal::kUnreachable, "no address"} {
  SABIR_CHECK((target_.tls != nullptr) == target_.fingerprint.has_value());
  deadline_.start_once(options.timeout_ns);
  lookup_.emplace(loop, target_.address, [this](Result<Addresses> addresses) {
    if (!addresses.ok()) {
      return end({Refusal::kUnreachable, addresses.error().message()});
    }
    addresses_ = std::move(addresses).value();
    try_next();
  });
}

void Dial::try_next() {
  watcher_.reset();
  socket_.reset();
  while (next_ < addresses_.size()) {
    const SocketAddress& address = addresses_[next_++];
    auto socket = start_connect(address, options_.socket);
    if (!socket.ok()) {
      last_ = {Refusal::kUnreachable, socket.error().message()};
      continue;
    }
    socket_ = std::move(socket).value();
    auto watcher = loop::FdWatcher::create(loop_, socket_.get(), [this](uint32_t) { on_connected(true); });
    if (!watcher.ok()) {
      last_ = {Refusal::kUnreachable, watcher.error().message()};
      continue;
    }
    watcher_ = std::move(watcher).value();
    watcher_->watch(loop::kWritable);
    connect_deadline_.start_once(options_.connect_timeout_ns);
    return;
  }
  end(std::move(last_));
}

void Dial::on_connected(bool ready) {
  connect_deadline_.stop();
  const SocketAddress& address = addresses_[next_ - 1];
  int error_number = ready ? connect_error(socket_.get()) : ETIMEDOUT;
  if (error_number != 0) {
    last_ = {ready ? Refusal::kUnreachable : Refusal::kTimeout,
             "connect to " + address.text() + ": " + strerror(error_number)};
    return try_next();
  }
  watcher_.reset();
  io_.use(target_.tls != nullptr ? target_.tls->dial(std::move(socket_), *target_.fingerprint)
                                 : make_plain_wire(std::move(socket_)));
  io_.handshake([this](Failure failure) { on_handshake(std::move(failure)); });
}

void Dial::on_handshake(Failure failure) {
  if (failure.refusal != Refusal::kNone) {
    return end(std::move(failure));
  }
  io_.send(encode_hello(hello_), [this](Failure sent) {
    // Whoever refuses early says why before it closes.
    last_ = std::move(sent);
    io_.receive([this](Failure received, const std::string& message) { on_welcome(std::move(received), message); });
  });
}

void Dial::on_welcome(Failure failure, const std::string& message) {
  if (failure.refusal != Refusal::kNone) {
    return end(std::move(failure));
  }
  auto welcome = decode_welcome(message);
  if (!welcome.ok()) {
    return end({Refusal::kMalformed, welcome.error().message()});
  }
  failure = judge_welcome(*welcome, hello_);
  if (failure.refusal != Refusal::kNone) {
    return end(std::move(failure));
  }
  Established established;
  established.wire = io_.take_wire();
  established.peer = welcome->node;
  established.fingerprint = established.wire->peer_fingerprint();
  established.address = peer_address(established.wire->fd());
  established.release = welcome->release;
  established.cluster = welcome->cluster;
  established.version = welcome->version;
  established.lane = hello_.lane;
  end({}, std::move(established));
}

void Dial::end(Failure failure, Established established) {
  deadline_.stop();
  connect_deadline_.stop();
  if (Done done = std::exchange(done_, nullptr)) {
    // It may destroy this object.
    done(std::move(failure), std::move(established));
  }
}

}  // namespace sabir::node_link
