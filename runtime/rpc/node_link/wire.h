// Wire: a connected TCP socket, encrypted or plain, without waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/rpc/node_link/identity.h"

namespace sabir::node_link {

enum class IoStatus : uint8_t {
  kDone,       // some bytes, at least one; a handshake: complete
  kWantRead,   // again when the socket is readable
  kWantWrite,  // again when the socket is writable; a write then with the same bytes
  kEnd,        // the peer has ended its writing, in order
  kFailed,     // error() says why; nothing more will come or go
};

// What a handshake failed for, where that tells the user what to do.
enum class HandshakeTrouble : uint8_t {
  kNone,
  kWrongFingerprint,  // the peer has another certificate than expected
  kPeerIsPlain,       // what came is not TLS
  kPeerRefusesTls,    // the peer said that it speaks plain TCP
};

struct IoResult {
  IoStatus status;
  size_t size_bytes = 0;
};

// Used by one thread at a time. Whoever waits for the socket has read until kWantRead before: bytes may lie here that
// the kernel knows nothing of.
class Wire {
 public:
  explicit Wire(UniqueFd socket) : socket_(std::move(socket)) {}
  virtual ~Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  virtual IoResult handshake() = 0;
  // Neither takes an empty span.
  virtual IoResult read(std::span<uint8_t> into) = 0;
  virtual IoResult write(std::span<const uint8_t> bytes) = 0;
  // Tells the peer that no more comes. kDone, kWantWrite or kFailed.
  virtual IoResult end_writing() = 0;
  // After the handshake; none on a plain wire, or if the peer showed no certificate.
  virtual std::optional<Fingerprint> peer_fingerprint() const = 0;

  int fd() const { return socket_.get(); }
  // The socket alone. Of a plain wire only: one with TLS has a state that would be lost.
  UniqueFd release() { return std::move(socket_); }
  HandshakeTrouble trouble() const { return trouble_; }
  // Why kFailed. A peer that is gone or does not answer any more is kDisconnected.
  const Error& error() const { return error_; }
  // Bytes of the user's that the socket has taken.
  uint64_t written_bytes() const { return written_bytes_; }
  uint64_t read_bytes() const { return read_bytes_; }

 protected:
  IoResult fail(Error error) {
    error_ = std::move(error);
    return {IoStatus::kFailed};
  }
  IoResult fail_io(int error_number, const char* what);
  IoResult done_reading(size_t size_bytes) {
    read_bytes_ += size_bytes;
    return {IoStatus::kDone, size_bytes};
  }
  IoResult done_writing(size_t size_bytes) {
    written_bytes_ += size_bytes;
    return {IoStatus::kDone, size_bytes};
  }

  HandshakeTrouble trouble_ = HandshakeTrouble::kNone;

 private:
  UniqueFd socket_;
  Error error_ = internal_error("nothing failed");
  uint64_t written_bytes_ = 0;
  uint64_t read_bytes_ = 0;
};

// TCP as it is (`insecure`). Its handshake is done at once.
std::unique_ptr<Wire> make_plain_wire(UniqueFd socket);

}  // namespace sabir::node_link
