// Which life of which node: what is placed on a node names both, so that a node that came back is another one.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "runtime/control/record.h"

namespace sabir::control {

struct NodeRef {
  std::string id;            // 16 bytes
  uint64_t incarnation = 0;  // rises with each registration, over all nodes of a cluster; from 1

  bool none() const { return incarnation == 0; }
  auto operator<=>(const NodeRef&) const = default;

  void write(RecordWriter& out) const { out.text(id).number(incarnation); }
  static NodeRef read(RecordReader& in) {
    NodeRef ref;
    ref.id = in.text();
    ref.incarnation = in.number<uint64_t>();
    return ref;
  }
};

}  // namespace sabir::control
