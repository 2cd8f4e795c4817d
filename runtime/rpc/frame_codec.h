// What all frames have in common: a prefix with the length, and a Cap'n Proto message. For .cc files of rpc/, and for
// codecs of other folders.
#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/debug.h>
#include <string.h>

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/rpc/frame.h"

namespace sabir::rpc {

struct FrameLimits {
  uint32_t max_frame_bytes;
  int nesting_limit;
  uint32_t max_segments;
};

inline std::string frame_of(capnp::MessageBuilder& message) {
  kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
  kj::ArrayPtr<kj::byte> bytes = words.asBytes();
  std::string frame(kFramePrefixBytes + bytes.size(), '\0');
  for (size_t i = 0; i < kFramePrefixBytes; ++i) {
    frame[i] = static_cast<char>(bytes.size() >> (8 * i));
  }
  memcpy(frame.data() + kFramePrefixBytes, bytes.begin(), bytes.size());
  return frame;
}

// Runs `read` on the root of the message behind a prefix. Whatever is wrong with the bytes becomes an Error.
template <typename Root, typename T, typename Read>
Result<T> decode_frame(std::string_view message, const char* what, const FrameLimits& limits, Read read) {
  if (message.size() < sizeof(capnp::word) || message.size() % sizeof(capnp::word) != 0 ||
      message.size() > limits.max_frame_bytes) {
    return invalid_error(std::string(what) + ": not a frame");
  }
  kj::Array<capnp::word> words = kj::heapArray<capnp::word>(message.size() / sizeof(capnp::word));
  memcpy(words.begin(), message.data(), message.size());
  // The count of segments less one; our own check, before capnp computes with it.
  uint32_t last_segment = 0;
  memcpy(&last_segment, message.data(), sizeof(last_segment));
  if (last_segment >= limits.max_segments) {
    return invalid_error(std::string(what) + ": too many segments");
  }
  Result<T> result = internal_error(what);
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&] {
                 capnp::ReaderOptions options;
                 options.traversalLimitInWords = limits.max_frame_bytes / sizeof(capnp::word);
                 options.nestingLimit = limits.nesting_limit;
                 capnp::FlatArrayMessageReader reader(words, options);
                 result = read(reader.getRoot<Root>());
               })) {
    return invalid_error(std::string(what) + ": malformed: " + exception->getDescription().cStr());
  }
  return result;
}

}  // namespace sabir::rpc
