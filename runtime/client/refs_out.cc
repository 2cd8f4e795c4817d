// The half of Refs that names references to others.
#include "runtime/client/actor_peer.h"
#include "runtime/client/call.h"
#include "runtime/client/objects.h"
#include "runtime/client/refs.h"

namespace sabir::client {

using shm::RingMessage;

namespace {

bool travels_inside(const Future* ref) { return !ref->has_entry() && ref->kind == FutureKind::kValue; }

bool is_plain_null(const Future* ready) {
  return ready->kind == FutureKind::kValue && ready->header.encoding == 0 && ready->header.flags == 0 &&
         ready->header.variant == 0 && ready->size_bytes == 0;
}

}  // namespace

Result<void> Refs::prepare(std::span<Future* const> refs, int depth) {
  for (Future* ref : refs) {
    SABIR_RETURN_IF_ERROR(core_.check_own(ref));
    {
      Lock lock(core_.lock);
      if (ref->has_entry()) {
        own(ref);
        continue;
      }
      if (!ref->ready()) {
        lock.unlock();
        SABIR_RETURN_IF_ERROR(escape(ref));
        continue;
      }
    }
    // Ready: nothing of it changes any more, except that another thread may give it an entry, too.
    if (ref->nested_count() != 0) {
      SABIR_RETURN_IF_ERROR(prepare(ref->extra->nested, depth + 1));
    }
    if (ref->size_bytes > kInlineRefBytes || depth >= kMaxInlineDepth) {
      SABIR_RETURN_IF_ERROR(core_.objects->store_ready(ref));
    }
  }
  return {};
}

Result<void> Refs::escape(Future* pending) {
  Lock lock(core_.lock);
  SABIR_ASSIGN_OR_RETURN(shm::EntryRef entry, core_.lendings.take_entry(lock));
  if (pending->ready() || pending->has_entry()) {
    // It got its value, or another thread was faster, while the lock was released.
    core_.lendings.entries().give_back(entry);
    lock.unlock();
    return prepare({&pending, 1});
  }
  Call* call = pending->call;
  SABIR_CHECK(call != nullptr);
  uint16_t index = 0;
  while (call->result_at(index) != pending) {
    ++index;
  }
  bind_entry(pending, entry, HoldState::kOwn);
  FutureExtra& extra = pending->more();
  extra.escaped = true;
  extra.escape_entry = entry;
  extra.return_index = index;
  call->escaped = true;
  shm::ObjectEntry& shared = core_.self.calls().entry(entry.entry);
  shared.id[0].store(extra.uid != 0 ? extra.uid : core_.self.uid(), std::memory_order_relaxed);
  shared.id[1].store(pending->sequence, std::memory_order_relaxed);
  core_.ring.tell(RingMessage::escape(entry, call->stage == CallStage::kInCell ? call->ref() : shm::CellRef{}, index));
  // Somebody else waits for this result now: it must be delivered also if nobody here does.
  core_.add_interest(1);
  return {};
}

bool Refs::deliver_value(shm::EntryRef entry, const Future* ready) {
  if (is_plain_null(ready)) {
    core_.ring.tell(RingMessage::deliver_null(entry));
    return true;
  }
  size_t size = value_bytes(ready, kStoreAlignment);
  uint32_t block = core_.lendings.take_block(size);
  if (block == shm::kNoBlock) {
    return false;
  }
  Writer out(core_.lendings.blocks().data(block), size);
  write_value(out, ready, kStoreAlignment);
  std::vector<shm::EntryRef> inside;
  if (ready->nested_count() != 0) {
    for (Future* nested : ready->extra->nested) {
      collect_entries(nested, inside);
    }
  }
  for (shm::EntryRef nested : inside) {
    core_.ring.tell(RingMessage::hold_nested(nested, entry));
  }
  core_.ring.tell(RingMessage::deliver_block(entry, block, size));
  core_.lendings.free_block_later(block, core_.ring.position());
  return true;
}

void Refs::deliver_elsewhere(shm::EntryRef entry, const Future* value) {
  if (value != nullptr && value->kind == FutureKind::kObject) {
    core_.ring.tell(RingMessage::deliver_object(entry, value->extra->entry));
  } else if (value == nullptr || !deliver_value(entry, value)) {
    core_.ring.tell(RingMessage::deliver_lost(entry));
  }
}

void Refs::deliver(Future* ready) {
  FutureExtra& extra = ready->more();
  shm::EntryRef entry = extra.escape_entry;
  if (ready->kind == FutureKind::kObject) {
    // The entry stands for the object from now on, and holds it. Here the object's own entry has taken its place, but
    // calls that nobody has taken yet may name this one: their count on the future keeps it (H2).
    core_.ring.tell(RingMessage::deliver_object(entry, extra.entry));
    extra.escape_kept = true;
  } else {
    if (!deliver_value(entry, ready)) {
      undelivered_.push_back(retain(ready));
      return;
    }
  }
  extra.escaped = false;
  core_.add_interest(-1);
}

void Refs::deliver_again() {
  for (Future* ready : std::exchange(undelivered_, {})) {
    deliver(ready);
    release(ready);
  }
}

void Refs::abandon_all() {
  for (Future* ready : std::exchange(undelivered_, {})) {
    release(ready);
  }
}

WireRef Refs::wire_ref(const Future* ref) const {
  WireRef wire;
  uint64_t id[2] = {ref->extra != nullptr && ref->extra->uid != 0 ? ref->extra->uid : core_.self.uid(), ref->sequence};
  std::memcpy(wire.id, id, sizeof(id));
  if (travels_inside(ref)) {
    wire.kind = static_cast<uint8_t>(WireRefKind::kInline);
    wire.size = value_bytes(ref, kCallAlignment);
    return wire;
  }
  wire.kind = static_cast<uint8_t>(ref->kind == FutureKind::kActor ? WireRefKind::kActor : WireRefKind::kEntry);
  wire.entry = ref->extra->entry.entry;
  wire.generation = ref->extra->entry.generation;
  wire.size = ref->kind == FutureKind::kActor ? ref->extra->actor->index : 0;
  return wire;
}

size_t Refs::wire_bytes(const Future* ref) const {
  return sizeof(WireRef) + (travels_inside(ref) ? pad8(value_bytes(ref, kCallAlignment)) : 0);
}

size_t Refs::wire_bytes(std::span<Future* const> refs) const {
  size_t bytes = 0;
  for (const Future* ref : refs) {
    bytes += wire_bytes(ref);
  }
  return bytes;
}

void Refs::write_wire(Writer& out, const Future* ref) const {
  out.put(wire_ref(ref));
  if (travels_inside(ref)) {
    write_value(out, ref, kCallAlignment);
    out.align8();
  }
}

void Refs::write_wire(Writer& out, std::span<Future* const> refs) const {
  for (const Future* ref : refs) {
    write_wire(out, ref);
  }
}

size_t Refs::value_bytes(const Future* ready, size_t alignment) const {
  if (ready->kind == FutureKind::kObject) {
    return kIndirectValueBytes;
  }
  if (is_plain_null(ready)) {
    return 0;
  }
  size_t table = ready->nested_count() == 0 ? 0 : wire_bytes(ready->extra->nested);
  return value_prefix_bytes(table, alignment) + ready->size_bytes;
}

void Refs::write_value(Writer& out, const Future* ready, size_t alignment) const {
  if (ready->kind == FutureKind::kObject) {
    write_indirect_value(out, ready->header, wire_ref(ready));
    return;
  }
  if (is_plain_null(ready)) {
    return;
  }
  const uint8_t* from = out.at();
  ValueHeader header = ready->header;
  header.ref_count = static_cast<uint32_t>(ready->nested_count());
  header.flags = static_cast<uint8_t>((header.flags & kValueIsError) | (header.ref_count != 0 ? kValueHasRefs : 0));
  out.put(header);
  if (header.ref_count != 0) {
    write_wire(out, ready->extra->nested);
  }
  out.align(alignment, from);
  out.put_bytes(ready->data, ready->size_bytes);
}

bool Refs::named_when_passed(const Future* ready) const {
  return ready->kind == FutureKind::kValue && ready->has_entry() &&
         value_bytes(ready, kCallAlignment) > kInlineRefBytes;
}

size_t Refs::passed_bytes(const Future* ready) const {
  return named_when_passed(ready) ? kIndirectValueBytes : value_bytes(ready, kCallAlignment);
}

void Refs::write_passed(Writer& out, const Future* ready) const {
  if (named_when_passed(ready)) {
    write_indirect_value(out, ready->header, wire_ref(ready));
  } else {
    write_value(out, ready, kCallAlignment);
  }
}

void Refs::collect_entries(const Future* ref, std::vector<shm::EntryRef>& out) const {
  if (ref->has_entry()) {
    out.push_back(ref->extra->entry);
    return;
  }
  if (ref->nested_count() != 0) {
    for (const Future* nested : ref->extra->nested) {
      collect_entries(nested, out);
    }
  }
}

}  // namespace sabir::client
