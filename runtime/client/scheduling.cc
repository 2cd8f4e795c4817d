// From sabir_scheduling to what travels.
#include <algorithm>
#include <cstring>

#include "runtime/base/ids.h"
#include "runtime/client/client.h"
#include "runtime/client/groups.h"

namespace sabir::client {
Result<LabelConditions> convert_labels(const sabir_label_selector& selector) {
  LabelConditions conditions;
  if (selector.condition_count != 0 && selector.conditions == nullptr) {
    return invalid_error("a label selector without its conditions");
  }
  for (size_t i = 0; i < selector.condition_count; ++i) {
    conditions.push_back({to_string(selector.conditions[i].key), to_string(selector.conditions[i].value)});
  }
  // In one order: equal conditions are one scheduling class.
  std::sort(conditions.begin(), conditions.end(), [](const LabelCondition& a, const LabelCondition& b) {
    return a.key != b.key ? a.key < b.key : a.text < b.text;
  });
  return conditions;
}

Result<Scheduling> convert_scheduling(const sabir_scheduling* given) {
  Scheduling scheduling;
  if (given == nullptr) {
    return scheduling;
  }
  if (given->struct_size < sizeof(size_t)) {
    return invalid_error("sabir_scheduling without its struct_size");
  }
  sabir_scheduling complete = SABIR_SCHEDULING_INIT;
  std::memcpy(&complete, given, std::min(given->struct_size, sizeof(complete)));  // of an older caller: shorter
  if (complete.strategy > SABIR_STRATEGY_GROUP) {
    return invalid_error("no such scheduling strategy: " + std::to_string(complete.strategy));
  }
  scheduling.kind = static_cast<Scheduling::Kind>(complete.strategy);
  if ((complete.strategy == SABIR_STRATEGY_NODE) != (complete.node_id.size != 0)) {
    return invalid_error("a strategy for one node needs that node's id, and no other has one");
  }
  if (complete.node_id.size != 0) {
    std::optional<IdBits> id = IdBits::from_hex(to_string(complete.node_id));
    if (!id) {
      return invalid_error("a node's id is 32 hex digits, not \"" + to_string(complete.node_id) + "\"");
    }
    scheduling.node_id.assign(id->bytes.begin(), id->bytes.end());
    scheduling.soft = complete.soft != 0;
  }
  if (complete.strategy != SABIR_STRATEGY_GROUP) {
    if (complete.group_id.size != 0) {
      return invalid_error("the id of a placement group with another strategy");
    }
  } else if (complete.group_id.size != 0) {
    SABIR_ASSIGN_OR_RETURN(scheduling.group_id, group_id_of({complete.group_id.data, complete.group_id.size}));
    if (complete.bundle < -1) {
      return invalid_error("the index of a bundle is at least 0, or -1 for any, not " +
                           std::to_string(complete.bundle));
    }
    scheduling.bundle = complete.bundle;
    scheduling.capture_children = complete.capture_children != 0;
  }
  SABIR_ASSIGN_OR_RETURN(scheduling.labels, convert_labels(complete.labels));
  for (size_t i = 0; i < complete.fallback_count; ++i) {
    SABIR_ASSIGN_OR_RETURN(LabelConditions fallback, convert_labels(complete.fallbacks[i]));
    scheduling.fallback.push_back(std::move(fallback));
  }
  if (scheduling.kind == Scheduling::Kind::kGroup && (!scheduling.labels.empty() || !scheduling.fallback.empty())) {
    return invalid_error("a call in a placement group has no labels: its bundles decide where it runs");
  }
  return scheduling;
}

bool stay_outside(Scheduling& scheduling) {
  if (scheduling.kind != Scheduling::Kind::kGroup || !scheduling.group_id.empty()) {
    return false;
  }
  scheduling = {};
  return true;
}

}  // namespace sabir::client
