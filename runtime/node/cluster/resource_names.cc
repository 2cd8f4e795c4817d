#include "runtime/node/cluster/resource_names.h"

#include "runtime/base/check.h"

namespace sabir::cluster {

ResourceNames::ResourceNames() {
  for (const char* name : {"CPU", "GPU", "memory"}) {
    acquire(name);
  }
  SABIR_CHECK(find("CPU") == node::kCpu && find("GPU") == kGpu && find("memory") == node::kMemory);
}

std::optional<ResourceId> ResourceNames::acquire(std::string_view name) {
  if (auto found = ids_.find(name); found != ids_.end()) {
    uses_[found->second] += 1;
    return found->second;
  }
  if (ids_.size() >= kMaxNames) {
    return std::nullopt;
  }
  ResourceId id = 0;
  if (free_.empty()) {
    id = static_cast<ResourceId>(names_.size());
    names_.emplace_back(name);
    uses_.push_back(1);
  } else {
    id = free_.back();
    free_.pop_back();
    names_[id] = name;
    uses_[id] = 1;
  }
  ids_.emplace(name, id);
  return id;
}

void ResourceNames::release(ResourceId id) {
  SABIR_CHECK(uses_[id] > 0, "id=", id);
  uses_[id] -= 1;
  if (uses_[id] == 0) {
    ids_.erase(names_[id]);
    free_.push_back(id);
  }
}

std::optional<ResourceId> ResourceNames::find(std::string_view name) const {
  auto found = ids_.find(name);
  return found == ids_.end() ? std::nullopt : std::optional<ResourceId>(found->second);
}

}  // namespace sabir::cluster
