#include "runtime/rpc/node_link/login_io.h"

#include <array>
#include <utility>

#include "runtime/rpc/frame.h"

namespace sabir::node_link {

namespace {

// What is read of a peer that was refused.
constexpr uint64_t kMaxDroppedBytes = 256 << 10;

uint8_t* bytes_at(std::string& buffer, size_t offset) { return reinterpret_cast<uint8_t*>(buffer.data()) + offset; }

}  // namespace

LoginIo::LoginIo(loop::EventLoop& loop, int64_t timeout_ns)
    : loop_(loop),
      deadline_(loop,
                [this] {
                  late_ = true;
                  if (step_ != Step::kNone) {
                    end({Refusal::kTimeout, "the login took too long"});
                  }
                }),
      next_round_(loop, [this] { advance(); }) {
  deadline_.start_once(timeout_ns);
}

void LoginIo::use(std::unique_ptr<Wire> wire) {
  watcher_.reset();
  wire_ = std::move(wire);
}

std::unique_ptr<Wire> LoginIo::take_wire() {
  watcher_.reset();
  return std::move(wire_);
}

void LoginIo::when_ready(uint32_t interest, Done done) {
  interest_ = interest;
  start(Step::kReady, std::move(done));
}

void LoginIo::handshake(Done done) { start(Step::kHandshake, std::move(done)); }

void LoginIo::send(std::string bytes, Done done) {
  buffer_ = std::move(bytes);
  done_bytes_ = 0;
  start(Step::kSend, std::move(done));
}

void LoginIo::receive(Received received) {
  buffer_.assign(rpc::kFramePrefixBytes, '\0');
  done_bytes_ = 0;
  start(Step::kReceive,
        [this, received = std::move(received)](Failure failure) { received(std::move(failure), std::move(buffer_)); });
}

void LoginIo::finish(Done done) {
  (void)wire_->end_writing();
  start(Step::kFinish, std::move(done));
}

void LoginIo::start(Step step, Done done) {
  step_ = step;
  done_ = std::move(done);
  next_round_.start_once(0);
}

void LoginIo::advance() {
  if (step_ == Step::kNone) {
    return;
  }
  if (late_) {
    return end({Refusal::kTimeout, "the login took too long"});
  }
  if (watcher_ == nullptr) {
    auto watcher = loop::FdWatcher::create(loop_, wire_->fd(), [this](uint32_t) {
      watcher_->watch(0);
      interest_ = 0;
      advance();
    });
    if (!watcher.ok()) {
      return end({Refusal::kUnreachable, watcher.error().message()});
    }
    watcher_ = std::move(watcher).value();
  }
  IoResult result = work();
  switch (result.status) {
    case IoStatus::kWantRead:
      return watcher_->watch(loop::kReadable);
    case IoStatus::kWantWrite:
      return watcher_->watch(loop::kWritable);
    default:
      return end(failure_of(result));
  }
}

// Until the step is done or cannot go on; kDone: it is done.
IoResult LoginIo::work() {
  switch (step_) {
    case Step::kReady:
      if (interest_ == 0) {
        return {IoStatus::kDone};
      }
      return {interest_ == loop::kReadable ? IoStatus::kWantRead : IoStatus::kWantWrite};
    case Step::kHandshake:
      return wire_->handshake();
    case Step::kSend:
      while (done_bytes_ < buffer_.size()) {
        IoResult result = wire_->write({bytes_at(buffer_, done_bytes_), buffer_.size() - done_bytes_});
        if (result.status != IoStatus::kDone) {
          return result;
        }
        done_bytes_ += result.size_bytes;
      }
      return {IoStatus::kDone};
    case Step::kReceive:
      while (done_bytes_ < buffer_.size()) {
        IoResult result = wire_->read({bytes_at(buffer_, done_bytes_), buffer_.size() - done_bytes_});
        if (result.status != IoStatus::kDone) {
          return result;
        }
        done_bytes_ += result.size_bytes;
        if (done_bytes_ == rpc::kFramePrefixBytes && buffer_.size() == rpc::kFramePrefixBytes) {
          auto size_bytes = decode_login_prefix(buffer_);
          if (!size_bytes.ok()) {
            return {IoStatus::kDone};
          }
          buffer_.resize(rpc::kFramePrefixBytes + *size_bytes);
        }
      }
      return {IoStatus::kDone};
    case Step::kFinish: {
      std::array<uint8_t, 4096> dropped;
      while (dropped_bytes_ < kMaxDroppedBytes) {
        IoResult result = wire_->read(dropped);
        if (result.status != IoStatus::kDone) {
          return result.status == IoStatus::kEnd ? IoResult{IoStatus::kDone} : result;
        }
        dropped_bytes_ += result.size_bytes;
      }
      return {IoStatus::kDone};
    }
    case Step::kNone:
      break;
  }
  return {IoStatus::kDone};
}

Failure LoginIo::failure_of(const IoResult& result) {
  if (result.status == IoStatus::kEnd) {
    return {Refusal::kUnreachable, "the other side closed the connection during the login"};
  }
  if (result.status == IoStatus::kFailed) {
    switch (wire_->trouble()) {
      case HandshakeTrouble::kWrongFingerprint:
        return {Refusal::kWrongFingerprint,
                "the node has another certificate than expected: not the node that was meant, or it got a new one"};
      case HandshakeTrouble::kPeerRefusesTls:
        return {Refusal::kNeedsPlain, "the node was started with --insecure"};
      case HandshakeTrouble::kPeerIsPlain:
        return {Refusal::kMalformed, "the other side does not speak TLS"};
      case HandshakeTrouble::kNone:
        break;
    }
    bool gone = wire_->error().kind() == ErrorKind::kDisconnected;
    return {gone ? Refusal::kUnreachable : Refusal::kMalformed, wire_->error().message()};
  }
  if (step_ == Step::kReceive && buffer_.size() == rpc::kFramePrefixBytes) {
    return {Refusal::kMalformed, "not a sabir node"};
  }
  return {};
}

void LoginIo::end(Failure failure) {
  bool received = step_ == Step::kReceive && failure.refusal == Refusal::kNone;
  step_ = Step::kNone;
  next_round_.stop();
  if (watcher_ != nullptr) {
    watcher_->watch(0);
  }
  if (received) {
    buffer_.erase(0, rpc::kFramePrefixBytes);
  }
  // The callback may destroy this object.
  std::exchange(done_, nullptr)(std::move(failure));
}

}  // namespace sabir::node_link
