#include "runtime/client/objects.h"

#include <algorithm>
#include <utility>

#include "runtime/client/refs.h"
#include "runtime/client/settle.h"

namespace sabir::client {
namespace {

// What an RPC may take beyond the time that it waits for room.
constexpr int64_t kRpcSlackNs = 30 * kSecondNs;
// One request for room waits at most so long; a longer wait is several of them.
constexpr int64_t kWaitSliceNs = 10 * kSecondNs;

void retain_all(Future* owner, std::span<Future* const> refs) {
  if (!refs.empty()) {
    std::vector<Future*>& nested = owner->more().nested;
    nested.assign(refs.begin(), refs.end());
    for (Future* ref : nested) {
      retain(ref);
    }
  }
}

}  // namespace

size_t total_bytes(std::span<const sabir_span> parts) {
  size_t total = 0;
  for (const sabir_span& part : parts) {
    total += part.size;
  }
  return total;
}

Objects::Objects(Core& core, UniqueFd objects_fd)
    : core_(core),
      objects_fd_(std::move(objects_fd)),
      writer_(objects_fd_.get(), *this, core.ring, store::ObjectWriter::Options{}) {}

Result<Future*> Objects::put(const sabir_value& value, int64_t timeout_ns) {
  for (const Future* ref : refs_of(value)) {
    SABIR_RETURN_IF_ERROR(core_.check_own(ref));
  }
  size_t size = total_bytes(parts_of(value));
  if (size >= shm::kStoreThresholdBytes) {
    return store(header_of(value), refs_of(value), parts_of(value), timeout_ns);
  }
  Future* future;
  {
    Lock lock(core_.lock);
    SABIR_RETURN_IF_ERROR(core_.check_open());
    if (core_.anchor->has_dead()) {
      core_.refs->reclaim();
    }
    future = core_.refs->make(core_.refs->next_put_sequence());
  }
  // Nobody else knows it yet.
  future->header = header_of(value);
  uint8_t* room = future->make_room(size);
  for (const sabir_span& part : parts_of(value)) {
    if (part.size != 0) {
      std::memcpy(room, part.data, part.size);
      room += part.size;
    }
  }
  retain_all(future, refs_of(value));
  future->state.store(FutureState::kReady, std::memory_order_release);
  return future;
}

Result<Future*> Objects::store(ValueHeader header, std::span<Future* const> refs, std::span<const sabir_span> parts,
                               int64_t timeout_ns) {
  uint64_t sequence;
  {
    Lock lock(core_.lock);
    SABIR_RETURN_IF_ERROR(core_.check_open());
    if (core_.anchor->has_dead()) {
      core_.refs->reclaim();  // what is let go now makes room soon
    }
    sequence = core_.refs->next_put_sequence();
  }
  SABIR_ASSIGN_OR_RETURN(shm::EntryRef entry, write(header, refs, parts, sequence, timeout_ns));
  return make_object(header, entry, sequence, refs);
}

Result<void> Objects::store_ready(Future* ready) {
  sabir_span part{ready->data, ready->size_bytes};
  std::span<Future* const> refs;
  if (ready->nested_count() != 0) {
    refs = ready->extra->nested;
  }
  SABIR_ASSIGN_OR_RETURN(shm::EntryRef entry, write(ready->header, refs, {&part, 1}, ready->sequence, kWaitSliceNs));
  Lock lock(core_.lock);
  if (ready->has_entry()) {
    // Another thread was faster: one hold is enough.
    core_.ring.tell(shm::RingMessage::release(entry));
  } else {
    core_.refs->bind_entry(ready, entry, HoldState::kOwn);
  }
  core_.unlock(lock);
  return {};
}

Future* Objects::make_object(ValueHeader header, shm::EntryRef entry, uint64_t sequence,
                             std::span<Future* const> refs) {
  Lock lock(core_.lock);
  Future* future = core_.refs->make(sequence);
  future->kind = FutureKind::kObject;
  future->header = header;
  core_.refs->bind_entry(future, entry, HoldState::kOwn);
  retain_all(future, refs);
  future->state.store(FutureState::kReady, std::memory_order_release);
  return future;
}

Result<shm::EntryRef> Objects::write(ValueHeader header, std::span<Future* const> refs,
                                     std::span<const sabir_span> parts, uint64_t sequence, int64_t timeout_ns) {
  SABIR_RETURN_IF_ERROR(core_.refs->prepare(refs));
  std::vector<uint8_t> table;
  std::vector<shm::EntryRef> inside;
  if (!refs.empty()) {
    // Measured and written under one lock: a reference that gets an entry meanwhile changes its size.
    Lock lock(core_.lock);
    table.resize(core_.refs->wire_bytes(refs));
    Writer out(table.data(), table.size());
    core_.refs->write_wire(out, refs);
    for (Future* ref : refs) {
      core_.refs->collect_entries(ref, inside);
    }
  }
  header.ref_count = static_cast<uint32_t>(refs.size());
  header.flags = static_cast<uint8_t>((header.flags & kValueIsError) | (refs.empty() ? 0 : kValueHasRefs));
  size_t prefix = value_prefix_bytes(table.size(), kStoreAlignment);
  SABIR_ASSIGN_OR_RETURN(store::Placement placement,
                         writer_.create(prefix + total_bytes(parts), {.wait_ns = timeout_ns}));
  Writer out(placement.data(), prefix);
  out.put(header);
  out.put_bytes(table.data(), table.size());
  out.align(kStoreAlignment, placement.data());
  uint8_t* at = placement.data() + prefix;
  for (const sabir_span& part : parts) {
    store::copy_bytes(at, static_cast<const uint8_t*>(part.data), part.size);
    at += part.size;
  }
  return announce(std::move(placement), sequence, inside);
}

Result<shm::EntryRef> Objects::announce(store::Placement placement, uint64_t sequence,
                                        std::span<const shm::EntryRef> inside) {
  Lock lock(core_.lock);
  SABIR_ASSIGN_OR_RETURN(shm::EntryRef ref, core_.lendings.take_entry(lock));
  lock.unlock();
  shm::ObjectEntry& entry = core_.self.calls().entry(ref.entry);
  entry.offset.store(placement.offset(), std::memory_order_relaxed);
  entry.size_bytes.store(placement.size_bytes(), std::memory_order_relaxed);
  entry.id[0].store(core_.self.uid(), std::memory_order_relaxed);
  entry.id[1].store(sequence, std::memory_order_relaxed);
  entry.word.store(shm::EntryWord{ref.generation, shm::EntryState::kResident, 0}.pack(), std::memory_order_release);
  for (shm::EntryRef nested : inside) {
    core_.ring.tell(shm::RingMessage::hold_nested(nested, ref));
  }
  if (Result<void> sealed = writer_.seal(std::move(placement), ref); !sealed.ok()) {
    lock.lock();
    core_.lendings.entries().give_back(ref);
    return std::move(sealed).error();
  }
  return ref;
}

Result<std::unique_ptr<Builder>> Objects::build(ValueHeader header, size_t size_bytes, int64_t timeout_ns,
                                                void** out_data) {
  auto builder = std::make_unique<Builder>();
  builder->core = &core_;
  builder->header = header;
  Lock lock(core_.lock);
  SABIR_RETURN_IF_ERROR(core_.check_open());
  if (size_bytes < shm::kStoreThresholdBytes) {
    builder->small = core_.refs->make(core_.refs->next_put_sequence());
    *out_data = builder->small->make_room(size_bytes);
    return builder;
  }
  lock.unlock();
  size_t prefix = value_prefix_bytes(0, kStoreAlignment);
  if (size_bytes > SIZE_MAX - prefix) {
    return invalid_error("an object of " + std::to_string(size_bytes) + " bytes");
  }
  SABIR_ASSIGN_OR_RETURN(builder->placement,
                         writer_.create(prefix + size_bytes, {.wait_ns = timeout_ns, .in_place = true}));
  *out_data = builder->placement.data() + prefix;
  return builder;
}

Result<Future*> Objects::seal(std::unique_ptr<Builder> builder) {
  if (Future* small = builder->small) {
    small->header = builder->header;
    small->state.store(FutureState::kReady, std::memory_order_release);
    return small;
  }
  // The header is written last: the caller may have scribbled over what lies in front of its bytes.
  uint8_t* start = builder->placement.data();
  Writer out(start, value_prefix_bytes(0, kStoreAlignment));
  out.put(builder->header);
  out.align(kStoreAlignment, start);
  uint64_t sequence;
  {
    Lock lock(core_.lock);
    SABIR_RETURN_IF_ERROR(core_.check_open());
    sequence = core_.refs->next_put_sequence();
  }
  SABIR_ASSIGN_OR_RETURN(shm::EntryRef entry, announce(std::move(builder->placement), sequence, {}));
  return make_object(builder->header, entry, sequence, {});
}

void Objects::abandon(std::unique_ptr<Builder> builder) {
  if (builder->small != nullptr) {
    release(builder->small);
  }
}

Result<store::LoanSource::Loan> Objects::loan(uint64_t size_bytes, int64_t wait_ns) {
  const Clock& clock = core_.self.clock();
  int64_t start_ns = clock.now_ns();
  if (size_bytes > core_.self.node().header().store_bytes) {
    wait_ns = 0;  // it can never fit: the node says what fills the store, at once
  }
  for (;;) {
    int64_t left_ns = wait_ns < 0 ? kWaitSliceNs : std::max<int64_t>(0, wait_ns - (clock.now_ns() - start_ns));
    int64_t slice_ns = std::min(left_ns, kWaitSliceNs);
    Result<rpc::LoanInfo> loan = core_.self.session().loan(size_bytes, slice_ns, slice_ns + kRpcSlackNs);
    if (loan.ok()) {
      return Loan{loan->offset, loan->size_bytes, loan->reused};
    }
    bool wait_more = wait_ns < 0 || left_ns > slice_ns;
    if (loan.error().kind() != ErrorKind::kStoreFull || !wait_more) {
      return std::move(loan).error();
    }
    SABIR_RETURN_IF_ERROR(core_.check_open());
  }
}

void Objects::give_back(uint64_t offset) { core_.self.session().post_return_loan(offset); }

}  // namespace sabir::client
