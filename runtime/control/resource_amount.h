// What nodes have, and what actors and bundles ask for: amounts by name, and labels, as they are stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/control/record.h"

namespace sabir::control {

struct ResourceAmount {
  std::string name;
  int64_t units = 0;  // 1/10000
  bool operator==(const ResourceAmount&) const = default;
};
using ResourceAmounts = std::vector<ResourceAmount>;
// A node's labels, or by label what a placement asks of them.
using Labels = std::map<std::string, std::string>;

inline constexpr size_t kMaxResources = 256;  // of a node or a request
inline constexpr size_t kMaxLabels = 64;
inline constexpr size_t kMaxNameBytes = 255;  // of a resource, a label, or a label's value

void write(const ResourceAmounts& resources, RecordWriter& out);
void write(const Labels& labels, RecordWriter& out);
ResourceAmounts read_resources(RecordReader& in);
Labels read_labels(RecordReader& in);

// kInvalid: too many, names that are empty or too long, amounts below zero.
Result<void> check(const ResourceAmounts& resources);
Result<void> check(const Labels& labels);

}  // namespace sabir::control
