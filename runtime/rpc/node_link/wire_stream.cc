#include "runtime/rpc/node_link/wire_stream.h"

#include <kj/debug.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sabir::node_link {

namespace {

// One record of TLS.
constexpr size_t kGatherBytes = 16 << 10;

}  // namespace

// What is still to be written; the bytes themselves are the caller's, but for those gathered here.
struct WireStream::Pieces {
  explicit Pieces(WireStream& stream) : stream(stream) { ++stream.writes_; }
  ~Pieces() { --stream.writes_; }
  KJ_DISALLOW_COPY(Pieces);

  // The next bytes to write; empty: none are left. What was given out and not yet written is given out again.
  std::span<const uint8_t> next() {
    if (gathered.empty()) {
      gather();
    }
    return gathered;
  }

  void gather() {
    skip_empty();
    if (parts.size() - index == 1 || (index < parts.size() && parts[index].size() - offset >= kGatherBytes)) {
      gathered = {parts[index].begin() + offset, parts[index].size() - offset};
      ++index;
      offset = 0;
      return;
    }
    size_t size_bytes = 0;
    while (index < parts.size() && size_bytes < buffer.size()) {
      size_t count = std::min(buffer.size() - size_bytes, parts[index].size() - offset);
      memcpy(buffer.data() + size_bytes, parts[index].begin() + offset, count);
      size_bytes += count;
      offset += count;
      skip_empty();
    }
    gathered = {buffer.data(), size_bytes};
  }

  void skip_empty() {
    while (index < parts.size() && offset == parts[index].size()) {
      ++index;
      offset = 0;
    }
  }

  WireStream& stream;
  kj::Array<kj::ArrayPtr<const kj::byte>> parts;
  size_t index = 0;
  size_t offset = 0;  // in parts[index]
  std::span<const uint8_t> gathered;
  std::array<uint8_t, kGatherBytes> buffer;
};

WireStream::WireStream(std::unique_ptr<Wire> wire, kj::Own<loop::Readiness> readiness)
    : wire_(std::move(wire)), readiness_(kj::mv(readiness)) {}

WireStream::~WireStream() noexcept(false) { readiness_ = nullptr; }

kj::Exception WireStream::failure() {
  over_ = true;
  if (cut_) {
    return KJ_EXCEPTION(DISCONNECTED, "this node has cut the connection");
  }
  bool gone = wire_->error().kind() == ErrorKind::kDisconnected;
  return kj::Exception(gone ? kj::Exception::Type::DISCONNECTED : kj::Exception::Type::FAILED, __FILE__, __LINE__,
                       kj::str(wire_->error().message().c_str()));
}

kj::Promise<size_t> WireStream::tryRead(void* buffer, size_t min_bytes, size_t max_bytes) {
  return read_on(static_cast<kj::byte*>(buffer), min_bytes, max_bytes, 0);
}

kj::Promise<size_t> WireStream::read_on(kj::byte* buffer, size_t min_bytes, size_t max_bytes, size_t done_bytes) {
  while (done_bytes < max_bytes) {
    if (cut_) {
      return failure();
    }
    IoResult result = wire_->read({buffer + done_bytes, max_bytes - done_bytes});
    switch (result.status) {
      case IoStatus::kDone:
        done_bytes += result.size_bytes;
        if (done_bytes >= min_bytes) {
          return done_bytes;
        }
        break;
      case IoStatus::kEnd:
        over_ = true;
        return done_bytes;
      case IoStatus::kFailed:
        return failure();
      // No side asks the other to change keys, so a read never has something to write first.
      case IoStatus::kWantWrite:
        return KJ_EXCEPTION(FAILED, "the peer asks for what no node asks for");
      case IoStatus::kWantRead:
        return readiness_->when_readable().then([this, buffer, min_bytes, max_bytes, done_bytes] {
          return read_on(buffer, min_bytes, max_bytes, done_bytes);
        });
    }
  }
  return done_bytes;
}

kj::Promise<void> WireStream::write(const void* buffer, size_t size_bytes) {
  auto pieces = kj::heap<Pieces>(*this);
  pieces->parts = kj::heapArray<kj::ArrayPtr<const kj::byte>>(1);
  pieces->parts[0] = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size_bytes);
  return write_on(kj::mv(pieces));
}

kj::Promise<void> WireStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> parts) {
  auto pieces = kj::heap<Pieces>(*this);
  pieces->parts = kj::heapArray<kj::ArrayPtr<const kj::byte>>(parts);
  return write_on(kj::mv(pieces));
}

kj::Promise<void> WireStream::write_on(kj::Own<Pieces> pieces) {
  while (true) {
    std::span<const uint8_t> bytes = pieces->next();
    if (bytes.empty()) {
      return kj::READY_NOW;
    }
    if (cut_) {
      return failure();
    }
    IoResult result = wire_->write(bytes);
    switch (result.status) {
      case IoStatus::kDone:
        pieces->gathered = bytes.subspan(result.size_bytes);
        break;
      case IoStatus::kWantWrite:
        return readiness_->when_writable().then(
            [this, pieces = kj::mv(pieces)]() mutable { return write_on(kj::mv(pieces)); });
      case IoStatus::kFailed:
        return failure();
      case IoStatus::kWantRead:
      case IoStatus::kEnd:
        return KJ_EXCEPTION(FAILED, "the peer asks for what no node asks for");
    }
  }
}

kj::Promise<void> WireStream::whenWriteDisconnected() {
  return readiness_->when_hung_up().then([this]() -> kj::Promise<void> {
    // As in loop::SocketStream: who only writes no more may still read.
    pollfd state{wire_->fd(), 0, 0};
    if (poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0) {
      return kj::READY_NOW;
    }
    return kj::NEVER_DONE;
  });
}

void WireStream::cut() {
  if (!std::exchange(cut_, true)) {
    over_ = true;
    (void)wire_->end_writing();
    // Wakes a read that waits.
    shutdown(wire_->fd(), SHUT_RDWR);
  }
}

void WireStream::shutdownWrite() { (void)wire_->end_writing(); }

void WireStream::abortRead() { shutdown(wire_->fd(), SHUT_RD); }

void WireStream::getsockopt(int level, int option, void* value, kj::uint* length) {
  socklen_t size_bytes = *length;
  KJ_SYSCALL(::getsockopt(wire_->fd(), level, option, value, &size_bytes));
  *length = size_bytes;
}

uint64_t WireStream::acknowledged_bytes() const {
  tcp_info info{};
  socklen_t size_bytes = sizeof(info);
  return ::getsockopt(wire_->fd(), IPPROTO_TCP, TCP_INFO, &info, &size_bytes) == 0 ? info.tcpi_bytes_acked : 0;
}

}  // namespace sabir::node_link
