// Names of resources as small numbers, for one view of the cluster. A name lives as long as something uses it, then its
// number is given out again: nodes with names of their own come and go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/node/cluster/cluster_types.h"

namespace sabir::cluster {

class ResourceNames {
 public:
  static constexpr size_t kMaxNames = 16'384;

  // CPU, GPU and memory have the numbers that they have at a node, for ever.
  ResourceNames();

  // One use more. Nothing: kMaxNames are in use.
  std::optional<ResourceId> acquire(std::string_view name);
  void release(ResourceId id);

  // Nothing: nobody uses it.
  std::optional<ResourceId> find(std::string_view name) const;
  const std::string& name(ResourceId id) const { return names_[id]; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, ResourceId, Hash, std::equal_to<>> ids_;
  std::vector<std::string> names_;
  std::vector<uint32_t> uses_;
  std::vector<ResourceId> free_;
};

}  // namespace sabir::cluster
