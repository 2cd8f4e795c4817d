// From a user's words to the specification of a placement group, and back.
#pragma once

#include "runtime/node/cluster/group_messages.h"
#include "runtime/rpc/session_types.h"

namespace sabir::cluster {

// Without job and home. kInvalid: what check_group() and parse_label_term() refuse; kUnsupported: a strategy of a later
// version.
Result<GroupSpec> read_group(const rpc::GroupSpec& words);
rpc::GroupSpec words_of(const GroupSpec& spec);

}  // namespace sabir::cluster
