// SocketStream: a KJ stream over a connected Unix socket, on whatever loop says when the socket is ready.
//
// KJ's own streams need KJ's own loop, which takes signal dispositions of the whole process for itself: nothing for a
// daemon that runs on libuv, nor for a library inside somebody's Python or JVM.
#pragma once

#include <kj/async-io.h>

#include "runtime/base/fd.h"

namespace sabir::loop {

// Says when one descriptor is ready. Level-triggered; at most one promise of each kind is waited for at a time, and a
// promise may be dropped. Destroyed before its descriptor is closed.
class Readiness {
 public:
  virtual ~Readiness() noexcept(false) = default;
  virtual kj::Promise<void> when_readable() = 0;
  virtual kj::Promise<void> when_writable() = 0;
  // The other side writes no more, or is gone.
  virtual kj::Promise<void> when_hung_up() = 0;
};

// Owns the descriptor and makes it non-blocking. At most one read and one write at a time, as with every KJ stream. A
// peer that is gone is an exception of type DISCONNECTED for a writer, and for a reader the end of the stream if it
// closed in order. Descriptors that a peer sends along are never taken in: a plain read lets the kernel drop them.
class SocketStream final : public kj::AsyncIoStream {
 public:
  SocketStream(UniqueFd socket, kj::Own<Readiness> readiness);
  ~SocketStream() noexcept(false);

  kj::Promise<size_t> tryRead(void* buffer, size_t min_bytes, size_t max_bytes) override;
  kj::Promise<void> write(const void* buffer, size_t size_bytes) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  // The descriptors travel with the first byte (SCM_RIGHTS). `bytes` is not empty and stays until the promise is done.
  kj::Promise<void> write_with_fds(kj::ArrayPtr<const kj::byte> bytes, kj::ArrayPtr<const int> fds);
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;
  void abortRead() override;
  kj::Maybe<int> getFd() const override { return socket_.get(); }
  void getsockopt(int level, int option, void* value, kj::uint* length) override;
  void setsockopt(int level, int option, const void* value, kj::uint length) override;

 private:
  struct Pieces;
  kj::Promise<size_t> read_on(kj::byte* buffer, size_t min_bytes, size_t max_bytes, size_t done_bytes);
  kj::Promise<void> write_on(kj::Own<Pieces> pieces);

  UniqueFd socket_;
  kj::Own<Readiness> readiness_;
  kj::Maybe<kj::ForkedPromise<void>> write_disconnected_;
};

}  // namespace sabir::loop
