#include "runtime/node/resources.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/base/check.h"

namespace sabir::node {
namespace {

// Above any machine, and far from overflow when thousands of them are added up.
constexpr Units kMaxUnits = Units{1} << 55;

}  // namespace

Result<void> check_amounts(const std::vector<ResourceRequest>& amounts) {
  if (amounts.size() > kMaxResourcesPerRequest) {
    return invalid_error("more than " + std::to_string(kMaxResourcesPerRequest) + " resources");
  }
  for (size_t i = 0; i < amounts.size(); ++i) {
    const ResourceRequest& one = amounts[i];
    if (one.name.empty() || one.name.size() > 256) {
      return invalid_error("a resource needs a name of 1 to 256 bytes");
    }
    if (one.units < 0 || one.units > kMaxUnits) {
      return invalid_error("resource " + one.name + ": the amount is out of range");
    }
    for (size_t j = 0; j < i; ++j) {
      if (amounts[j].name == one.name) {
        return invalid_error("resource " + one.name + " is given twice");
      }
    }
  }
  return {};
}

Result<void> check_request(const std::vector<ResourceRequest>& request) {
  SABIR_RETURN_IF_ERROR(check_amounts(request));
  for (const ResourceRequest& one : request) {
    if (one.name == "GPU" && one.units > kUnit && one.units % kUnit != 0) {
      return invalid_error("above one GPU only whole numbers of GPUs can be asked for, not " + format_units(one.units));
    }
  }
  return {};
}

std::string format_units(Units units) {
  std::string text = units < 0 ? "-" : "";
  uint64_t magnitude = units < 0 ? -static_cast<uint64_t>(units) : static_cast<uint64_t>(units);
  text += std::to_string(magnitude / kUnit);
  uint64_t rest = magnitude % kUnit;
  if (rest != 0) {
    std::string digits = std::to_string(rest);
    digits.insert(0, 4 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

Units ResourceSet::get(ResourceId id) const {
  for (const Amount& amount : amounts_) {
    if (amount.id == id) {
      return amount.units;
    }
  }
  return 0;
}

void ResourceSet::set(ResourceId id, Units units) {
  auto at = std::lower_bound(amounts_.begin(), amounts_.end(), id,
                             [](const Amount& amount, ResourceId other) { return amount.id < other; });
  bool present = at != amounts_.end() && at->id == id;
  if (units == 0) {
    if (present) {
      amounts_.erase(at);
    }
  } else if (present) {
    at->units = units;
  } else {
    amounts_.insert(at, {id, units});
  }
}

NodeResources::NodeResources() : names_{"CPU", "GPU", "memory"}, totals_(3), free_(3) {}

Result<NodeResources> NodeResources::create(const std::vector<ResourceRequest>& totals) {
  SABIR_RETURN_IF_ERROR(check_amounts(totals));
  NodeResources node;
  for (const ResourceRequest& one : totals) {
    ResourceId id = node.id_of(one.name);
    if (id == kGpu && (one.units % kUnit != 0 || one.units > Units{kMaxGpus} * kUnit)) {
      return invalid_error("the number of GPUs is whole and at most " + std::to_string(kMaxGpus));
    }
    node.totals_[id] = node.free_[id] = one.units;
  }
  node.gpu_free_.assign(static_cast<size_t>(node.totals_[kGpu] / kUnit), kUnit);
  return node;
}

ResourceId NodeResources::id_of(std::string_view name) {
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) {
      return static_cast<ResourceId>(i);
    }
  }
  if (names_.size() < kMaxResourceNames) {
    names_.emplace_back(name);
    totals_.push_back(0);
    free_.push_back(0);
    return static_cast<ResourceId>(names_.size() - 1);
  }
  return kMaxResourceNames;
}

Result<ResourceSet> NodeResources::resolve(const std::vector<ResourceRequest>& request) {
  SABIR_RETURN_IF_ERROR(check_request(request));
  ResourceSet set;
  for (const ResourceRequest& one : request) {
    if (one.units == 0) {
      continue;
    }
    ResourceId id = id_of(one.name);
    if (id == kMaxResourceNames) {
      return exhausted_error("more than " + std::to_string(kMaxResourceNames) +
                             " names of resources; the first one too many is " + one.name);
    }
    set.set(id, one.units);
  }
  return set;
}

std::string NodeResources::describe(const ResourceSet& set) const {
  std::string text = "{";
  for (const auto& amount : set) {
    text += (text.size() > 1 ? ", " : "") + names_[amount.id] + ": " + format_units(amount.units);
  }
  return text + "}";
}

std::string NodeResources::infeasible(const ResourceSet& request) const {
  std::string missing;
  for (const auto& amount : request) {
    if (amount.units > totals_[amount.id]) {
      missing += (missing.empty() ? "needs " : "; needs ") + format_units(amount.units) + " " + names_[amount.id] +
                 ", this node has " + format_units(totals_[amount.id]);
    }
  }
  return missing;
}

bool NodeResources::gpus_fit(Units units) const {
  if (units < kUnit) {
    return std::any_of(gpu_free_.begin(), gpu_free_.end(), [&](Units free) { return free >= units; });
  }
  return std::count(gpu_free_.begin(), gpu_free_.end(), kUnit) >= units / kUnit;
}

bool NodeResources::lacks(const ResourceSet::Amount& amount) const {
  return amount.id == kGpu ? !gpus_fit(amount.units) : free_[amount.id] < amount.units;
}

bool NodeResources::fits(const ResourceSet& request) const {
  return std::none_of(request.begin(), request.end(),
                      [this](const ResourceSet::Amount& amount) { return lacks(amount); });
}

bool NodeResources::would_fit(const ResourceSet& request, const ResourceSet& extra, const ResourceSet& kept) const {
  for (const auto& amount : request) {
    if (free_[amount.id] + extra.get(amount.id) - kept.get(amount.id) < amount.units ||
        (extra.get(amount.id) == 0 && lacks(amount))) {
      return false;
    }
  }
  return true;
}

Allocation NodeResources::take(const ResourceSet& request) {
  SABIR_CHECK(fits(request));
  Allocation allocation{.amounts = request};
  for (const auto& amount : request) {
    free_[amount.id] -= amount.units;
  }
  Units gpu_units = request.get(kGpu);
  if (gpu_units == 0) {
    return allocation;
  }
  allocation.units_per_gpu = std::min(gpu_units, kUnit);
  for (Units left = gpu_units; left > 0; left -= allocation.units_per_gpu) {
    // Of those that fit the fullest one: whole GPUs stay whole as long as possible.
    size_t best = gpu_free_.size();
    for (size_t i = 0; i < gpu_free_.size(); ++i) {
      if (gpu_free_[i] >= allocation.units_per_gpu && (best == gpu_free_.size() || gpu_free_[i] < gpu_free_[best])) {
        best = i;
      }
    }
    gpu_free_[best] -= allocation.units_per_gpu;
    allocation.gpu_mask |= uint64_t{1} << best;
  }
  return allocation;
}

void NodeResources::give_back(const Allocation& allocation) {
  for (const auto& amount : allocation.amounts) {
    if (amount.id == kCpu && allocation.cpu_lent) {
      continue;
    }
    free_[amount.id] += amount.units;
    SABIR_CHECK(free_[amount.id] <= totals_[amount.id], "given back twice: ", names_[amount.id]);
  }
  for (uint64_t mask = allocation.gpu_mask; mask != 0; mask &= mask - 1) {
    Units& free = gpu_free_[static_cast<size_t>(std::countr_zero(mask))];
    free += allocation.units_per_gpu;
    SABIR_CHECK(free <= kUnit, "a GPU was given back twice");
  }
}

void NodeResources::lend_cpu(Allocation& allocation) {
  SABIR_CHECK(!allocation.cpu_lent);
  allocation.cpu_lent = true;
  free_[kCpu] += allocation.amounts.get(kCpu);
}

void NodeResources::take_back_cpu(Allocation& allocation) {
  SABIR_CHECK(allocation.cpu_lent);
  allocation.cpu_lent = false;
  free_[kCpu] -= allocation.amounts.get(kCpu);
}

Units NodeResources::total(ResourceId id) const { return id < totals_.size() ? totals_[id] : 0; }
Units NodeResources::free(ResourceId id) const { return id < free_.size() ? free_[id] : 0; }

}  // namespace sabir::node
