// What the control store keeps of a placement group, and its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/cluster/group_messages.h"

namespace sabir::cluster {

// Of a record. Below what a row of the control store may have.
inline constexpr size_t kMaxGroupBytes = 1 << 19;

struct GroupRecord {
  struct Bundle {
    NodeKey node;  // nil: has no place
    uint64_t attempt = 0;
    bool operator==(const Bundle&) const = default;
  };
  GroupSpec spec;
  uint64_t order = 0;  // of creation, rising
  bool ready = false;  // every bundle has a place, and its node has said so
  std::vector<Bundle> bundles;
  bool operator==(const GroupRecord&) const = default;
};

std::string encode_group(const GroupRecord& record);
// kInternal: these are not the bytes of a record.
Result<GroupRecord> decode_group(std::string_view bytes);

}  // namespace sabir::cluster
