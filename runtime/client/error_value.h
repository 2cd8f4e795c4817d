// Error values: what a call has instead of a result when it failed. On the wire a neutral value with the error flag, a
// FlexBuffers map {kind: int, message, language: int, type, stack, native: blob, cause: map} that every SDK reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace sabir::client {

struct ErrorFields {
  ErrorKind kind = ErrorKind::kTaskFailed;
  std::string_view message = {};
  uint8_t language = 0;
  std::string_view type = {};  // "builtins.ValueError"; empty: made by the core
  std::string_view stack = {};
  std::span<const uint8_t> native = {};
  std::span<const uint8_t> cause = {};  // the bytes of another error's map, or empty
};

// The bytes of the map. A cause that is no map, or that lies deeper than kMaxErrorDepth, is left out. They are bounded
// whatever user code threw: a text above 64 KiB keeps its beginning and its end, a native form above 1 MiB is left out.
// What is not UTF-8 in a text becomes U+FFFD.
std::vector<uint8_t> make_error_map(const ErrorFields& fields);

inline constexpr int kMaxErrorDepth = 16;

struct ErrorSummary {
  ErrorKind kind = ErrorKind::kTaskFailed;
  std::string message;
  std::string type;
};
// For the core's own messages. Damaged bytes give kInternal and say so.
ErrorSummary read_error_map(std::span<const uint8_t> bytes);

// What the error `depth` causes beneath that of the map says; borrows from the bytes. Its `cause` stays empty.
// kNotFound: there is none so deep. kInvalid: the bytes are damaged.
Result<ErrorFields> read_error_fields(std::span<const uint8_t> bytes, size_t depth);

// A whole Value (value_format.h) of an error of the core, data at `alignment`.
std::vector<uint8_t> make_error_value(ErrorKind kind, std::string_view message, size_t alignment);

}  // namespace sabir::client
