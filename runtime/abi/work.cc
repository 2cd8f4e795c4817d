// sabir.h: executing.
#include "runtime/abi/handles.h"
#include "runtime/client/error_value.h"
#include "runtime/client/execute.h"

using namespace sabir;
using namespace sabir::abi;

namespace {

constexpr int64_t kLeaveTimeoutNs = 30 * kSecondNs;

client::Work* work_of(const sabir_work* work) { return reinterpret_cast<client::Work*>(const_cast<sabir_work*>(work)); }

}  // namespace

void sabir_work_get_view(const sabir_work* work, sabir_work_view* out_view) { *out_view = work_of(work)->view; }

sabir_status sabir_work_finish(sabir_work* work, const sabir_value* values, size_t value_count,
                               sabir_error** out_error) {
  client::Core* core = work_of(work)->core;
  if (core->forked()) [[unlikely]] {
    return fail(out_error, SABIR_FORKED, "this process is a fork of the worker");
  }
  for (size_t i = 0; i < value_count; ++i) {
    if (Result<void> checked = check_value(values[i]); !checked.ok()) {
      sabir_failure failure = SABIR_FAILURE_INIT;
      failure.kind = SABIR_INVALID_ARGUMENT;
      failure.message = lend(checked.error().message());
      (void)core->executor->fail(work_of(work), failure);
      return fail(out_error, checked.error());
    }
  }
  return finish(core->executor->finish(work_of(work), {values, value_count}), out_error);
}

sabir_status sabir_failure_encode(const sabir_failure* failure, sabir_buffer** out_map, sabir_error** out_error) {
  std::optional<sabir_failure> complete = read_struct<sabir_failure>(failure, SABIR_FAILURE_INIT);
  if (!complete) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_failure without its struct_size");
  }
  std::vector<uint8_t> map = client::make_error_map(client::error_fields(*complete));
  *out_map = make_buffer({map.begin(), map.end()});
  return SABIR_OK;
}

sabir_status sabir_work_fail(sabir_work* work, const sabir_failure* failure, sabir_error** out_error) {
  client::Core* core = work_of(work)->core;
  if (core->forked()) [[unlikely]] {
    return fail(out_error, SABIR_FORKED, "this process is a fork of the worker");
  }
  std::optional<sabir_failure> complete = read_struct<sabir_failure>(failure, SABIR_FAILURE_INIT);
  if (!complete) {
    complete = sabir_failure SABIR_FAILURE_INIT;
    complete->message = {"sabir_failure without its struct_size", 37};
  }
  return finish(core->executor->fail(work_of(work), *complete), out_error);
}

sabir_status sabir_worker_exit(sabir_client* client, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  if (!self->core().self.is_worker()) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "a driver leaves by sabir_client_shutdown");
  }
  Result<void> left = self->core().self.session().leave("", kLeaveTimeoutNs);
  self->core().executor->request_exit();
  return finish(std::move(left), out_error);
}
