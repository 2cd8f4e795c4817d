#include "runtime/loop/socket_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <kj/debug.h>
#include <kj/vector.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>

namespace sabir::loop {

namespace {

kj::Exception io_failure(const char* what, int error_number) {
  bool gone = error_number == EPIPE || error_number == ECONNRESET || error_number == ENOTCONN;
  return kj::Exception(gone ? kj::Exception::Type::DISCONNECTED : kj::Exception::Type::FAILED, __FILE__, __LINE__,
                       kj::str(what, ": ", strerror(error_number)));
}

bool would_block(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

}  // namespace

// What is still to be written; the bytes themselves are the caller's.
struct SocketStream::Pieces {
  kj::Vector<iovec> parts;
  size_t next = 0;
  kj::Vector<int> fds;  // go with the next byte

  bool done() const { return next == parts.size(); }

  ssize_t send(int socket) {
    msghdr message{};
    message.msg_iov = parts.begin() + next;
    message.msg_iovlen = std::min<size_t>(parts.size() - next, IOV_MAX);
    constexpr size_t kMaxFds = 16;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFds)] = {};
    if (fds.size() > 0) {
      KJ_REQUIRE(fds.size() <= kMaxFds, "too many descriptors in one message");
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
      memcpy(CMSG_DATA(header), fds.begin(), sizeof(int) * fds.size());
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  // Nothing is left over as an empty part: a send of no bytes at all would look like progress for ever.
  void skip_empty() {
    while (!done() && parts[next].iov_len == 0) {
      ++next;
    }
  }

  void advance(size_t sent_bytes) {
    fds.clear();
    while (!done() && sent_bytes >= parts[next].iov_len) {
      sent_bytes -= parts[next].iov_len;
      ++next;
    }
    if (sent_bytes > 0) {
      parts[next].iov_base = static_cast<char*>(parts[next].iov_base) + sent_bytes;
      parts[next].iov_len -= sent_bytes;
    }
    skip_empty();
  }
};

SocketStream::SocketStream(UniqueFd socket, kj::Own<Readiness> readiness)
    : socket_(std::move(socket)), readiness_(kj::mv(readiness)) {
  int flags = 0;
  KJ_SYSCALL(flags = fcntl(socket_.get(), F_GETFL));
  KJ_SYSCALL(fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK));
}

SocketStream::~SocketStream() noexcept(false) {
  write_disconnected_ = nullptr;
  readiness_ = nullptr;
}

kj::Promise<size_t> SocketStream::tryRead(void* buffer, size_t min_bytes, size_t max_bytes) {
  return read_on(static_cast<kj::byte*>(buffer), min_bytes, max_bytes, 0);
}

kj::Promise<size_t> SocketStream::read_on(kj::byte* buffer, size_t min_bytes, size_t max_bytes, size_t done_bytes) {
  while (true) {
    ssize_t count = recv(socket_.get(), buffer + done_bytes, max_bytes - done_bytes, MSG_DONTWAIT);
    if (count > 0) {
      done_bytes += static_cast<size_t>(count);
      if (done_bytes >= min_bytes) {
        return done_bytes;
      }
    } else if (count == 0) {
      return done_bytes;
    } else if (would_block(errno)) {
      if (done_bytes >= min_bytes) {
        return done_bytes;
      }
      return readiness_->when_readable().then([this, buffer, min_bytes, max_bytes, done_bytes] {
        return read_on(buffer, min_bytes, max_bytes, done_bytes);
      });
    } else if (errno != EINTR) {
      return io_failure("read from a socket", errno);
    }
  }
}

kj::Promise<void> SocketStream::write(const void* buffer, size_t size_bytes) {
  auto pieces = kj::heap<Pieces>();
  pieces->parts.add(iovec{const_cast<void*>(buffer), size_bytes});
  return write_on(kj::mv(pieces));
}

kj::Promise<void> SocketStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  auto rest = kj::heap<Pieces>();
  rest->parts.reserve(pieces.size());
  for (auto piece : pieces) {
    rest->parts.add(iovec{const_cast<kj::byte*>(piece.begin()), piece.size()});
  }
  return write_on(kj::mv(rest));
}

kj::Promise<void> SocketStream::write_with_fds(kj::ArrayPtr<const kj::byte> bytes, kj::ArrayPtr<const int> fds) {
  auto pieces = kj::heap<Pieces>();
  pieces->parts.add(iovec{const_cast<kj::byte*>(bytes.begin()), bytes.size()});
  pieces->fds.addAll(fds);
  return write_on(kj::mv(pieces));
}

kj::Promise<void> SocketStream::write_on(kj::Own<Pieces> pieces) {
  pieces->skip_empty();
  while (!pieces->done()) {
    ssize_t count = pieces->send(socket_.get());
    if (count >= 0) {
      pieces->advance(static_cast<size_t>(count));
    } else if (would_block(errno)) {
      return readiness_->when_writable().then(
          [this, pieces = kj::mv(pieces)]() mutable { return write_on(kj::mv(pieces)); });
    } else if (errno != EINTR) {
      return io_failure("write to a socket", errno);
    }
  }
  return kj::READY_NOW;
}

kj::Promise<void> SocketStream::whenWriteDisconnected() {
  KJ_IF_MAYBE (forked, write_disconnected_) {
    return forked->addBranch();
  }
  auto promise = readiness_->when_hung_up().then([this]() -> kj::Promise<void> {
    // A peer that only writes no more may still read. It cannot be watched further without a busy loop, so such a
    // stream hears of the end by its next write.
    pollfd state{socket_.get(), 0, 0};
    if (poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0) {
      return kj::READY_NOW;
    }
    return kj::NEVER_DONE;
  });
  auto forked = promise.fork();
  auto branch = forked.addBranch();
  write_disconnected_ = kj::mv(forked);
  return branch;
}

void SocketStream::shutdownWrite() { shutdown(socket_.get(), SHUT_WR); }

void SocketStream::abortRead() { shutdown(socket_.get(), SHUT_RD); }

void SocketStream::getsockopt(int level, int option, void* value, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getsockopt(socket_.get(), level, option, value, &size));
  *length = size;
}

void SocketStream::setsockopt(int level, int option, const void* value, kj::uint length) {
  KJ_SYSCALL(::setsockopt(socket_.get(), level, option, value, length));
}

}  // namespace sabir::loop
