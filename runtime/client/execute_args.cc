// The half of Executor that reads a call's arguments. Bytes stay where the submitter wrote them.
#include <algorithm>

#include "runtime/client/error_value.h"
#include "runtime/client/execute.h"
#include "runtime/client/refs.h"
#include "runtime/client/value_format.h"
#include "runtime/client/wait_room.h"
#include "runtime/client/waiter.h"

namespace sabir::client {
namespace {

sabir_view view_of(const ParsedValue& value) {
  sabir_view view = {};
  view.encoding = value.header.encoding;
  view.language = value.header.language;
  view.variant = value.header.variant;
  view.is_error = (value.header.flags & kValueIsError) != 0;
  view.data = value.data.data();
  view.size = value.data.size();
  return view;
}

}  // namespace

bool Executor::parse(Work* work) {
  std::span<const uint8_t> bytes;
  bool inside = true;
  if (work->call.cell == shm::kNoCell) {
    const std::string& args = core_.self.welcome().actor.args;
    bytes = {reinterpret_cast<const uint8_t*>(args.data()), args.size()};
  } else {
    const shm::Cell& cell = core_.self.calls().cell(work->call.cell);
    uint32_t size = cell.args_bytes;
    const uint8_t* data =
        cell.args_block == shm::kNoBlock ? cell.payload : core_.self.calls().find_block(cell.args_block, size);
    inside = data != nullptr && (cell.args_block != shm::kNoBlock || size <= shm::kCellInlineBytes);
    bytes = {data, inside ? size : 0};
  }
  Result<void> parsed = inside ? parse_args(work, bytes) : internal_error("the arguments arrived damaged");
  if (parsed.ok()) [[likely]] {
    work->view.arg_count = work->args.size();
    work->view.args = work->args.data();
    return true;
  }
  return fail_parse(work, parsed.error());
}

bool Executor::fail_parse(Work* work, const Error& error) {
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.kind = static_cast<sabir_status>(error.kind());
  failure.message = {error.message().data(), error.message().size()};
  (void)fail(work, failure);
  return false;
}

void Executor::give_back(Work* work) {
  Lock lock(core_.lock);
  Future* error = core_.refs->make(core_.refs->next_put_sequence());
  core_.refs->fill_error(error, ErrorKind::kWorkerCrashed, "it did not begin");
  error->state.store(FutureState::kReady, std::memory_order_release);
  core_.unlock(lock);
  fail_with(work, error, kNotBegun);
}

Result<void> Executor::take_awaited(Work* work) {
  Lock lock(core_.lock);
  std::vector<size_t> awaited;
  for (size_t place : work->awaited) {
    sabir_work_arg& arg = work->args[place];
    auto* object = reinterpret_cast<Future*>(arg.ref);
    core_.refs->touch(object);
    if (object->ready()) {
      SABIR_RETURN_IF_ERROR(show_stored(object, arg));
    } else {
      awaited.push_back(place);
    }
  }
  work->awaited = std::move(awaited);
  return {};
}

bool Executor::await_args(Work* work, Waiter* waiter) {
  if (work->awaited.empty()) [[likely]] {
    return true;
  }
  bool interrupted = false;
  bool gives_back = false;
  {
    Lock lock(core_.lock);
    // What is made again may need the resources that this worker has: its task goes back, and waits where it was
    // submitted. An actor's calls keep their order.
    auto all_here = [&] {
      bool all = true;
      for (size_t place : work->awaited) {
        auto* object = reinterpret_cast<Future*>(work->args[place].ref);
        object->waited = !object->ready();
        all = all && !object->waited;
        gives_back = gives_back || (!is_actor_ && (exit_requested() || !object->computed()));
      }
      return all || gives_back;
    };
    // It is claimed: an interrupt is for whoever asks for the next one.
    WaitOutcome outcome = WaitOutcome::kInterrupted;
    while (outcome == WaitOutcome::kInterrupted) {
      outcome = core_.waiting->wait(lock, {.timeout_ns = -1, .waiter = waiter}, all_here);
      interrupted = interrupted || outcome == WaitOutcome::kInterrupted;
    }
    core_.unlock_and_help(lock);
    if (outcome != WaitOutcome::kReady) {
      abandon(work);
      return false;
    }
  }
  if (interrupted && waiter != nullptr) {
    waiter->interrupt();
  }
  if (gives_back) {
    give_back(work);
    return false;
  }
  Result<void> taken = take_awaited(work);
  return taken.ok() || fail_parse(work, taken.error());
}

Result<void> Executor::parse_args(Work* work, std::span<const uint8_t> bytes) {
  std::optional<ArgsReader> reader = ArgsReader::open(bytes);
  if (reader && reader->indirect()) {
    // All of them lie in one object.
    sabir_work_arg whole = {};
    ParsedValue where;
    where.indirect = reader->indirect();
    SABIR_RETURN_IF_ERROR(parse_stored(work, where, whole));
    reader = ArgsReader::open({static_cast<const uint8_t*>(whole.value.data), whole.value.size});
    if (reader && reader->indirect()) {
      reader.reset();
    }
  }
  if (!reader) {
    return internal_error("the arguments arrived damaged");
  }
  work->args.resize(reader->count());
  for (sabir_work_arg& arg : work->args) {
    std::optional<ParsedArg> parsed = reader->next();
    if (!parsed) {
      return internal_error("the arguments arrived damaged");
    }
    arg = {};
    arg.name = {parsed->name.data(), parsed->name.size()};
    SABIR_RETURN_IF_ERROR(parse_arg(work, parsed->value, arg));
  }
  return {};
}

Result<void> Executor::parse_arg(Work* work, std::span<const uint8_t> bytes, sabir_work_arg& out) {
  std::optional<ParsedValue> value = parse_value(bytes, kCallAlignment);
  if (!value) {
    return internal_error("an argument arrived damaged");
  }
  if (value->indirect) {
    return parse_stored(work, *value, out);
  }
  out.value = view_of(*value);
  if (value->table.empty()) [[likely]] {
    return {};
  }
  Lock lock(core_.lock);
  std::vector<Future*>& refs = work->tables.emplace_back();
  for (std::span<const uint8_t> table = value->table; !table.empty();) {
    std::optional<ParsedRef> parsed = next_ref(table);
    Future* ref = parsed ? core_.refs->adopt(*parsed, HoldState::kBorrowed, &work->borrowed) : nullptr;
    if (ref == nullptr) {
      return internal_error("a reference in an argument arrived damaged");
    }
    refs.push_back(ref);
  }
  out.value.refs = reinterpret_cast<sabir_ref* const*>(refs.data());
  out.value.ref_count = refs.size();
  return {};
}

Result<void> Executor::parse_stored(Work* work, const ParsedValue& value, sabir_work_arg& out) {
  Lock lock(core_.lock);
  Future* object = core_.refs->adopt({*value.indirect, {}}, HoldState::kBorrowed, &work->borrowed);
  if (object == nullptr) {
    return internal_error("a reference to an argument arrived damaged");
  }
  work->tables.push_back({object});
  if (leaves_elsewhere_.load(std::memory_order_relaxed)) {
    core_.refs->touch(object);
  } else {
    core_.refs->want(object);
  }
  if (object->ready()) [[likely]] {
    return show_stored(object, out);
  }
  if (work->args.empty()) {
    // All arguments as a whole: those are stored where they are submitted.
    return Error(ErrorKind::kObjectLost, "the arguments are gone from the store");
  }
  work->awaited.push_back(static_cast<size_t>(&out - work->args.data()));
  out.value = view_of(value);
  out.value.in_store = 1;
  out.value.size = core_.refs->elsewhere_bytes(object);
  out.ref = reinterpret_cast<sabir_ref*>(object);
  return {};
}

Result<void> Executor::show_stored(Future* object, sabir_work_arg& out) {
  if (!core_.refs->open(object) || object->data == nullptr) {
    return Error(ErrorKind::kObjectLost, "an argument is gone from the store");
  }
  if (object->is_error()) {
    // What it has become since the call was submitted: lost, or made again with an error.
    ErrorSummary why = read_error_map({object->data, object->size_bytes});
    return Error(why.kind == ErrorKind::kInternal ? ErrorKind::kObjectLost : why.kind,
                 "an argument is lost: " + why.message);
  }
  out.value.encoding = object->header.encoding;
  out.value.language = object->header.language;
  out.value.variant = object->header.variant;
  out.value.is_error = object->is_error();
  out.value.in_store = 1;
  out.value.data = object->data;
  out.value.size = object->size_bytes;
  if (object->nested_count() != 0) {
    out.value.refs = reinterpret_cast<sabir_ref* const*>(object->extra->nested.data());
    out.value.ref_count = object->extra->nested.size();
  }
  out.ref = reinterpret_cast<sabir_ref*>(object);
  return {};
}

}  // namespace sabir::client
