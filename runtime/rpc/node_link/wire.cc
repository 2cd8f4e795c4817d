#include "runtime/rpc/node_link/wire.h"

#include <errno.h>
#include <sys/socket.h>

namespace sabir::node_link {

namespace {

class PlainWire final : public Wire {
 public:
  using Wire::Wire;

  IoResult handshake() override { return {IoStatus::kDone}; }

  IoResult read(std::span<uint8_t> into) override {
    while (true) {
      ssize_t size_bytes = recv(fd(), into.data(), into.size(), MSG_DONTWAIT);
      if (size_bytes > 0) {
        return done_reading(static_cast<size_t>(size_bytes));
      }
      if (size_bytes == 0) {
        return {IoStatus::kEnd};
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return {IoStatus::kWantRead};
      }
      if (errno != EINTR) {
        return fail_io(errno, "read from a node");
      }
    }
  }

  IoResult write(std::span<const uint8_t> bytes) override {
    while (true) {
      ssize_t size_bytes = send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size_bytes >= 0) {
        return done_writing(static_cast<size_t>(size_bytes));
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return {IoStatus::kWantWrite};
      }
      if (errno != EINTR) {
        return fail_io(errno, "write to a node");
      }
    }
  }

  IoResult end_writing() override {
    shutdown(fd(), SHUT_WR);
    return {IoStatus::kDone};
  }

  std::optional<Fingerprint> peer_fingerprint() const override { return std::nullopt; }
};

}  // namespace

IoResult Wire::fail_io(int error_number, const char* what) {
  Error error = Error::from_errno(error_number, what);
  switch (error_number) {
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
      return fail(disconnected_error(error.message()));
    default:
      return fail(std::move(error));
  }
}

std::unique_ptr<Wire> make_plain_wire(UniqueFd socket) { return std::make_unique<PlainWire>(std::move(socket)); }

}  // namespace sabir::node_link
