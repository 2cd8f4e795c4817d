#include "runtime/node/cluster/group_messages.h"

#include <map>

namespace sabir::cluster {

std::string_view group_strategy_name(GroupStrategy strategy) {
  switch (strategy) {
    case GroupStrategy::kPack:
      return "PACK";
    case GroupStrategy::kSpread:
      return "SPREAD";
    case GroupStrategy::kStrictPack:
      return "STRICT_PACK";
    case GroupStrategy::kStrictSpread:
      return "STRICT_SPREAD";
  }
  return "?";
}

std::string_view group_stage_name(GroupStage stage) {
  switch (stage) {
    case GroupStage::kPending:
      return "pending";
    case GroupStage::kPreparing:
      return "preparing";
    case GroupStage::kReady:
      return "ready";
    case GroupStage::kReplacing:
      return "replacing";
    case GroupStage::kGone:
      return "gone";
  }
  return "?";
}

Result<void> check_group(const GroupSpec& spec) {
  if (spec.id.is_nil()) {
    return invalid_error("a placement group without an id");
  }
  if (spec.strategy > GroupStrategy::kStrictSpread) {
    return invalid_error("no such strategy of placement groups");
  }
  if (spec.name.size() > kMaxNameBytes || spec.name_space.size() > kMaxNameBytes) {
    return invalid_error("the name of a placement group and its namespace have at most " +
                         std::to_string(kMaxNameBytes) + " bytes");
  }
  if (!spec.name.empty() && spec.name_space.empty()) {
    return invalid_error("a named placement group needs a namespace");
  }
  if (spec.bundles.empty() || spec.bundles.size() > kMaxBundles) {
    return invalid_error("a placement group has 1 to " + std::to_string(kMaxBundles) + " bundles, not " +
                         std::to_string(spec.bundles.size()));
  }
  std::map<std::string, Units> totals;
  for (size_t i = 0; i < spec.bundles.size(); ++i) {
    auto context = [&](const Result<void>& result) -> Result<void> {
      return result.ok() ? result : Error(result.error()).with_context("bundle " + std::to_string(i));
    };
    SABIR_RETURN_IF_ERROR(context(node::check_request(spec.bundles[i].resources)));
    SABIR_RETURN_IF_ERROR(context(check_selector(spec.bundles[i].selector)));
    bool empty = true;
    for (const ResourceRequest& amount : spec.bundles[i].resources) {
      empty = empty && amount.units == 0;
      Units& total = totals[amount.name];
      total += amount.units;  // each is far below what this could not hold
      if (total > kMaxGroupUnits) {
        return invalid_error("the bundles of a placement group ask for more " + amount.name + " than can be counted");
      }
    }
    if (empty) {
      return invalid_error("bundle " + std::to_string(i) + " reserves nothing");
    }
  }
  return {};
}

}  // namespace sabir::cluster
