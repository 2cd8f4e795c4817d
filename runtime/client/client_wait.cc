// The half of Client that waits.
#include "runtime/client/client.h"
#include "runtime/client/complete.h"
#include "runtime/client/execute.h"
#include "runtime/client/refs.h"
#include "runtime/client/settle.h"
#include "runtime/client/wait_room.h"

namespace sabir::client {
namespace {

// What the first pending reference waits for, as far as it is no reply: the entry of another process's call.
struct EntryHint {
  const shm::ObjectEntry* entry = nullptr;
  uint64_t word = 0;

  static bool changed(void* self) {
    auto* hint = static_cast<EntryHint*>(self);
    return hint->entry != nullptr && hint->entry->word.load(std::memory_order_relaxed) != hint->word;
  }
};

}  // namespace

void Client::end_slices(Waiter& waiter) {
  waiter.end_slices();
  if (uint32_t stay = waiter.take_lent(); stay != 0) {
    Lock lock(core_->lock);
    core_->executor->leave_blocked(lock, stay);
  }
}

Result<void> Client::get(std::span<Future* const> refs, int64_t timeout_ns, Waiter* waiter) {
  size_t at = 0;
  auto skip_ready = [&] {
    while (at < refs.size() && refs[at]->ready() && !refs[at]->is_error()) {
      ++at;
    }
    return at == refs.size() || refs[at]->ready();
  };
  if (skip_ready()) {
    return {};
  }
  EntryHint hint;
  Lock lock(core_->lock);
  SABIR_RETURN_IF_ERROR(core_->check_open());
  for (size_t i = at; i < refs.size(); ++i) {
    if (!refs[i]->ready()) {
      SABIR_RETURN_IF_ERROR(core_->check_own(refs[i]));
      if (refs[i]->kind == FutureKind::kActor) {
        return invalid_error("an actor handle has no value");
      }
      core_->refs->want(refs[i]);
      if (hint.entry == nullptr && refs[i]->has_entry()) {
        hint.entry = &core_->self.calls().entry(refs[i]->extra->entry.entry);
        hint.word = hint.entry->word.load(std::memory_order_relaxed);
      }
    }
  }
  uint64_t errors_seen = core_->settler->error_epoch() - 1;
  auto condition = [&] {
    if (skip_ready()) {
      return true;
    }
    if (core_->settler->error_epoch() != errors_seen) {
      errors_seen = core_->settler->error_epoch();
      for (size_t i = at; i < refs.size(); ++i) {
        if (refs[i]->ready() && refs[i]->is_error()) {
          return true;
        }
      }
    }
    refs[at]->waited = true;
    return false;
  };
  WaitOptions options{.timeout_ns = timeout_ns, .waiter = waiter, .hint = &EntryHint::changed, .hint_context = &hint};
  WaitOutcome outcome = core_->waiting->wait(lock, options, condition);
  core_->unlock_and_help(lock);
  switch (outcome) {
    case WaitOutcome::kReady:
      return {};
    case WaitOutcome::kTimeout:
      return timeout_error("no value yet");
    case WaitOutcome::kInterrupted:
      return Error(ErrorKind::kInterrupted, "interrupted");
    case WaitOutcome::kOver:
      break;
  }
  return over();
}

Result<size_t> Client::wait(std::span<Future* const> refs, size_t num_ready, int64_t timeout_ns, Waiter* waiter,
                            uint8_t* ready) {
  Lock lock(core_->lock);
  SABIR_RETURN_IF_ERROR(core_->check_open());
  std::vector<uint32_t> pending;
  size_t found = 0;
  bool differ = true;
  for (Future* ref : refs) {
    SABIR_RETURN_IF_ERROR(core_->check_own(ref));
  }
  for (Future* ref : refs) {
    differ = differ && !ref->marked;
    ref->marked = true;
  }
  for (Future* ref : refs) {
    ref->marked = false;
  }
  if (!differ || num_ready > refs.size()) {
    return invalid_error(differ ? "more references are waited for than there are" : "the references must differ");
  }
  for (size_t i = 0; i < refs.size(); ++i) {
    core_->refs->touch(refs[i]);
    ready[i] = 0;
    pending.push_back(static_cast<uint32_t>(i));
  }
  uint64_t seen = core_->settler->epoch() - 1;
  auto condition = [&] {
    if (core_->settler->epoch() != seen) {
      seen = core_->settler->epoch();
      size_t kept = 0;
      for (uint32_t i : pending) {
        if (refs[i]->computed()) {
          ready[i] = 1;
          ++found;
        } else {
          refs[i]->waited = true;
          pending[kept++] = i;
        }
      }
      pending.resize(kept);
    }
    return found >= num_ready;
  };
  WaitOutcome outcome = core_->waiting->wait(lock, {.timeout_ns = timeout_ns, .waiter = waiter}, condition);
  core_->unlock_and_help(lock);
  if (outcome == WaitOutcome::kInterrupted) {
    return Error(ErrorKind::kInterrupted, "interrupted");
  }
  if (outcome == WaitOutcome::kOver) {
    return over();
  }
  // More than asked for: the first ones in order.
  size_t given = 0;
  for (size_t i = 0; i < refs.size(); ++i) {
    ready[i] = ready[i] != 0 && given < num_ready ? 1 : 0;
    given += ready[i];
  }
  return given;
}

bool Client::is_ready(Future* ref) {
  if (ref->ready()) {
    return true;
  }
  if (!check().ok()) {
    return false;
  }
  Lock lock(core_->lock);
  core_->refs->want(ref);
  core_->pump();
  core_->unlock(lock);
  return ref->ready();
}

Result<void> Client::view(Future* ref, sabir_view& out) {
  if (!is_ready(ref)) {
    SABIR_RETURN_IF_ERROR(check());
    return timeout_error("no value yet");
  }
  if (ref->kind == FutureKind::kActor) {
    return invalid_error("an actor handle has no value");
  }
  if (ref->data == nullptr) {
    Lock lock(core_->lock);
    if (!core_->refs->open(ref)) {
      return Error(ErrorKind::kObjectLost, "the object is gone from the store");
    }
    core_->unlock(lock);
  }
  out = {};
  out.encoding = ref->header.encoding;
  out.language = ref->header.language;
  out.variant = ref->header.variant;
  out.is_error = ref->is_error() ? 1 : 0;
  out.in_store = ref->kind == FutureKind::kObject ? 1 : 0;
  out.data = ref->data;
  out.size = ref->size_bytes;
  if (ref->nested_count() != 0) {
    out.refs = reinterpret_cast<sabir_ref* const*>(ref->extra->nested.data());
    out.ref_count = ref->extra->nested.size();
  }
  return {};
}

void Client::watch(Future* ref, std::shared_ptr<EventQueue> queue, uint64_t tag) {
  Lock lock(core_->lock);
  core_->refs->want(ref);
  core_->settler->watch(ref, std::move(queue), tag);
  core_->pump();
  core_->unlock_and_help(lock);
}

Result<size_t> Client::next_events(EventQueue& queue, std::span<QueuedEvent> out, int64_t timeout_ns, Waiter* waiter) {
  size_t taken = queue.take(out.data(), out.size());
  if (taken != 0) {
    return taken;
  }
  Lock lock(core_->lock);
  SABIR_RETURN_IF_ERROR(core_->check_open());
  auto changed = [](void* context) { return !static_cast<EventQueue*>(context)->empty(); };
  WaitOptions options{
      .timeout_ns = timeout_ns, .waiter = waiter, .hint = changed, .hint_context = &queue, .events = &queue};
  WaitOutcome outcome = core_->waiting->wait(lock, options, [&] {
    taken = queue.take(out.data(), out.size());
    return taken != 0;
  });
  core_->unlock_and_help(lock);
  switch (outcome) {
    case WaitOutcome::kReady:
      return taken;
    case WaitOutcome::kTimeout:
      return timeout_error("no event yet");
    case WaitOutcome::kInterrupted:
      return Error(ErrorKind::kInterrupted, "interrupted");
    case WaitOutcome::kOver:
      break;
  }
  return over();
}

Result<Work*> Client::next_work(int64_t timeout_ns, Waiter* waiter) {
  Executor& executor = *core_->executor;
  for (;;) {
    Lock lock(core_->lock);
    SABIR_RETURN_IF_ERROR(core_->check_open());
    Work* work = executor.claim();
    bool waited = work == nullptr;
    WaitOutcome outcome = WaitOutcome::kReady;
    if (waited) {
      executor.add_idle_thread(1);
      WaitOptions options{.timeout_ns = timeout_ns,
                          .waiter = waiter,
                          .hint = [](void* context) { return static_cast<Executor*>(context)->maybe_work(); },
                          .hint_context = &executor,
                          .for_work = true};
      outcome = core_->waiting->wait(lock, options, [&] {
        work = executor.claim();
        return work != nullptr || executor.exit_requested();
      });
      executor.add_idle_thread(-1);
    }
    core_->unlock_and_help(lock);
    if (work != nullptr) {
      if (waited) {
        executor.wake_another();
      }
      if (executor.parse(work) && (executor.leaves_args_elsewhere() || executor.await_args(work, waiter))) {
        return work;
      }
      continue;
    }
    switch (outcome) {
      case WaitOutcome::kReady:
        return static_cast<Work*>(nullptr);
      case WaitOutcome::kTimeout:
        return timeout_error("no call yet");
      case WaitOutcome::kInterrupted:
        return Error(ErrorKind::kInterrupted, "interrupted");
      case WaitOutcome::kOver:
        return over();
    }
  }
}

}  // namespace sabir::client
