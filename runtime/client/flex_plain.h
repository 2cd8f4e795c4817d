// Neutral values that are FlexBuffers roots, turned into the plain form (docs/values.md), so that an SDK reads one form
// alone. The bytes are not trusted: each access is checked, and vectors that share parts cannot make the plain form
// much larger than they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/result.h"

namespace sabir::client {

// kInvalid if the bytes are damaged.
Result<std::string> flex_to_plain(std::span<const uint8_t> bytes);

}  // namespace sabir::client
