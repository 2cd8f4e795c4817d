#include "runtime/rpc/message_guard.h"

#include <capnp/rpc.capnp.h>
#include <capnp/serialize.h>
#include <kj/debug.h>
#include <string.h>
#include <sys/socket.h>

#include <optional>
#include <utility>

namespace sabir::rpc {

namespace {

constexpr uint64_t kMaxSegments = 512;
constexpr uint64_t kWordBytes = sizeof(capnp::word);

uint64_t bytes_in(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  uint64_t words = 0;
  for (auto segment : segments) {
    words += segment.size();
  }
  return words * kWordBytes;
}

}  // namespace

// A message as it comes in: {u32 segments - 1, u32 words of each segment, padding}, then the segments.
struct GuardedMessageStream::Incoming {
  capnp::ReaderOptions options;
  uint32_t first[2] = {0, 0};
  uint64_t table_words = 1;
  kj::Array<capnp::word> words;  // table and segments

  uint32_t table_entry(uint64_t index) const {
    uint32_t value = 0;
    memcpy(&value, words.asBytes().begin() + index * sizeof(value), sizeof(value));
    return value;
  }
};

void GuardedMessageStream::refuse(const char* why) {
  violation_ = why;
  kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::str(why)));
}

kj::Promise<void> GuardedMessageStream::when_written() {
  auto pair = kj::newPromiseAndFulfiller<void>();
  written_ = kj::mv(pair.fulfiller);
  return kj::mv(pair.promise);
}

kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> GuardedMessageStream::tryReadMessage(
    kj::ArrayPtr<kj::AutoCloseFd> fd_space, capnp::ReaderOptions options, kj::ArrayPtr<capnp::word> scratch) {
  if (limits_.read_only_while_written && writes_ > 0) {
    return when_written().then(
        [this, fd_space, options, scratch] { return tryReadMessage(fd_space, options, scratch); });
  }
  auto incoming = kj::heap<Incoming>();
  incoming->options = options;
  void* first = incoming->first;
  return stream_.tryRead(first, kWordBytes, kWordBytes)
      .then([this, incoming = kj::mv(incoming)](size_t size_bytes) mutable -> kj::Promise<MaybeMessage> {
        if (size_bytes == 0) {
          return MaybeMessage(nullptr);
        }
        if (size_bytes < kWordBytes) {
          refuse("the connection ended inside a message");
        }
        return read_table(kj::mv(incoming));
      });
}

kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> GuardedMessageStream::read_table(kj::Own<Incoming> incoming) {
  uint64_t segments = uint64_t{incoming->first[0]} + 1;
  if (segments > kMaxSegments) {
    refuse("a message with too many segments");
  }
  incoming->table_words = segments / 2 + 1;
  incoming->words = kj::heapArray<capnp::word>(incoming->table_words);
  kj::ArrayPtr<kj::byte> bytes = incoming->words.asBytes();
  memcpy(bytes.begin(), incoming->first, kWordBytes);
  if (incoming->table_words == 1) {
    return read_body(kj::mv(incoming));
  }
  return stream_.read(bytes.begin() + kWordBytes, bytes.size() - kWordBytes)
      .then([this, incoming = kj::mv(incoming)]() mutable { return read_body(kj::mv(incoming)); });
}

kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> GuardedMessageStream::read_body(kj::Own<Incoming> incoming) {
  uint64_t segments = uint64_t{incoming->first[0]} + 1;
  uint64_t body_words = 0;
  for (uint64_t i = 0; i < segments; ++i) {
    body_words += incoming->table_entry(1 + i);
  }
  if (body_words > limits_.max_message_bytes / kWordBytes) {
    refuse("a message above the size limit");
  }
  auto share = take_budget(body_words * kWordBytes);
  // Pages of a size that was only announced are never touched, so they cost nothing yet.
  auto words = kj::heapArray<capnp::word>(incoming->table_words + body_words);
  memcpy(words.begin(), incoming->words.begin(), incoming->table_words * kWordBytes);
  incoming->words = kj::mv(words);
  kj::byte* body = incoming->words.asBytes().begin() + incoming->table_words * kWordBytes;
  return stream_.read(body, body_words * kWordBytes)
      .then([this, incoming = kj::mv(incoming), share = kj::mv(share)]() mutable -> MaybeMessage {
        auto reader = kj::heap<capnp::FlatArrayMessageReader>(incoming->words, incoming->options);
        inspect(*reader);
        return capnp::MessageReaderAndFds{reader.attach(kj::mv(incoming->words), kj::mv(share)), nullptr};
      });
}

void GuardedMessageStream::inspect(capnp::MessageReader& reader) {
  auto message = reader.getRoot<capnp::rpc::Message>();
  kj::uint capabilities = 0;
  switch (message.which()) {
    case capnp::rpc::Message::CALL:
      capabilities = message.getCall().getParams().getCapTable().size();
      ++open_questions_;
      break;
    case capnp::rpc::Message::BOOTSTRAP:
      ++open_questions_;
      break;
    case capnp::rpc::Message::RETURN:
      if (message.getReturn().isResults()) {
        capabilities = message.getReturn().getResults().getCapTable().size();
      }
      break;
    case capnp::rpc::Message::FINISH:
      open_questions_ -= open_questions_ > 0 ? 1 : 0;
      break;
    default:
      break;
  }
  if (capabilities > limits_.max_capabilities_per_message) {
    refuse("a message with too many capabilities");
  }
  if (open_questions_ > limits_.max_open_questions) {
    refuse("too many calls that are not finished");
  }
}

kj::Own<MemoryBudget::Share> GuardedMessageStream::take_budget(uint64_t size_bytes) {
  if (limits_.budget == nullptr) {
    return {};
  }
  std::optional<MemoryBudget::Share> share = limits_.budget->take(size_bytes);
  if (!share) {
    refuse("no room for a message of this size beside those of others");
  }
  return kj::heap<MemoryBudget::Share>(std::move(*share));
}

kj::Promise<void> GuardedMessageStream::counted(kj::Promise<void> write, kj::Own<MemoryBudget::Share> share) {
  ++writes_;
  return write.attach(kj::mv(share), kj::defer([this] {
                        if (--writes_ == 0) {
                          KJ_IF_MAYBE (fulfiller, written_) {
                            fulfiller->get()->fulfill();
                            written_ = nullptr;
                          }
                        }
                      }));
}

kj::Promise<void> GuardedMessageStream::writeMessage(kj::ArrayPtr<const int>,
                                                     kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  auto share = take_budget(bytes_in(segments));
  return counted(capnp::writeMessage(stream_, segments), kj::mv(share));
}

kj::Promise<void> GuardedMessageStream::writeMessages(
    kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) {
  uint64_t size_bytes = 0;
  for (auto segments : messages) {
    size_bytes += bytes_in(segments);
  }
  auto share = take_budget(size_bytes);
  return counted(capnp::writeMessages(stream_, messages), kj::mv(share));
}

kj::Maybe<int> GuardedMessageStream::getSendBufferSize() {
  int size_bytes = 0;
  kj::uint length = sizeof(size_bytes);
  stream_.getsockopt(SOL_SOCKET, SO_SNDBUF, &size_bytes, &length);
  return size_bytes;
}

kj::Promise<void> GuardedMessageStream::end() {
  stream_.shutdownWrite();
  return kj::READY_NOW;
}

}  // namespace sabir::rpc
