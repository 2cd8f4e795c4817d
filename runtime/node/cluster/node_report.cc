#include "runtime/node/cluster/node_report.h"

#include <algorithm>

namespace sabir::cluster {
namespace {

size_t words(size_t size_bytes) { return (size_bytes + 7) / 8 * 8; }

size_t amounts_size_bytes(const Amounts& amounts) {
  size_t size_bytes = 8;
  for (const ResourceRequest& amount : amounts) {
    size_bytes += 16 + words(amount.name.size() + 1);
  }
  return size_bytes;
}

}  // namespace

NodeState state_of(const node::NodeResources& resources) {
  NodeState state;
  for (size_t i = 0; i < resources.name_count(); ++i) {
    auto id = static_cast<ResourceId>(i);
    if (resources.total(id) > 0) {
      state.total.push_back({resources.name(id), resources.total(id)});
      state.available.push_back(resources.free(id));
    }
  }
  state.gpu_free = resources.gpu_free();
  return state;
}

Result<void> check_report(const NodeReport& report) {
  if (report.node.id.is_nil() || report.node.incarnation == 0 || report.version == 0 || report.statics_version == 0) {
    return invalid_error("a node's report without its name or version");
  }
  if (report.available.size() > node::kMaxResourcesPerRequest || report.gpu_free.size() > node::kMaxGpus) {
    return invalid_error("a node's report names too many resources");
  }
  // Sums of them must not overflow.
  constexpr Units kMost = Units{1} << 55;
  auto wild = [](Units units) { return units > kMost || units < -kMost; };
  if (std::any_of(report.available.begin(), report.available.end(), wild) ||
      std::any_of(report.gpu_free.begin(), report.gpu_free.end(), wild)) {
    return invalid_error("a node's report with an amount that is out of range");
  }
  if (report.statics != nullptr) {
    SABIR_RETURN_IF_ERROR(node::check_amounts(report.statics->total));
    SABIR_RETURN_IF_ERROR(check_labels(report.statics->labels));
    if (report.statics->version != report.statics_version || report.statics->total.size() != report.available.size()) {
      return invalid_error("a node's report whose parts do not fit together");
    }
  }
  if (report.demand.size() > kMaxDemandShapes) {
    return invalid_error("a node's report with too many kinds of demand");
  }
  for (const DemandShape& shape : report.demand) {
    SABIR_RETURN_IF_ERROR(node::check_amounts(shape.resources));
    if (shape.reason.size() > kMaxReasonBytes) {
      return invalid_error("a node's report with too long a text");
    }
  }
  return {};
}

size_t encoded_size_bytes(const NodeReport& report) {
  size_t size_bytes = 24 + 24 + 40 + 16 + 8 * (report.available.size() + report.gpu_free.size());
  if (report.statics != nullptr) {
    size_bytes += 24 + amounts_size_bytes(report.statics->total);
    for (const auto& [key, value] : report.statics->labels) {
      size_bytes += 16 + words(key.size() + 1) + words(value.size() + 1);
    }
  }
  for (const DemandShape& shape : report.demand) {
    size_bytes += 24 + amounts_size_bytes(shape.resources) + words(shape.reason.size() + 1);
  }
  return size_bytes;
}

size_t encoded_size_bytes(const ViewBatch& batch) {
  size_t size_bytes = 64 + 24 * (batch.gone.size() + (batch.members ? batch.members->size() : 0));
  for (const NodeReport& report : batch.reports) {
    size_bytes += encoded_size_bytes(report);
  }
  return size_bytes;
}

}  // namespace sabir::cluster
