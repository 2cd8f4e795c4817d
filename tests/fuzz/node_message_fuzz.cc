// Feeds bytes to what a gateway reads from a peer that has logged in: one message of schema/node.capnp.
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstdint>
#include <cstring>

#include "runtime/base/check.h"
#include "runtime/rpc/node_convert.h"

using namespace sabir;       // NOLINT: a fuzzer's own file
using namespace sabir::rpc;  // NOLINT: a fuzzer's own file

namespace {

// What MessageLane does with each message of a batch: both kinds of failure end the connection.
Result<NodeMessage> read_message(kj::ArrayPtr<const capnp::word> words) {
  Result<NodeMessage> message = invalid_error("not read");
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&] {
                 capnp::ReaderOptions limits;
                 limits.nestingLimit = 64;
                 capnp::FlatArrayMessageReader reader(words, limits);
                 message = read(reader.getRoot<schema::NodeMessage>());
               })) {
    return invalid_error(exception->getDescription().cStr());
  }
  return message;
}

kj::Array<capnp::word> bytes_of(const NodeMessage& message) {
  capnp::MallocMessageBuilder builder;
  write(message, builder.initRoot<schema::NodeMessage>());
  return capnp::messageToFlatArray(builder);
}

}  // namespace

// The entry that libFuzzer calls, and the seeded test beside this file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_in_bytes) {
  auto words = kj::heapArray<capnp::word>(size_in_bytes / sizeof(capnp::word));
  memcpy(words.begin(), data, words.size() * sizeof(capnp::word));
  Result<NodeMessage> message = read_message(words);
  if (!message.ok()) {
    return 0;
  }
  // What was read can be written, and is the same again. But a short message may point to one thing many times, up to
  // the reader's limit, or have a long list of nothing; written out it may be too long to be read.
  constexpr size_t kMaxWords = (8 << 20) / sizeof(capnp::word);
  kj::Array<capnp::word> once = bytes_of(*message);
  if (once.size() > kMaxWords) {
    return 0;
  }
  Result<NodeMessage> again = read_message(once);
  SABIR_CHECK(again.ok(), again.error().message());
  SABIR_CHECK(again->index() == message->index() && size_bytes(*again) == size_bytes(*message));
  kj::Array<capnp::word> twice = bytes_of(*again);
  SABIR_CHECK(once.asBytes() == twice.asBytes());
  return 0;
}
