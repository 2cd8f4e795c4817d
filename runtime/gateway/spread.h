// How the objects that this node has named spread over others: who has a copy, who is getting one, and whom the next
// one is to ask. Decisions only.
//
// Bytes flow along a tree that grows as nodes ask: each is referred to the source that serves the fewest others, and a
// node that is still receiving is a source, too. So the owner of an object that many want at once sends it about once.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "runtime/rpc/node_messages.h"

namespace sabir::gateway {

// One thread at a time.
class Spread {
 public:
  using Node = rpc::NodeKeyBytes;
  // Beyond that, objects are served by this node and nothing is remembered.
  static constexpr size_t kMaxObjects = 4096;
  // A node serves so many hops of a chain before its source takes one more.
  static constexpr size_t kChainLength = 8;
  // One that is not receiving any more is shared by those who ask next; so many at a time.
  static constexpr size_t kMaxSources = 4;

  // Whom to ask, the first first. `self`: this node.
  struct Located {
    bool self = false;
    std::vector<Node> others;
  };

  // `node` wants it, from now on until has() or gone(). Again, after failed(): from somebody else.
  Located locate(rpc::ObjectId id, const Node& node);
  // It has all of it.
  void has(rpc::ObjectId id, const Node& node);
  // It has it no more, or does not want it any more.
  void gone(rpc::ObjectId id, const Node& node);
  // `source` did not serve it.
  void failed(rpc::ObjectId id, const Node& node, const Node& source);
  // The node's connection is over.
  void lost(const Node& node);

  size_t object_count() const { return objects_.size(); }

 private:
  struct Copy {
    bool complete = false;
    bool from_self = false;
    std::vector<Node> from;  // while it is receiving
    std::set<Node> refused;  // sources that did not serve it
  };
  using Copies = std::map<Node, Copy>;

  static size_t served_by(const Copies& copies, const Node* source);
  static size_t depth_of(const Copies& copies, const Node& node);

  std::map<rpc::ObjectId, Copies> objects_;
};

}  // namespace sabir::gateway
