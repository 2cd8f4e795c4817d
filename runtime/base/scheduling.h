// Where a call or an actor is to run, in its user's words: what travels from an SDK to the node manager, which reads it
// (node/cluster/placement.h has what it means). Equal words are one scheduling class.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sabir {

// What the value of a node's label must be: "eu", "!eu", "in(eu, us)", "!in(eu, us)", "exists()", "!exists()".
struct LabelCondition {
  std::string key;
  std::string text;
  bool operator==(const LabelCondition&) const = default;
};
using LabelConditions = std::vector<LabelCondition>;  // all of them

struct Scheduling {
  enum class Kind : uint8_t { kDefault = 0, kSpread = 1, kNode = 2, kGroup = 3 };
  Kind kind = Kind::kDefault;
  std::string node_id;   // kNode: 16 bytes
  bool soft = false;     // kNode: elsewhere if that node is gone or can never run it
  std::string group_id;  // kGroup: 16 bytes
  int32_t bundle = -1;   // kGroup: its index; -1: any
  // kGroup: what is submitted from inside, and says nothing of where it is to run, runs in the group, too.
  bool capture_children = false;
  LabelConditions labels;
  std::vector<LabelConditions> fallback;  // in this order, when no node of the earlier ones can run it now
  bool operator==(const Scheduling&) const = default;

  bool is_default() const { return *this == Scheduling{}; }
};

}  // namespace sabir
