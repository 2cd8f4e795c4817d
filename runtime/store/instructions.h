// What the state machines of the store (loans.h, ownership.h) ask their shell to do. To be carried out in order.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/store/identity.h"

namespace sabir::store {

// --- loans ---

// Answers the request with this ticket.
struct GrantLoan {
  uint64_t ticket = 0;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
  bool reused = false;  // the process had it before: its alias still stands (O1)
};
struct RefuseLoan {
  uint64_t ticket = 0;
  Error error{ErrorKind::kInternal, ""};
};
// Send `collect` to this process: it holds idle loans that somebody waits for.
struct CollectFrom {
  ProcessId process;
};
// O9: count NodeHeader.store_pressure up and send `collect` to every process.
struct CollectFromAll {};

// --- objects ---

// Store offset and size_bytes into the entry, then word (release). FREE means: its batch's holder may use it again.
struct WriteEntry {
  shm::EntryIndex entry = 0;
  shm::EntryWord word;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
};
// Copy a delivered value out of a block of `process` to `offset` of the objects segment (O6). Comes before the
// WriteEntry and RingProcess that publish it. The block's range was checked, its bytes were not.
struct CopyBlock {
  ProcessId process;
  uint32_t block = 0;  // in kBlockUnitBytes
  uint64_t size_bytes = 0;
  uint64_t offset = 0;
};
// Add one to the process's doorbell and wake it: an entry it subscribed to is no longer pending.
struct RingProcess {
  ProcessId process;
};
// Nobody holds a handle of this actor any more. Its entry is free again.
struct ActorUnheld {
  shm::ActorIndex actor = 0;
  shm::EntryRef entry;
};
// O10. An entry's value is on another node, and somebody here waits for it: `process`, which said so, is to fetch and
// deliver it.
struct FetchObject {
  ProcessId process;
  shm::EntryRef entry;
};
// O10. Nobody here holds the entry of such a value any more: `process` may let go of it. The entry is free again.
struct ObjectUnheld {
  ProcessId process;
  shm::EntryRef entry;
};
// O11. Such a value is lost: `process` has said that it can make it again, and is to deliver it from now on.
struct RemakeObject {
  ProcessId process;
  shm::EntryRef entry;
};
// T4: log the text, close the connection, kill the process.
struct Violation {
  ProcessId process;
  std::string text;
};

using Instruction = std::variant<GrantLoan, RefuseLoan, CollectFrom, CollectFromAll, WriteEntry, CopyBlock, RingProcess,
                                 ActorUnheld, FetchObject, ObjectUnheld, RemakeObject, Violation>;
using Instructions = std::vector<Instruction>;

}  // namespace sabir::store
