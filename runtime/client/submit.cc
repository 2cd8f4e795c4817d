#include "runtime/client/submit.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/client/actors.h"
#include "runtime/client/class_queue.h"
#include "runtime/client/complete.h"
#include "runtime/client/dispatch.h"
#include "runtime/client/execute.h"
#include "runtime/client/objects.h"
#include "runtime/client/refs.h"
#include "runtime/client/settle.h"
#include "runtime/client/wait_room.h"

namespace sabir::client {
namespace {

// A FIFO behind a full ring is emptied by whoever submits more, but not with each call: looking costs the line of the
// ring's head.
constexpr uint64_t kRefillEvery = 64;

void release_all(std::vector<Future*>& held) {
  for (Future* future : std::exchange(held, {})) {
    release(future);
  }
}

}  // namespace

void Submitter::hand_out(Call* call, sabir_ref** out_refs) {
  for (uint32_t i = 0; i < call->num_returns; ++i) {
    out_refs[i] = reinterpret_cast<sabir_ref*>(call->result_at(i));
  }
}

Result<ClassQueue*> Submitter::queue_for(const Task& task) {
  if (!task.follows_parent || !core_.executor->captures()) [[likely]] {
    return task.queue;
  }
  Scheduling place;
  {
    Lock lock(core_.lock);
    if (ClassQueue* known = core_.executor->known_twin(task.queue)) {
      return known;
    }
    place = core_.executor->captured();
  }
  SABIR_ASSIGN_OR_RETURN(ClassQueue * twin,
                         core_.classes->declare(task.queue->language(), task.queue->resources(), place));
  Lock lock(core_.lock);
  if (core_.executor->captured() == place) {
    core_.executor->learn_twin(task.queue, twin);
  }
  return twin;
}

Result<void> Submitter::submit_task(Task* task, std::span<const sabir_arg> args, sabir_ref** out_refs,
                                    uint16_t attempt) {
  SABIR_ASSIGN_OR_RETURN(ClassQueue * queue, queue_for(*task));
  std::optional<size_t> plain_bytes = measure_plain(args);
  std::vector<Future*> held;
  PreparedArgs prepared;
  if (!plain_bytes) {
    Result<PreparedArgs> made = prepare_args(core_, args, held);
    if (!made.ok()) {
      release_all(held);
      return std::move(made).error();
    }
    prepared = *std::move(made);
  }
  Lock lock(core_.lock);
  if (Result<void> open = core_.check_open(); !open.ok()) {
    release_all(held);
    return open;
  }
  if (core_.lendings.cells().free_count() == 0 ||
      (core_.dispatcher->waiting_count() % kRefillEvery == 1 && core_.completer->has_replies()) ||
      core_.anchor->has_dead()) [[unlikely]] {
    core_.pump();
  }
  Call* call = core_.dispatcher->make_call(task->num_returns);
  task->count.fetch_add(1, std::memory_order_relaxed);
  call->task = task;
  call->queue = queue;
  call->function = task->function;
  call->attempt = attempt;
  call->retries_left = task->max_retries;
  call->retry_errors = task->retry_errors;
  call->parent = core_.executor->current_call();
  call->held = std::move(held);
  hand_out(call, out_refs);
  if (!plain_bytes) {
    return submit(call, std::move(prepared), out_refs, lock);
  }
  call->args_bytes = static_cast<uint32_t>(*plain_bytes);
  if (*plain_bytes != 0) {
    bool fits = *plain_bytes <= shm::kCellInlineBytes;
    if (!fits) {
      call->heap_args = std::make_unique_for_overwrite<uint8_t[]>(*plain_bytes);
    }
    Writer out(fits ? call->inline_args : call->heap_args.get(), *plain_bytes);
    write_plain(out, args);
    call->args_place = fits ? ArgsPlace::kInline : ArgsPlace::kHeap;
  }
  core_.dispatcher->enqueue(call);
  core_.unlock_and_help(lock);
  return {};
}

Result<void> Submitter::submit_actor(Future* actor, uint32_t method, uint16_t num_returns,
                                     std::span<const sabir_arg> args, sabir_ref** out_refs,
                                     std::optional<int32_t> max_retries) {
  std::vector<Future*> held;
  Result<PreparedArgs> prepared = prepare_args(core_, args, held);
  Lock lock(core_.lock);
  Result<void> open = core_.check_open();
  if (!prepared.ok() || !open.ok()) {
    release_all(held);
    return prepared.ok() ? std::move(open).error() : std::move(prepared).error();
  }
  if (core_.lendings.cells().free_count() == 0 || core_.anchor->has_dead()) [[unlikely]] {
    core_.pump();
  }
  Call* call = core_.dispatcher->make_call(num_returns);
  call->actor = retain(actor);
  call->function = method;
  call->retries_left = max_retries.value_or(actor->extra->actor->info->max_task_retries);
  call->retry_errors = false;
  call->parent = core_.executor->current_call();
  call->held = std::move(held);
  hand_out(call, out_refs);
  return submit(call, *std::move(prepared), out_refs, lock);
}

Result<void> Submitter::start_actor(Future* actor, std::span<const sabir_arg> args) {
  std::vector<Future*> held;
  Result<PreparedArgs> prepared = prepare_args(core_, args, held);
  Lock lock(core_.lock);
  if (!prepared.ok()) {
    release_all(held);
    return std::move(prepared).error();
  }
  Call* call = core_.dispatcher->make_call(0);
  call->actor = retain(actor);
  call->creates_actor = true;
  call->held = std::move(held);
  return submit(call, *std::move(prepared), nullptr, lock);
}

Result<void> Submitter::submit(Call* call, PreparedArgs prepared, sabir_ref**, Lock& lock) {
  call->prepared = std::make_unique<PreparedArgs>(std::move(prepared));
  await_arguments(call);
  core_.unlock_and_help(lock);
  return {};
}

void Submitter::await_arguments(Call* call) {
  for (const PreparedArg& arg : call->prepared->args) {
    if (arg.future == nullptr) {
      continue;
    }
    core_.refs->touch(arg.future);
    if (!arg.future->computed()) {
      core_.settler->depend(call, arg.future);
    }
  }
  if (call->missing == 0) {
    resolve(call);
    return;
  }
  call->stage = CallStage::kParked;
  core_.add_interest(1);
  if (call->actor != nullptr && !call->creates_actor) {
    core_.actors->append(call);  // holds back those behind it (Q7)
  }
}

void Submitter::submit_again(Call* call) {
  if (!call->prepared) {
    core_.dispatcher->enqueue(call);
    return;
  }
  // Its arguments may have other places by now.
  core_.dispatcher->drop_args(call);
  call->prepared->whole = nullptr;
  await_arguments(call);
}

void Submitter::run_ready() {
  while (Call* call = core_.settler->take_ready_call()) {
    core_.add_interest(-1);
    resolve(call);
  }
}

void Submitter::resolve(Call* call) {
  if (Future* error = find_error(*call->prepared)) {
    fail(call, error);
    return;
  }
  if (measure(core_, *call->prepared) > shm::kMaxBlockBytes) {
    oversized_.push_back(call);
    core_.add_interest(1);
    return;
  }
  encode(call, *call->prepared);
  bool has_refs = std::any_of(call->prepared->args.begin(), call->prepared->args.end(),
                              [](const PreparedArg& arg) { return arg.future != nullptr; });
  if (call->task == nullptr || !has_refs) {
    call->prepared.reset();  // else it may have to be written again (Lineage)
  }
  route(call);
}

void Submitter::encode(Call* call, const PreparedArgs& prepared) {
  size_t bytes = measure(core_, prepared);
  call->args_bytes = static_cast<uint32_t>(bytes);
  if (bytes == 0) {
    return;
  }
  bool fits = bytes <= shm::kCellInlineBytes;
  if (!fits) {
    call->heap_args = std::make_unique_for_overwrite<uint8_t[]>(bytes);
  }
  Writer out(fits ? call->inline_args : call->heap_args.get(), bytes);
  write(core_, out, prepared);
  call->args_place = fits ? ArgsPlace::kInline : ArgsPlace::kHeap;
}

void Submitter::route(Call* call) {
  if (call->creates_actor) {
    send_creation(call);
  } else if (call->task != nullptr) {
    core_.dispatcher->enqueue(call);
  } else if (call->listed) {
    core_.actors->unpark(call);
  } else {
    core_.actors->append(call);
  }
}

void Submitter::send_creation(Call* call) {
  const uint8_t* bytes = call->args_place == ArgsPlace::kHeap ? call->heap_args.get() : call->inline_args;
  std::vector<shm::EntryRef> inside;
  for (Future* held : call->held) {
    core_.refs->collect_entries(held, inside);
  }
  std::vector<rpc::EntryKey> refs;
  for (shm::EntryRef entry : inside) {
    refs.push_back({entry.entry, entry.generation});
  }
  core_.self.session().post_start_actor(call->actor->extra->actor->index,
                                        std::string(reinterpret_cast<const char*>(bytes), call->args_bytes),
                                        std::move(refs));
  core_.actors->created(call->actor, std::exchange(call->held, {}));
  core_.dispatcher->finish(call);
}

void Submitter::fail(Call* call, Future* error) {
  if (call->creates_actor) {
    std::vector<uint8_t> value(core_.refs->open(error) ? core_.refs->value_bytes(error, kCallAlignment) : 0);
    // Of an object only its place is known to the others: the message alone has to do.
    if (error->kind == FutureKind::kValue) {
      Writer out(value.data(), value.size());
      core_.refs->write_value(out, error, kCallAlignment);
    } else {
      value.clear();
    }
    core_.self.session().post_fail_actor(call->actor->extra->actor->index, "an argument of its constructor failed",
                                         std::string(value.begin(), value.end()));
    core_.dispatcher->finish(call);
    return;
  }
  Future* actor = call->listed ? retain(call->actor) : nullptr;
  if (actor != nullptr) {
    core_.actors->drop(call);
  }
  core_.dispatcher->fail_like(call, error);
  if (actor != nullptr) {
    core_.actors->advance(actor);
    release(actor);
  }
}

void Submitter::help() {
  Lock lock(core_.lock);
  for (Call* call : std::exchange(oversized_, {})) {
    // The record stays ours: it is in no list that anybody else looks at.
    lock.unlock();
    Result<void> shrunk = shrink(core_, *call->prepared, call->held);
    lock.lock();
    core_.add_interest(-1);
    if (shrunk.ok()) {
      resolve(call);
      continue;
    }
    if (call->listed) {
      core_.actors->drop(call);
    }
    core_.dispatcher->fail(
        call, shrunk.error().kind(),
        "the arguments of " + core_.dispatcher->describe(call) + " could not be stored: " + shrunk.error().message());
  }
  core_.unlock(lock);
}

}  // namespace sabir::client
