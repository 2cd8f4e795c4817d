// From a user's words to a strategy, and back to words for people.
#pragma once

#include <string>

#include "runtime/base/scheduling.h"
#include "runtime/node/cluster/placement.h"

namespace sabir::cluster {

// kInvalid: what check_strategy() and parse_label_term() refuse; kUnsupported: a kind of a later version.
Result<Strategy> read_strategy(const Scheduling& words);

// The words for a placement, and the default for none.
Scheduling words_of(const Placement& placement);

// "", "spread", "node 1a2b3c4d", "placement group 1a2b3c4d, bundle 0", "labels zone = eu, else zone exists".
std::string describe(const Strategy& strategy);

}  // namespace sabir::cluster
