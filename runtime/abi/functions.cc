// sabir.h: functions and tasks.
#include "runtime/abi/handles.h"
#include "runtime/client/call.h"
#include "runtime/client/submit.h"

using namespace sabir;
using namespace sabir::abi;

namespace {

client::Function* function_of(const sabir_function* function) {
  return reinterpret_cast<client::Function*>(const_cast<sabir_function*>(function));
}
client::Task* task_of(const sabir_task* task) { return reinterpret_cast<client::Task*>(const_cast<sabir_task*>(task)); }

}  // namespace

sabir_status sabir_function_export(sabir_client* client, sabir_function_kind kind, sabir_language language,
                                   sabir_string name, sabir_span code, sabir_function** out_function,
                                   sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  if (Result<void> open = self->check(); !open.ok()) {
    return fail(out_error, open.error());
  }
  if (kind < SABIR_FUNCTION_TASK || kind > SABIR_FUNCTION_METHOD) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "an unknown kind of function");
  }
  rpc::FunctionInfo info{kind, language, std::string(view(name)),
                         std::string(static_cast<const char*>(code.data), code.size)};
  Result<client::Function*> made = self->core().functions->export_function(info);
  if (!made.ok()) {
    return fail(out_error, made.error());
  }
  *out_function = reinterpret_cast<sabir_function*>(*made);
  return SABIR_OK;
}

sabir_status sabir_function_get(sabir_client* client, uint32_t function_index, sabir_function_info* out_info,
                                sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  Result<const rpc::FunctionInfo*> found = self->core().functions->fetch(function_index);
  if (!found.ok()) {
    return fail(out_error, found.error());
  }
  sabir_function_info info = SABIR_FUNCTION_INFO_INIT;
  info.kind = (*found)->kind;
  info.language = (*found)->language;
  info.name = lend((*found)->name);
  info.code = {(*found)->code.data(), (*found)->code.size()};
  return write_struct(out_info, info)
             ? SABIR_OK
             : fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_function_info without its struct_size");
}

uint32_t sabir_function_index(const sabir_function* function) { return function_of(function)->index; }

void sabir_function_release(sabir_function* function) {
  if (function != nullptr && !function_of(function)->anchor->forked()) {
    release(function_of(function));
  }
}

sabir_status sabir_task_prepare(sabir_client* client, const sabir_function* function, const sabir_task_options* options,
                                sabir_task** out_task, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  std::optional<sabir_task_options> complete = read_struct<sabir_task_options>(options, SABIR_TASK_OPTIONS_INIT);
  if (!complete || function == nullptr) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "no function, or sabir_task_options without its struct_size");
  }
  if (Result<void> open = self->check(); !open.ok()) {
    return fail(out_error, open.error());
  }
  Result<client::Task*> task = self->prepare_task(*function_of(function), *complete);
  if (!task.ok()) {
    return fail(out_error, task.error());
  }
  *out_task = reinterpret_cast<sabir_task*>(*task);
  return SABIR_OK;
}

sabir_string sabir_task_infeasible(const sabir_task* task) { return lend(task_of(task)->infeasible); }

sabir_status sabir_task_submit(sabir_task* task, const sabir_arg* args, size_t arg_count, sabir_ref** out_refs,
                               sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(task_of(task)->anchor, &self, out_error); status != SABIR_OK) [[unlikely]] {
    return status;
  }
  if (arg_count != 0) {
    if (Result<void> checked = check_args(args, arg_count); !checked.ok()) {
      return fail(out_error, checked.error());
    }
  }
  return finish(self->core().submitter->submit_task(task_of(task), {args, arg_count}, out_refs), out_error);
}

void sabir_task_release(sabir_task* task) {
  if (task != nullptr && !task_of(task)->anchor->forked()) {
    release(task_of(task));
  }
}
