#include "runtime/node/cluster/cluster_types.h"

namespace sabir::cluster {

std::string describe(const Amounts& amounts) {
  std::string text = "{";
  for (const ResourceRequest& amount : amounts) {
    text += (text.size() > 1 ? ", " : "") + amount.name + ": " + node::format_units(amount.units);
  }
  return text + "}";
}

Placement inherited_placement(const Placement& parent) {
  // Any bundle: the parent's own one is occupied by the parent.
  return parent.capture_child_calls ? Placement{parent.group, Placement::kAnyBundle, true} : Placement{};
}

}  // namespace sabir::cluster
