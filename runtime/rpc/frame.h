// The two frames that open a session: hello and welcome, as schema/session.capnp describes them.
//
// Everything that arrives here comes from a process that has proved nothing but its uid, so decoding is bounded, total
// and without side effects. No KJ in this header: a fuzzer and both ends use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/rpc/release.h"
#include "runtime/rpc/session_types.h"

namespace sabir::rpc {

inline constexpr uint32_t kMaxFrameBytes = 1u << 20;
inline constexpr size_t kFramePrefixBytes = 4;
// Of a driver's or worker's welcome, in the order of WelcomeInfo.
inline constexpr size_t kWelcomeFds = 4;

// The size of the message behind a prefix; kInvalid if no frame can be that long or short.
Result<uint32_t> decode_prefix(std::span<const uint8_t, kFramePrefixBytes> prefix,
                               uint32_t max_frame_bytes = kMaxFrameBytes);

// Encoders give a whole frame, prefix included; kInvalid if it would be above kMaxFrameBytes. Decoders take the message
// behind the prefix.
Result<std::string> encode_hello(const HelloInfo& hello);
Result<HelloInfo> decode_hello(std::string_view message);

Result<std::string> encode_welcome(const WelcomeInfo& welcome);
// A welcome that refuses.
std::string encode_refusal(const Error& error, std::string_view daemon_version = {});
// The error in it if it refuses. Its descriptors travel beside it and are the caller's to fill in.
Result<WelcomeInfo> decode_welcome(std::string_view message);

// The version to speak, or kUnsupported with a message for the user.
Result<uint32_t> choose_version(const HelloInfo& hello);

}  // namespace sabir::rpc
