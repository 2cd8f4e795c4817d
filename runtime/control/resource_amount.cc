#include "runtime/control/resource_amount.h"

#include <utility>

namespace sabir::control {
namespace {

bool is_name(const std::string& name) { return !name.empty() && name.size() <= kMaxNameBytes; }

}  // namespace

void write(const ResourceAmounts& resources, RecordWriter& out) {
  out.number(static_cast<uint32_t>(resources.size()));
  for (const ResourceAmount& resource : resources) {
    out.text(resource.name).number(resource.units);
  }
}

void write(const Labels& labels, RecordWriter& out) {
  out.number(static_cast<uint32_t>(labels.size()));
  for (const auto& [name, value] : labels) {
    out.text(name).text(value);
  }
}

ResourceAmounts read_resources(RecordReader& in) {
  ResourceAmounts resources;
  for (auto left = in.number<uint32_t>(); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    auto units = in.number<int64_t>();
    resources.push_back({std::move(name), units});
  }
  return resources;
}

Labels read_labels(RecordReader& in) {
  Labels labels;
  for (auto left = in.number<uint32_t>(); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    labels.insert_or_assign(std::move(name), in.text());
  }
  return labels;
}

Result<void> check(const ResourceAmounts& resources) {
  if (resources.size() > kMaxResources) {
    return invalid_error(std::to_string(resources.size()) + " resources; the limit is " +
                         std::to_string(kMaxResources));
  }
  for (const ResourceAmount& resource : resources) {
    if (!is_name(resource.name) || resource.units < 0) {
      return invalid_error("a resource needs a name of 1 to " + std::to_string(kMaxNameBytes) +
                           " bytes and an amount that is not negative");
    }
  }
  return {};
}

Result<void> check(const Labels& labels) {
  if (labels.size() > kMaxLabels) {
    return invalid_error(std::to_string(labels.size()) + " labels; the limit is " + std::to_string(kMaxLabels));
  }
  for (const auto& [name, value] : labels) {
    if (!is_name(name) || value.size() > kMaxNameBytes) {
      return invalid_error("a label needs a name, and name and value have at most " + std::to_string(kMaxNameBytes) +
                           " bytes");
    }
  }
  return {};
}

}  // namespace sabir::control
