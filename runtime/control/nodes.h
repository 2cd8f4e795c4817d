// The nodes of a cluster: who belongs to it, and who was declared dead.
//
// A registration gives a node an incarnation, higher than any before it. Everything that a node says carries both, and
// check() refuses who was declared dead: it may be alive and only late, but its actors may live elsewhere by now. Such
// a node ends its workers and registers anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/control/node_ref.h"
#include "runtime/control/resource_amount.h"
#include "runtime/control/storage.h"

namespace sabir::control {

struct NodeSpec {
  std::string id;        // 16 bytes
  std::string start_id;  // 16 random bytes of this start of its sabird: tells a repeated registration from another node
  std::string address;   // of its port: "host:port"
  ResourceAmounts resources;
  Labels labels;
  std::string fingerprint = {};  // of its certificate: 32 bytes; empty without TLS
  std::string name = {};         // for people
  bool operator==(const NodeSpec&) const = default;
};

enum class NodeState : uint8_t {
  kAlive = 0,
  kDraining = 1,  // gets nothing new
  kDead = 2,      // for good; the next life has another incarnation
};

struct NodeRecord {
  NodeSpec spec;
  uint64_t incarnation = 0;
  NodeState state = NodeState::kAlive;
  std::string reason;  // of draining or death, for people
  // Of a draining one: when it is to be gone, by the clock of the world; 0: it has as long as it takes.
  int64_t drain_until_unix_ms = 0;
  NodeRef ref() const { return {spec.id, incarnation}; }
  bool operator==(const NodeRecord&) const = default;
};

class Nodes {
 public:
  static constexpr std::string_view kTable = "nodes";
  static constexpr size_t kMaxLiving = 4'096;
  // So many dead ones are remembered, oldest forgotten first; a forgotten one is refused all the same.
  static constexpr size_t kMaxDead = 1'024;
  static constexpr size_t kMaxReasonBytes = 1'024;
  static constexpr size_t kMaxNameBytes = 256;

  explicit Nodes(Storage* storage) : storage_(storage) {}
  Result<void> load();
  // Of a row of the table. kInternal: it cannot be read.
  static Result<NodeRecord> decode(std::string_view bytes);

  // Its incarnation. `known_incarnation`: what an earlier answer gave this start of it; 0: none yet. The same start
  // again: the same incarnation, and what it says of itself is taken anew. kAlreadyExists: another node of this id
  // lives. kDisconnected: fenced, see check(). kInvalid. kExhausted: kMaxLiving.
  Result<uint64_t> register_node(const NodeSpec& spec, uint64_t known_incarnation);
  // Errors as check(). Again: fine, the first reason stays, and the latest end counts. `until_unix_ms`: see NodeRecord.
  Result<void> drain(const NodeRef& node, const std::string& reason, int64_t until_unix_ms = 0);
  // Of one that is dead, or an earlier life: fine. kNotFound: there never was one.
  Result<void> declare_dead(const NodeRef& node, const std::string& reason);

  // For each message of a node. kDisconnected: fenced: it was declared dead, or is an earlier life of the node; it must
  // end its workers and register anew. kNotFound: it never registered.
  Result<void> check(const NodeRef& node) const;
  const NodeRecord* find(const std::string& id) const;
  std::vector<const NodeRecord*> all() const;

 private:
  Result<void> store(NodeRecord record);

  Storage* const storage_;
  std::map<std::string, NodeRecord> nodes_;
  std::map<uint64_t, std::string> dead_;  // by incarnation
  uint64_t last_incarnation_ = 0;
};

}  // namespace sabir::control
