// Arguments of a peer's call, or of a constructor: their values go through Incoming, then they are passed on.
#pragma once

#include <vector>

#include "runtime/abi/sabir.h"
#include "runtime/client/future.h"
#include "runtime/rpc/node_messages.h"

namespace sabir::gateway {

// Moves the values out; the names stay.
std::vector<rpc::WireValue> take_values(std::vector<rpc::WireArg>& args);
// Borrows the names, and the references that the values have become.
std::vector<sabir_arg> passed_args(const std::vector<rpc::WireArg>& args, const std::vector<client::Future*>& values);
void release_all(const std::vector<client::Future*>& futures);

// Of arguments that did not arrive. What came too late, or from a node that is gone, may come again; what is wrong in
// itself may not.
bool is_final(const Error& error);
// Of what did not come back: it is gone, or its way here is. Run again it comes back.
bool is_lost(ErrorKind kind);

}  // namespace sabir::gateway
