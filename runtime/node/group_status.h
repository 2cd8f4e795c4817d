// Placement groups as JSON (docs/status.md).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/node/groups.h"

namespace sabir::node {

nlohmann::json group_list(const std::vector<cluster::GroupState>& groups);
std::string groups_json(const std::vector<cluster::GroupState>& groups);
// The bundles of this node.
nlohmann::json bundle_list(const Groups& groups, const NodeResources& resources);

}  // namespace sabir::node
