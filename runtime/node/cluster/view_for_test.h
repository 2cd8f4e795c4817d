// Nodes and reports for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/cluster/resource_view.h"

namespace sabir::cluster {

inline NodeId node_id(uint32_t number) {
  IdBits bits;
  for (int i = 0; i < 4; ++i) {
    bits.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(number >> (24 - 8 * i));
  }
  bits.bytes[15] = 1;  // never nil
  return NodeId(bits);
}

inline NodeKey node_key(uint32_t number, uint64_t incarnation = 1) { return {node_id(number), incarnation}; }

inline NodeState node_state(Amounts total, Labels labels = {}) {
  auto resources = node::NodeResources::create(total);
  NodeState state = state_of(*resources);
  state.labels = std::move(labels);
  return state;
}

inline NodeReport report_of(NodeKey node, uint64_t version, const NodeState& state, uint64_t statics_version = 1) {
  NodeReport report{.node = node, .version = version, .statics_version = statics_version};
  report.statics = std::make_shared<NodeStatics>(NodeStatics{statics_version, state.total, state.labels});
  report.available = state.available;
  report.gpu_free = state.gpu_free;
  report.draining = state.draining;
  report.waiting = state.waiting;
  report.demand = state.demand;
  report.store_used_bytes = state.store_used_bytes;
  report.store_capacity_bytes = state.store_capacity_bytes;
  return report;
}

// A member that has just reported this. The version rises with each call for the same node.
inline void show(ResourceView& view, NodeKey node, const NodeState& state) {
  view.add_node(node);
  const ResourceView::Node* known = view.find(node.id);
  uint64_t statics = known->statics == nullptr ? 1 : known->statics->version + 1;
  auto applied = view.apply_report(report_of(node, known->version + 1, state, statics));
  SABIR_CHECK(applied == ResourceView::Applied::kNew);
}

inline Amounts cpus(double count) { return {{"CPU", static_cast<Units>(count * kUnit)}}; }

}  // namespace sabir::cluster
