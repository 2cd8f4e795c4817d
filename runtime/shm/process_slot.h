// What sabird does to the shared words of a slot before a process gets it, and after it died.
#pragma once

#include "runtime/shm/segment.h"

namespace sabir::shm {

// Before the slot's number is told to anybody; D4 holds for its last user. Everything in page and ring becomes as new,
// except that the doorbell's sequence goes on. The inbox is closed: open it when an actor moves in (inbox(calls,
// slot).open()). `death_count`: what the new process counts as having acknowledged. `lease_epoch`: of the slot's lease
// word, which counts as ended.
void prepare_slot(const CallsView& calls, SlotIndex slot, uint64_t death_count, uint32_t lease_epoch);

// D2 (2): takes the dead process's spin tokens.
void sweep_spin_tokens(CallsHeader& header, SlotIndex slot);

}  // namespace sabir::shm
