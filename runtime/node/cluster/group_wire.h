// GroupMessage in schema/groups.capnp. For cluster_wire.cc: reading may throw kj::Exception (a malformed message),
// which is caught there.
#pragma once

#include "runtime/node/cluster/group_messages.h"
#include "schema/groups.capnp.h"

namespace sabir::cluster {

// kInvalid: a bound of the schema is broken; every specification has passed check_group(). kUnsupported: a later
// release's kind of message.
Result<GroupMessage> read_group_message(schema::GroupMessage::Reader from);
void write_group_message(const GroupMessage& from, schema::GroupMessage::Builder to);

}  // namespace sabir::cluster
