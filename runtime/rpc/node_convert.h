// Between schema/node.capnp and node_messages.h. Readers may throw kj::Exception, as those of convert.h.
#pragma once

#include "runtime/rpc/node_messages.h"
#include "schema/node.capnp.h"

namespace sabir::rpc {

// kInvalid: nested too deeply, or a kind of message that this release does not know.
Result<NodeMessage> read(schema::NodeMessage::Reader from);
void write(const NodeMessage& from, schema::NodeMessage::Builder to);

}  // namespace sabir::rpc
