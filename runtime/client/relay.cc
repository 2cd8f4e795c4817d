#include "runtime/client/relay.h"

#include <cstring>

#include "runtime/client/dispatch.h"
#include "runtime/client/objects.h"
#include "runtime/client/refs.h"

namespace sabir::client {

void Relay::set_width(uint32_t calls) {
  Lock lock(core_.lock);
  core_.executor->set_width(calls);
  core_.unlock(lock);
}

Result<void> Relay::finish(Work* work, std::vector<Future*> values) {
  return core_.executor->finish_with(work, std::move(values));
}

void Relay::fail(Work* work, Future* error, bool retryable) {
  core_.executor->fail_with(work, error, retryable ? kRetryableError : kError);
}

void Relay::lose(Work* work, std::string_view message) {
  core_.executor->fail_with(work, make_error(ErrorKind::kWorkerCrashed, message), kLostError);
}

void Relay::give_back(Work* work) {
  core_.executor->fail_with(work, make_error(ErrorKind::kWorkerCrashed, "it did not begin"), kNotBegun);
}

Result<void> Relay::finish_creation(Work* work) { return core_.executor->finish(work, {}); }

void Relay::fail_creation(Work* work, std::string message, std::string error) {
  core_.executor->fail_creation(work, std::move(message), std::move(error));
}

Future* Relay::make_error(ErrorKind kind, std::string_view message) {
  Lock lock(core_.lock);
  Future* error = core_.refs->make(core_.refs->next_put_sequence());
  core_.refs->fill_error(error, kind, message);
  error->state.store(FutureState::kReady, std::memory_order_release);
  core_.unlock(lock);
  return error;
}

Future* Relay::promise(uint64_t uid, uint64_t sequence) {
  Lock lock(core_.lock);
  // A call that never enters a queue: whatever waits for a call's result waits for this one in the same way.
  Call* call = core_.dispatcher->make_call(1);
  call->stage = CallStage::kParked;
  Future* promise = call->result;
  promise->sequence = sequence;
  promise->more().uid = uid;
  core_.unlock(lock);
  return promise;
}

void Relay::fulfil(Future* promise, Future* value) {
  if (value->kind == FutureKind::kValue && value->nested_count() != 0) {
    if (Result<void> prepared = core_.refs->prepare(value->extra->nested); !prepared.ok()) {
      release(value);
      break_promise(promise, prepared.error().kind(), prepared.error().message());
      return;
    }
  }
  Lock lock(core_.lock);
  if (Call* call = promise->call; !promise->ready() && call != nullptr) {
    core_.refs->become(promise, value);
    core_.dispatcher->finish(call);
    core_.pump();
  }
  release(value);
  core_.unlock_and_help(lock);
}

void Relay::break_promise(Future* promise, ErrorKind kind, std::string_view message) {
  Lock lock(core_.lock);
  if (Call* call = promise->call; !promise->ready() && call != nullptr) {
    core_.dispatcher->fail(call, kind, message);
    core_.pump();
  }
  core_.unlock_and_help(lock);
}

Result<Future*> Relay::make_elsewhere(ValueHeader header, uint64_t size_bytes, uint64_t uid, uint64_t sequence) {
  Lock lock(core_.lock);
  SABIR_RETURN_IF_ERROR(core_.check_open());
  SABIR_ASSIGN_OR_RETURN(shm::EntryRef entry, core_.lendings.take_entry(lock));
  Future* future = core_.refs->make(sequence);
  future->more().uid = uid;
  future->header = header;
  core_.refs->bind_elsewhere(future, entry, size_bytes);
  core_.unlock(lock);
  return future;
}

rpc::EntryKey Relay::entry_of(const Future* elsewhere) {
  shm::EntryRef entry = elsewhere->extra->entry;
  return {entry.entry, entry.generation};
}

std::pair<uint64_t, uint64_t> Relay::id_of_entry(const Future* elsewhere) const {
  const shm::ObjectEntry& entry = core_.self.calls().entry(elsewhere->extra->entry.entry);
  return {entry.id[0].load(std::memory_order_relaxed), entry.id[1].load(std::memory_order_relaxed)};
}

void Relay::deliver_elsewhere(rpc::EntryKey entry, Future* value) {
  Lock lock(core_.lock);
  if (core_.check_open().ok()) {
    core_.refs->deliver_elsewhere({entry.generation, entry.entry}, value);
    core_.pump();
  }
  if (value != nullptr) {
    release(value);
  }
  core_.unlock_and_help(lock);
}

Result<Future*> Relay::make_value(ValueHeader header, std::span<Future* const> refs, std::string_view bytes,
                                  int64_t timeout_ns) {
  if (bytes.size() >= shm::kStoreThresholdBytes) {
    sabir_span part{bytes.data(), bytes.size()};
    return core_.objects->store(header, refs, {&part, 1}, timeout_ns);
  }
  Lock lock(core_.lock);
  SABIR_RETURN_IF_ERROR(core_.check_open());
  Future* value = core_.refs->make(core_.refs->next_put_sequence());
  value->header = header;
  std::memcpy(value->make_room(bytes.size()), bytes.data(), bytes.size());
  for (Future* ref : refs) {
    value->more().nested.push_back(retain(ref));
  }
  value->state.store(FutureState::kReady, std::memory_order_release);
  core_.unlock(lock);
  return value;
}

void Relay::rename(Future* ready, uint64_t uid, uint64_t sequence) {
  Lock lock(core_.lock);
  ready->sequence = sequence;
  ready->more().uid = uid;
  if (ready->has_entry()) {
    shm::ObjectEntry& entry = core_.self.calls().entry(ready->extra->entry.entry);
    entry.id[0].store(uid, std::memory_order_relaxed);
    entry.id[1].store(sequence, std::memory_order_relaxed);
  }
}

}  // namespace sabir::client
