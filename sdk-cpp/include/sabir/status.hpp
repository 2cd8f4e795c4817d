// What the session has: its nodes, their resources, and what of them is free.
#ifndef SABIR_STATUS_HPP_
#define SABIR_STATUS_HPP_

#include <map>
#include <string>
#include <vector>

#include "sabir/json.hpp"
#include "sabir/state.hpp"

SABIR_NAMESPACE_BEGIN

// A node of the session.
struct Node {
  std::string node_id;
  bool alive = false;
  Resources resources;  // what it has
  Resources available;  // what no running task and no living actor holds
  uint64_t store_capacity_bytes = 0;
  uint64_t store_used_bytes = 0;
  std::string name;     // for people
  std::string address;  // where other nodes reach it; "": it has no others
  std::map<std::string, std::string> labels;
};

// The state of the session as JSON: docs/status.md has its fields.
inline std::string status() {
  sabir_buffer* json = nullptr;
  detail::check([&](sabir_error** error) { return sabir_session_status(detail::require_client(), &json, error); });
  sabir_span bytes = sabir_buffer_bytes(json);
  std::string text(static_cast<const char*>(bytes.data), bytes.size);
  sabir_buffer_destroy(json);
  return text;
}

inline std::vector<Node> nodes() {
  std::string json = status();
  std::vector<Node> found;
  for (const detail::JsonObject& node : detail::JsonObject(json).objects("nodes")) {
    detail::JsonObject store = node.object("store");
    found.push_back({node.text("node_id"), node.is_true("alive"), node.object("resources_total").numbers(),
                     node.object("resources_available").numbers(),
                     static_cast<uint64_t>(store.number("capacity_bytes")),
                     static_cast<uint64_t>(store.number("used_bytes")), node.text("name"), node.text("address"),
                     node.object("labels").all_texts()});
  }
  return found;
}

namespace detail {

inline Resources sum_of_nodes(Resources Node::*field) {
  Resources total;
  for (const Node& node : nodes()) {
    for (const auto& resource : node.*field) {
      total[resource.first] += resource.second;
    }
  }
  return total;
}

}  // namespace detail

// The resources of all nodes together.
inline Resources cluster_resources() { return detail::sum_of_nodes(&Node::resources); }

// What no running task and no living actor holds.
inline Resources available_resources() { return detail::sum_of_nodes(&Node::available); }

SABIR_NAMESPACE_END

#endif  // SABIR_STATUS_HPP_
