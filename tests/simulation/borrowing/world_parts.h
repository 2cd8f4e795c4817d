// The parts of BorrowWorld that its files share.
#pragma once

#include <variant>

#include "tests/simulation/borrowing/world.h"

namespace sabir::simulation {

struct CarrierMessage {
  CarrierId id;
  std::vector<ObjectName> references;
};
// The answer to a call, or that a result was taken.
struct DoneMessage {
  CarrierId id;
};

struct BorrowWorld::Message {
  Incarnation from = 0;
  Incarnation to = 0;
  std::variant<CarrierMessage, DoneMessage, node::BorrowRequest, node::BorrowAnswer> what;
};

// One incarnation: a sabird and its processes.
struct BorrowWorld::Node {
  struct OwnObject {
    uint32_t local = 0;  // holds of its processes
    bool cluster = false;
  };
  struct Lent {
    Incarnation receiver = 0;
    std::vector<ObjectName> references;
  };

  Incarnation self = 0;
  Machine machine = 0;
  bool cut = false;  // hears nothing of the control store, nor it of this node
  std::unique_ptr<node::Borrowing> borrowing;
  std::map<uint64_t, OwnObject> objects;                 // by entry; generations are all 1
  std::map<ObjectName, uint32_t> held;                   // by its processes; of other nodes
  std::map<CarrierId, std::vector<ObjectName>> running;  // arrived, not finished
  std::set<CarrierId> finishing;                         // finished by the local side
  std::set<CarrierId> finished;                          // CarrierDone came: copies get the same word (the link's part)
  std::map<uint64_t, Lent> lent;
  uint32_t next_entry = 0;
  uint64_t next_carrier = 1;
  LogPosition told = 0;  // by the control store: entries under way to it, or there

  std::vector<ObjectName> reached() const;
  bool reaches(const ObjectName& object) const;
};

}  // namespace sabir::simulation
