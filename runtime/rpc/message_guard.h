// GuardedMessageStream: Cap'n Proto messages on a stream, within limits that hold before Cap'n Proto sees a byte.
#pragma once

#include <capnp/serialize-async.h>
#include <kj/async-io.h>

#include <cstdint>
#include <string>

#include "runtime/rpc/memory_budget.h"

namespace sabir::rpc {

struct MessageLimits {
  uint64_t max_message_bytes = 64u << 20;
  // Questions of the peer that it has not finished yet: each costs an entry in our answer table, answered or not.
  uint32_t max_open_questions = 4096;
  uint32_t max_capabilities_per_message = 16;
  // A peer that does not read its answers is not read either, so that its answers do not pile up here. For one side of
  // a connection only: two such sides would wait for each other.
  bool read_only_while_written = true;
  // For what is read and written here, shared with other connections; it outlives this one. Null: unbounded.
  MemoryBudget* budget = nullptr;
};

// Why not capnp::AsyncIoMessageStream: it computes with the segment count before it checks it (0xffffffff becomes 0),
// and RpcSystem bounds neither the questions that a peer leaves open nor the answers that it does not read.
class GuardedMessageStream final : public capnp::MessageStream {
 public:
  GuardedMessageStream(kj::AsyncIoStream& stream, MessageLimits limits) : stream_(stream), limits_(limits) {}
  KJ_DISALLOW_COPY(GuardedMessageStream);

  // What the peer did that it may not; empty: nothing.
  const std::string& violation() const { return violation_; }

  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(kj::ArrayPtr<kj::AutoCloseFd> fd_space,
                                                                    capnp::ReaderOptions options,
                                                                    kj::ArrayPtr<capnp::word> scratch) override;
  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> fds,
                                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override;
  kj::Promise<void> writeMessages(kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override;
  kj::Maybe<int> getSendBufferSize() override;
  kj::Promise<void> end() override;

 private:
  struct Incoming;
  using MaybeMessage = kj::Maybe<capnp::MessageReaderAndFds>;

  kj::Promise<void> when_written();
  kj::Promise<MaybeMessage> read_table(kj::Own<Incoming> incoming);
  kj::Promise<MaybeMessage> read_body(kj::Own<Incoming> incoming);
  void inspect(capnp::MessageReader& reader);
  [[noreturn]] void refuse(const char* why);
  kj::Own<MemoryBudget::Share> take_budget(uint64_t size_bytes);
  kj::Promise<void> counted(kj::Promise<void> write, kj::Own<MemoryBudget::Share> share);

  kj::AsyncIoStream& stream_;
  MessageLimits limits_;
  std::string violation_;
  uint32_t open_questions_ = 0;
  uint32_t writes_ = 0;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> written_;
};

}  // namespace sabir::rpc
