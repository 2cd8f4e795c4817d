// The version of libsabir.so, as in the file VERSION of the project (a test compares them).
#pragma once

namespace sabir::client {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace sabir::client
