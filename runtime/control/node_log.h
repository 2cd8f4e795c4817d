// The control store's log of which nodes joined and died, and how far all living ones have acknowledged it (N1, N8). A
// state machine without I/O. What a shell must keep durable: each entry, before it tells anybody. Acknowledgements need
// not be kept: nodes repeat theirs whenever they connect.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "runtime/base/result.h"

namespace sabir::control {

// One life of one node. Rising over the whole cluster, never given twice; 0: nobody.
using Incarnation = uint64_t;
// A position in the log of nodes: entries are 1, 2, ...; 0: before the first.
using LogPosition = uint64_t;

struct NodeLogEntry {
  LogPosition position = 0;
  Incarnation node = 0;
  bool died = false;  // else it joined

  bool operator==(const NodeLogEntry&) const = default;
};

// What somebody who has missed entries needs instead of them.
struct NodeLogSnapshot {
  LogPosition position = 0;       // the last entry it includes
  LogPosition last_death = 0;     // the last entry that is a death
  LogPosition settled = 0;        // N8
  Incarnation newest = 0;         // the last one that was given
  std::vector<Incarnation> live;  // rising
};

class NodeLog {
 public:
  NodeLog() = default;
  // As it was before a restart of the control store, from what was kept. Nobody has acknowledged anything since.
  explicit NodeLog(const NodeLogSnapshot& kept);

  // A node registers: its incarnation stands in the entry. It has nothing of those who died before, so it starts as
  // one that has acknowledged their deaths.
  NodeLogEntry join();
  // Nothing: it is not alive (any more), so there is nothing to say.
  std::optional<NodeLogEntry> die(Incarnation node);
  // The node has done N8 for all entries up to `position`. kDisconnected: it is not alive, so what it says counts for
  // nothing. kInvalid: there is no such entry yet.
  Result<void> acknowledge(Incarnation node, LogPosition position);

  bool is_live(Incarnation node) const { return acknowledged_.contains(node); }
  // Every living node has acknowledged every death that there is, up to the last one, which is here. Never falls.
  LogPosition settled() const { return settled_; }
  NodeLogSnapshot snapshot() const;

 private:
  void settle();

  LogPosition end_ = 0;
  LogPosition last_death_ = 0;
  LogPosition settled_ = 0;
  Incarnation newest_ = 0;
  std::map<Incarnation, LogPosition> acknowledged_;  // of those alive
};

}  // namespace sabir::control
