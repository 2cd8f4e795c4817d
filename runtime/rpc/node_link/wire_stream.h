// WireStream: a KJ stream over a wire, on the event loop.
#pragma once

#include <kj/async-io.h>

#include <cstdint>
#include <memory>

#include "runtime/loop/socket_stream.h"
#include "runtime/rpc/node_link/wire.h"

namespace sabir::node_link {

// At most one read and one write at a time, as with every KJ stream. A peer that is gone is an exception of type
// DISCONNECTED for a writer; for a reader too, unless it ended in order. Small pieces of one write go out together.
class WireStream final : public kj::AsyncIoStream {
 public:
  WireStream(std::unique_ptr<Wire> wire, kj::Own<loop::Readiness> readiness);
  ~WireStream() noexcept(false);
  KJ_DISALLOW_COPY(WireStream);

  kj::Promise<size_t> tryRead(void* buffer, size_t min_bytes, size_t max_bytes) override;
  kj::Promise<void> write(const void* buffer, size_t size_bytes) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;
  void abortRead() override;
  void getsockopt(int level, int option, void* value, kj::uint* length) override;

  // Nothing is read or written any more, not even what is here already: reads and writes fail as disconnected.
  void cut();
  // Whether it ended or failed, or was cut.
  bool over() const { return over_; }

  uint64_t read_bytes() const { return wire_->read_bytes(); }
  // Of all that was given to the socket, what the peer's kernel has taken. In bytes of the socket: only differences
  // mean something.
  uint64_t acknowledged_bytes() const;
  bool writing() const { return writes_ > 0; }

 private:
  struct Pieces;
  kj::Promise<size_t> read_on(kj::byte* buffer, size_t min_bytes, size_t max_bytes, size_t done_bytes);
  kj::Promise<void> write_on(kj::Own<Pieces> pieces);
  kj::Exception failure();

  std::unique_ptr<Wire> wire_;
  kj::Own<loop::Readiness> readiness_;
  uint32_t writes_ = 0;
  bool over_ = false;
  bool cut_ = false;
};

}  // namespace sabir::node_link
