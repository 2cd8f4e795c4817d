// Placement groups: bundles of resources, reserved on nodes together or not at all.
#ifndef SABIR_PLACEMENT_GROUP_HPP_
#define SABIR_PLACEMENT_GROUP_HPP_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sabir/json.hpp"
#include "sabir/object_ref.hpp"
#include "sabir/options.hpp"
#include "sabir/state.hpp"

SABIR_NAMESPACE_BEGIN

// A handle; it travels as the text of its id.
class PlacementGroup {
 public:
  // Of a group that exists. `id`: 32 hex digits, as another handle, in any language, has them.
  explicit PlacementGroup(std::string id) : id_(std::move(id)) {}

  const std::string& id() const { return id_; }

  // Has this handle as its value as soon as all bundles are reserved; GroupRemovedError if that can never be.
  ObjectRef<PlacementGroup> ready() const;
  // Waits for that. False: not in this time, or never.
  bool wait(Duration timeout = std::chrono::seconds(30)) const;

  bool operator==(const PlacementGroup& other) const { return id_ == other.id_; }
  bool operator!=(const PlacementGroup& other) const { return id_ != other.id_; }

 private:
  std::string id_;
};

template <>
struct Converter<PlacementGroup> {
  using Wire = std::string;
  static Wire to_wire(const PlacementGroup& group) { return group.id(); }
  static PlacementGroup from_wire(Wire id) { return PlacementGroup(std::move(id)); }
};

enum class GroupStrategy : uint32_t {
  kPack = SABIR_GROUP_PACK,                  // on few nodes
  kSpread = SABIR_GROUP_SPREAD,              // on many nodes
  kStrictPack = SABIR_GROUP_STRICT_PACK,     // on one node, or not at all
  kStrictSpread = SABIR_GROUP_STRICT_SPREAD  // each on another node, or not at all
};

struct GroupOptions {
  GroupStrategy strategy = GroupStrategy::kPack;
  std::string name = {};        // for get_placement_group; "": none
  std::string name_space = {};  // "": the job's
  bool detached = false;        // it outlives its job
  // What the node of each bundle must meet; empty, or one for each bundle.
  std::vector<LabelSelector> bundle_labels = {};
};

// Where a group is, and why it is not ready.
struct GroupInfo {
  PlacementGroup group;
  std::string name;
  std::string name_space;
  std::string strategy;  // "PACK", ...
  std::string state;     // "pending", "preparing", "ready", "replacing"
  std::string reason;    // "" if it is ready
  bool infeasible = false;
  bool detached = false;
  std::vector<Resources> bundles;
  std::vector<std::string> nodes;  // of each bundle; "": it has no place
};

// Asks for a group and returns its handle at once. Resources by name: "CPU", "GPU", "memory", the user's.
// InvalidArgumentError: what no cluster could have. NameTakenError: another group has the name.
inline PlacementGroup placement_group(const std::vector<Resources>& bundles, const GroupOptions& options = {}) {
  if (!options.bundle_labels.empty() && options.bundle_labels.size() != bundles.size()) {
    detail::throw_status(SABIR_INVALID_ARGUMENT, "bundle_labels needs a selector for each of the " +
                                                     std::to_string(bundles.size()) + " bundles");
  }
  std::vector<std::vector<sabir_resource>> resources(bundles.size());
  std::vector<std::vector<sabir_label>> labels(bundles.size());
  std::vector<sabir_bundle> raw_bundles;
  for (size_t i = 0; i < bundles.size(); ++i) {
    for (const auto& resource : bundles[i]) {
      resources[i].push_back({detail::string_of(resource.first), resource.second});
    }
    if (!options.bundle_labels.empty()) {
      for (const auto& condition : options.bundle_labels[i]) {
        labels[i].push_back({detail::string_of(condition.first), detail::string_of(condition.second)});
      }
    }
    raw_bundles.push_back({resources[i].data(), resources[i].size(), {labels[i].data(), labels[i].size()}});
  }
  sabir_group_options raw = SABIR_GROUP_OPTIONS_INIT;
  raw.strategy = static_cast<sabir_group_strategy>(options.strategy);
  raw.bundles = raw_bundles.data();
  raw.bundle_count = raw_bundles.size();
  raw.name = detail::string_of(options.name);
  raw.name_space = detail::string_of(options.name_space);
  raw.detached = options.detached ? 1 : 0;
  sabir_group_id id = {};
  detail::check([&](sabir_error** error) { return sabir_group_create(detail::require_client(), &raw, &id, error); });
  return PlacementGroup(id.hex);
}

// What runs in it ends: calls throw GroupRemovedError, actors die. Twice is like once.
inline void remove_placement_group(const PlacementGroup& group) {
  detail::check([&](sabir_error** error) {
    return sabir_group_remove(detail::require_client(), detail::string_of(group.id()), error);
  });
}

namespace detail {

inline std::vector<GroupInfo> find_groups(const std::string& id, const std::string& name,
                                          const std::string& name_space) {
  sabir_buffer* buffer = nullptr;
  check([&](sabir_error** error) {
    return sabir_group_find(require_client(), string_of(id), string_of(name), string_of(name_space), &buffer, error);
  });
  sabir_span bytes = sabir_buffer_bytes(buffer);
  std::string json = "{\"groups\": " + std::string(static_cast<const char*>(bytes.data), bytes.size) + "}";
  sabir_buffer_destroy(buffer);
  std::vector<GroupInfo> found;
  for (const JsonObject& group : JsonObject(json).objects("groups")) {
    GroupInfo info{PlacementGroup(group.text("group_id")),
                   group.text("name"),
                   group.text("namespace"),
                   group.text("strategy"),
                   group.text("state"),
                   group.text("reason"),
                   group.is_true("infeasible"),
                   group.is_true("detached"),
                   {},
                   {}};
    for (const JsonObject& bundle : group.objects("bundles")) {
      info.bundles.push_back(bundle.object("resources").numbers());
      info.nodes.push_back(bundle.text("node_id"));
    }
    found.push_back(std::move(info));
  }
  return found;
}

}  // namespace detail

// NotFoundError: there is none, or none any more.
inline GroupInfo placement_group_info(const PlacementGroup& group) {
  return detail::find_groups(group.id(), "", "").at(0);
}
// All of the session.
inline std::vector<GroupInfo> placement_groups() { return detail::find_groups("", "", ""); }
// By its name. NotFoundError: none is called so in the namespace ("": the job's).
inline PlacementGroup get_placement_group(const std::string& name, const std::string& name_space = "") {
  if (name.empty()) {
    detail::throw_status(SABIR_INVALID_ARGUMENT, "the name of a placement group is not empty");
  }
  return detail::find_groups("", name, name_space).at(0).group;
}

// The group that the calling task or actor runs in, if it runs in one.
inline std::optional<PlacementGroup> current_placement_group() {
  sabir_current_group current = SABIR_CURRENT_GROUP_INIT;
  detail::check([&](sabir_error** error) { return sabir_group_current(detail::require_client(), &current, error); });
  return current.group.hex[0] == 0 ? std::optional<PlacementGroup>() : PlacementGroup(current.group.hex);
}

inline ObjectRef<PlacementGroup> PlacementGroup::ready() const {
  detail::Encoder encoder;
  detail::write_value(encoder, *this);
  sabir_value raw = encoder.finish();
  sabir_ref* ref = nullptr;
  detail::check([&](sabir_error** error) {
    return sabir_group_ready(detail::require_client(), detail::string_of(id_), &raw, &ref, error);
  });
  return ObjectRef<PlacementGroup>(detail::RefHandle(ref));
}

inline bool PlacementGroup::wait(Duration timeout) const {
  ObjectRef<PlacementGroup> reference = ready();
  try {
    reference.get(timeout);
    return true;
  } catch (const TimeoutError&) {
    return false;
  } catch (const GroupRemovedError&) {
    return false;
  }
}

inline Scheduling Scheduling::group(const PlacementGroup& group, int bundle, bool capture_children) {
  Scheduling made(SABIR_STRATEGY_GROUP, "", false);
  made.group_id_ = group.id();
  made.bundle_ = bundle;
  made.capture_children_ = capture_children;
  return made;
}

SABIR_NAMESPACE_END

#endif  // SABIR_PLACEMENT_GROUP_HPP_
