#include "runtime/node/group_status.h"

#include <nlohmann/json.hpp>

namespace sabir::node {
namespace {

using Json = nlohmann::json;

double amount(Units units) { return static_cast<double>(units) / static_cast<double>(kUnit); }

}  // namespace

Json group_list(const std::vector<cluster::GroupState>& groups) {
  Json list = Json::array();
  for (const cluster::GroupState& group : groups) {
    Json bundles = Json::array();
    for (size_t i = 0; i < group.spec.bundles.size(); ++i) {
      Json resources = Json::object();
      for (const ResourceRequest& one : group.spec.bundles[i].resources) {
        resources[one.name] = amount(one.units);
      }
      Json labels = Json::object();
      for (const cluster::LabelTerm& term : group.spec.bundles[i].selector) {
        labels[term.key] = cluster::label_text(term);
      }
      bool placed = i < group.nodes.size() && !group.nodes[i].id.is_nil();
      bundles.push_back({{"index", i},
                         {"resources", resources},
                         {"labels", labels},
                         {"node_id", placed ? group.nodes[i].id.hex() : ""}});
    }
    list.push_back({{"group_id", group.spec.id.hex()},
                    {"name", group.spec.name},
                    {"namespace", group.spec.name_space},
                    {"strategy", cluster::group_strategy_name(group.spec.strategy)},
                    {"state", cluster::group_stage_name(group.stage)},
                    {"infeasible", group.infeasible},
                    {"reason", group.reason},
                    {"detached", group.spec.detached},
                    {"job_id", group.spec.job.hex()},
                    {"bundles", bundles}});
  }
  return list;
}

std::string groups_json(const std::vector<cluster::GroupState>& groups) {
  return group_list(groups).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json bundle_list(const Groups& groups, const NodeResources& resources) {
  Json list = Json::array();
  for (const cluster::BundleManager::View& view : groups.bundles()) {
    Json total = Json::object();
    Json available = Json::object();
    for (const NodeResources::AccountAmount& one : resources.amounts_of(view.bundle)) {
      total[resources.name(one.base)] = amount(one.total);
      available[resources.name(one.base)] = amount(one.free);
    }
    list.push_back({{"group_id", view.group.hex()},
                    {"index", view.index},
                    {"state", view.committed ? "committed" : "prepared"},
                    {"resources_total", total},
                    {"resources_available", available}});
  }
  return list;
}

}  // namespace sabir::node
