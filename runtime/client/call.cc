#include "runtime/client/call.h"

#include "runtime/client/args.h"

namespace sabir::client {

Call::Call() = default;
Call::~Call() = default;

}  // namespace sabir::client
