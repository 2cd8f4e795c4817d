// The half of Executor that ends a call: result into the cell, a block or the store, DONE, reply stack.
#include <algorithm>

#include "runtime/base/session_dir.h"
#include "runtime/client/args.h"
#include "runtime/client/error_value.h"
#include "runtime/client/execute.h"
#include "runtime/client/objects.h"
#include "runtime/client/refs.h"
#include "runtime/shm/stack.h"

namespace sabir::client {
namespace {

constexpr int64_t kRoomTimeoutNs = 60 * kSecondNs;
constexpr int64_t kRpcTimeoutNs = 60 * kSecondNs;

std::string_view text(sabir_string string) {
  return string.size == 0 ? "" : std::string_view(string.data, string.size);
}
std::span<const uint8_t> bytes_of(const void* data, size_t size) { return {static_cast<const uint8_t*>(data), size}; }

}  // namespace

ErrorFields error_fields(const sabir_failure& failure) {
  ErrorFields fields{.kind = static_cast<ErrorKind>(failure.kind),
                     .message = text(failure.message),
                     .language = failure.language,
                     .type = text(failure.type),
                     .stack = text(failure.stack),
                     .native = bytes_of(failure.native.data, failure.native.size)};
  if (failure.cause != nullptr) {
    fields.cause = bytes_of(failure.cause->data, failure.cause->size);
  }
  return fields;
}

Result<void> Executor::finish(Work* work, std::span<const sabir_value> values) {
  if (work->view.kind == SABIR_WORK_ACTOR_CREATE) {
    return finish_creation(work);
  }
  std::optional<size_t> plain_bytes;
  if (values.size() == 1 && work->view.num_returns == 1 && values[0].ref_count == 0) [[likely]] {
    size_t data = total_bytes(parts_of(values[0]));
    if (data < shm::kStoreThresholdBytes) {
      plain_bytes = data == 0 && values[0].encoding == SABIR_NULL ? 0 : sizeof(ValueHeader) + data;
    }
  }
  Result<void> done = plain_bytes ? finish_plain(work, values[0], *plain_bytes) : finish_values(work, values);
  if (!done.ok() && done.error().kind() == ErrorKind::kDisconnected) [[unlikely]] {
    keep_borrowed(work);
    abandon(work);
  } else if (!done.ok()) [[unlikely]] {
    Lock lock(core_.lock);
    Future* error = core_.refs->make(core_.refs->next_put_sequence());
    core_.refs->fill_error(error, done.error().kind(), "the result could not be sent: " + done.error().message());
    lock.unlock();
    finish_error(work, error, kError);
  }
  return done;
}

Result<void> Executor::finish_with(Work* work, std::vector<Future*> values) {
  Result<void> done;
  if (values.size() != work->view.num_returns) {
    done = internal_error("a relayed call came back with another number of results");
  }
  for (size_t i = 0; i < values.size() && done.ok(); ++i) {
    if (values[i]->kind == FutureKind::kValue && values[i]->nested_count() != 0) {
      done = core_.refs->prepare(values[i]->extra->nested);
    }
  }
  if (done.ok()) {
    done = finish_futures(work, std::move(values), 0);
  } else {
    std::for_each(values.begin(), values.end(), [](Future* value) { release(value); });
  }
  if (!done.ok()) {
    Lock lock(core_.lock);
    Future* error = core_.refs->make(core_.refs->next_put_sequence());
    core_.refs->fill_error(error, done.error().kind(), "the result could not be sent: " + done.error().message());
    lock.unlock();
    finish_error(work, error, kError);
  }
  return done;
}

void Executor::fail_with(Work* work, Future* error, uint8_t how) { finish_error(work, error, how); }

Result<void> Executor::finish_creation(Work* work) {
  const rpc::HostedActor& actor = core_.self.welcome().actor;
  keep_borrowed(work);
  Result<void> started = core_.self.session().actor_started(actor.actor, actor.incarnation, kRpcTimeoutNs);
  Lock lock(core_.lock);
  created_ = true;
  end(work);
  core_.unlock(lock);
  return started;
}

void Executor::fail_creation(Work* work, std::string message, std::string error_value) {
  keep_borrowed(work);
  core_.self.session().post_fail_actor(core_.self.welcome().actor.actor, std::move(message), std::move(error_value));
  Lock lock(core_.lock);
  end(work);
  core_.unlock(lock);
}

Result<void> Executor::finish_plain(Work* work, const sabir_value& value, size_t size_bytes) {
  uint8_t* room = room_in_cell(work, size_bytes);
  if (room == nullptr) {
    Lock lock(core_.lock);
    while ((room = room_in_block(work, size_bytes)) == nullptr) {
      SABIR_RETURN_IF_ERROR(core_.lendings.lend(rpc::LendKind::kBlocks, lock));
    }
  }
  if (size_bytes != 0) {
    Writer out(room, size_bytes);
    out.put(header_of(value));
    for (const sabir_span& part : parts_of(value)) {
      out.put_bytes(part.data, part.size);
    }
  }
  publish(work, 0, false);
  return {};
}

Result<void> Executor::finish_values(Work* work, std::span<const sabir_value> values) {
  if (values.size() != work->view.num_returns) {
    return invalid_error("the call returns " + std::to_string(work->view.num_returns) + " values, not " +
                         std::to_string(values.size()));
  }
  std::vector<Future*> futures;
  for (const sabir_value& value : values) {
    Result<Future*> future = core_.objects->put(value, kRoomTimeoutNs);
    Result<void> prepared;
    if (future.ok()) {
      futures.push_back(*future);
      if ((*future)->kind == FutureKind::kValue) {
        prepared = core_.refs->prepare(refs_of(value));
      }
    } else {
      prepared = std::move(future).error();
    }
    if (!prepared.ok()) {
      for (Future* made : futures) {
        release(made);
      }
      return prepared;
    }
  }
  return finish_futures(work, std::move(futures), 0);
}

Result<void> Executor::finish_futures(Work* work, std::vector<Future*> values, uint8_t is_error) {
  bool single = is_error != 0 || values.size() == 1;
  Future* whole = nullptr;
  uint8_t* room = nullptr;
  size_t total = 0;
  Result<void> failed;
  Lock lock(core_.lock);
  // Sizes hold as long as the lock does: another thread may give a value an entry. So they are measured again after
  // each time it was released.
  while (room == nullptr && failed.ok()) {
    total = whole != nullptr ? 8 + sizeof(WireRef) : measure_results(values, single);
    if (total > shm::kMaxBlockBytes) {
      lock.unlock();
      if (single) {
        // Below the threshold by itself: what makes it large are the references in it. It is named from then on.
        failed = core_.objects->store_ready(values[0]);
      } else if (Result<Future*> stored = store_whole(values); stored.ok()) {
        whole = *stored;
      } else {
        failed = std::move(stored).error();
      }
      lock.lock();
      continue;
    }
    room = room_in_cell(work, total);
    if (room == nullptr) {
      room = room_in_block(work, total);
    }
    if (room == nullptr) {
      failed = core_.lendings.lend(rpc::LendKind::kBlocks, lock);
    }
  }
  bool has_refs = false;
  if (failed.ok()) {
    Writer out(room, total);
    std::vector<shm::EntryRef> inside;
    if (whole != nullptr) {
      out.put(uint64_t{kResultIsIndirect});
      out.put(core_.refs->wire_ref(whole));
      core_.refs->collect_entries(whole, inside);
    } else {
      write_results(out, values, single);
    }
    for (Future* value : values) {
      core_.refs->collect_entries(value, inside);
    }
    // H2: before DONE.
    for (shm::EntryRef entry : inside) {
      core_.ring.tell(shm::RingMessage::hold_cell(entry, work->call));
    }
    has_refs = !inside.empty();
  }
  lock.unlock();
  if (failed.ok()) {
    publish(work, is_error, has_refs);
  }
  for (Future* value : values) {
    release(value);
  }
  if (whole != nullptr) {
    release(whole);
  }
  return failed;
}

size_t Executor::measure_results(std::span<Future* const> values, bool single) const {
  if (single) {
    return core_.refs->passed_bytes(values[0]);
  }
  size_t total = pad8(values.size() * sizeof(uint32_t));
  for (Future* value : values) {
    total += pad8(core_.refs->passed_bytes(value));
  }
  return total;
}

void Executor::write_results(Writer& out, std::span<Future* const> values, bool single) const {
  if (single) {
    core_.refs->write_passed(out, values[0]);
    return;
  }
  for (Future* value : values) {
    out.put(static_cast<uint32_t>(core_.refs->passed_bytes(value)));
  }
  out.align8();
  for (Future* value : values) {
    core_.refs->write_passed(out, value);
    out.align8();
  }
}

Result<Future*> Executor::store_whole(std::span<Future* const> values) {
  std::vector<uint8_t> bytes;
  {
    Lock lock(core_.lock);
    bytes.resize(measure_results(values, false));
    Writer out(bytes.data(), bytes.size());
    write_results(out, values, false);
  }
  sabir_span part{bytes.data(), bytes.size()};
  return core_.objects->store({.encoding = static_cast<uint8_t>(Encoding::kNative)}, {}, {&part, 1}, kRoomTimeoutNs);
}

Result<void> Executor::fail(Work* work, const sabir_failure& failure) {
  ErrorFields fields = error_fields(failure);
  std::vector<uint8_t> map = make_error_map(fields);
  ValueHeader header{.encoding = static_cast<uint8_t>(Encoding::kNeutral), .flags = kValueIsError};
  if (work->view.kind == SABIR_WORK_ACTOR_CREATE) {
    std::string value(reinterpret_cast<const char*>(&header), sizeof(header));
    value.append(map.begin(), map.end());
    fail_creation(work, "its constructor failed: " + std::string(fields.message), std::move(value));
    return {};
  }
  Future* error = nullptr;
  if (map.size() >= shm::kStoreThresholdBytes) {
    sabir_span part{map.data(), map.size()};
    Result<Future*> stored = core_.objects->store(header, {}, {&part, 1}, kRoomTimeoutNs);
    if (stored.ok()) {
      error = *stored;
    } else {
      // No room: the message at least.
      fields.stack = {};
      fields.native = {};
      fields.cause = {};
      fields.message = fields.message.substr(0, kInlineRefBytes);
      map = make_error_map(fields);
    }
  }
  if (error == nullptr) {
    Lock lock(core_.lock);
    error = core_.refs->make(core_.refs->next_put_sequence());
    lock.unlock();
    error->header = header;
    std::memcpy(error->make_room(map.size()), map.data(), map.size());
    error->state.store(FutureState::kReady, std::memory_order_release);
  }
  finish_error(work, error, failure.retryable != 0 ? kRetryableError : kError);
  return {};
}

void Executor::finish_error(Work* work, Future* error, uint8_t is_error) {
  if (finish_futures(work, {error}, is_error).ok()) {
    return;
  }
  // Not even a block for the error is to be had: the null value with the error flag says so to the submitter.
  core_.self.calls().cell(work->call.cell).result_place = static_cast<uint8_t>(shm::ResultPlace::kNone);
  publish(work, is_error, false);
}

uint8_t* Executor::room_in_cell(Work* work, size_t size_bytes) {
  shm::Cell& cell = core_.self.calls().cell(work->call.cell);
  size_t offset = cell.args_block == shm::kNoBlock ? pad8(cell.args_bytes) : 0;
  if (offset + size_bytes > shm::kCellInlineBytes) {
    return nullptr;
  }
  cell.result_bytes = static_cast<uint32_t>(size_bytes);
  cell.result_place = static_cast<uint8_t>(size_bytes == 0 ? shm::ResultPlace::kNone : shm::ResultPlace::kInline);
  return cell.payload + offset;
}

uint8_t* Executor::room_in_block(Work* work, size_t size_bytes) {
  uint32_t block = core_.lendings.take_block(size_bytes);
  if (block == shm::kNoBlock) {
    return nullptr;
  }
  shm::Cell& cell = core_.self.calls().cell(work->call.cell);
  cell.result_bytes = static_cast<uint32_t>(size_bytes);
  cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kBlock);
  cell.result_block = block;
  core_.lendings.result_blocks().hand_out(block, work->call, work->submitter);
  return core_.lendings.blocks().data(block);
}

void Executor::keep_borrowed(Work* work) {
  if (work->borrowed.empty()) [[likely]] {
    return;
  }
  Lock lock(core_.lock);
  // First everything that only the arguments themselves kept: what still has more than our own count was kept by
  // somebody else.
  for (std::vector<Future*>& table : work->tables) {
    for (Future* ref : std::exchange(table, {})) {
      release(ref);
    }
  }
  core_.refs->reclaim();
  for (Future* ref : work->borrowed) {
    if (ref->count.load(std::memory_order_acquire) > 1) {
      core_.refs->own(ref);
    }
  }
}

// The notice of it may be later than the errors that it leads to.
bool Executor::node_is_gone() const {
  return core_.disconnected.load(std::memory_order_relaxed) || !is_session_live(core_.self.welcome().session_path);
}

// It fails because its node went, and is lost with that: a submitter on another node, whom this node's gateway may
// still reach, is to run it again instead of learning of our trouble.
void Executor::abandon(Work* work) {
  Lock lock(core_.lock);
  end(work);
}

void Executor::publish(Work* work, uint8_t is_error, bool has_refs) {
  keep_borrowed(work);
  if (is_error != 0 && node_is_gone()) [[unlikely]] {
    abandon(work);
    return;
  }
  shm::Cell& cell = core_.self.calls().cell(work->call.cell);
  cell.result_is_error = is_error;
  cell.result_has_refs = has_refs ? 1 : 0;
  page_.executed.store(page_.executed.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  shm::finish_cell(cell, work->call.generation, core_.self.slot());
  if (shm::reply_stack(core_.self.calls(), work->submitter).push(work->call.cell)) {
    core_.neighbours.ring_after_push(work->submitter);
  }
  // Only now: until here this process had something of the submitter (D3).
  Lock lock(core_.lock);
  end(work);
}

}  // namespace sabir::client
